//! Names that Juju, Kubernetes and Sentinel know us by. They equal those of `metadata.yaml`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The peer relation of `metadata.yaml`.
pub const PEER_ENDPOINT: &str = "redis-peers";

/// The container of Redis and its keeper in `metadata.yaml`.
pub const REDIS_CONTAINER: &str = "redis";

/// The container of Sentinel in `metadata.yaml`.
pub const SENTINEL_CONTAINER: &str = "sentinel";

/// The storage of `metadata.yaml`.
pub const STORAGE: &str = "database";

/// The port of every Redis.
pub const REDIS_PORT: u16 = 6379;

/// The port of every Sentinel.
pub const SENTINEL_PORT: u16 = 26379;

/// The port of every keeper, where it answers other keepers.
pub const KEEPER_PORT: u16 = 6378;

/// Tells whether this unit's Redis answers.
pub const CHECK_SERVICE: &str = "check-service";

/// Shows Redis' password.
pub const GET_REDIS_PASSWORD: &str = "get-initial-admin-password";

/// Shows the Sentinels' password.
pub const GET_SENTINEL_PASSWORD: &str = "get-sentinel-password";

/// Lets a full restart go on without units whose data may be fresher.
pub const ACCEPT_DATA_LOSS: &str = "accept-data-loss";

/// The parameter of `ACCEPT_DATA_LOSS`: the units, with commas between them.
pub const UNITS: &str = "units";

/// The actions of `actions.yaml`.
pub const ACTIONS: [&str; 4] =
    [CHECK_SERVICE, GET_REDIS_PASSWORD, GET_SENTINEL_PASSWORD, ACCEPT_DATA_LOSS];

/// The name that the binary has beside Redis.
pub const KEEPER: &str = "redis-keeper";

/// The name that the binary has beside Sentinel.
pub const SENTINEL_STARTER: &str = "sentinel-starter";

/// `JUJU_UNIT_NAME` taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitName {
    /// The application's name, which is also Sentinel's name for the master.
    pub application: String,
    /// The unit's number, which is the pod's ordinal.
    pub number: u32,
}

/// A text that is no unit name.
#[derive(Debug, Error)]
#[error("`{0}` is no unit name; expected APPLICATION/NUMBER")]
pub struct NoUnitName(pub String);

impl FromStr for UnitName {
    type Err = NoUnitName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.rsplit_once('/')
            .filter(|(application, _)| !application.is_empty())
            .and_then(|(application, number)| {
                Some(Self { application: application.to_owned(), number: plain_number(number)? })
            })
            .ok_or_else(|| NoUnitName(text.to_owned()))
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.application, self.number)
    }
}

/// How the units of this application are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// The application's name.
    pub application: String,
    /// The model's name, which is the Kubernetes namespace.
    pub model: String,
    /// The cluster's domain, usually `cluster.local`.
    pub cluster_domain: String,
}

impl Naming {
    /// The unit as Juju writes it: `<application>/<number>`.
    pub fn unit(&self, number: u32) -> UnitName {
        UnitName { application: self.application.clone(), number }
    }

    /// The one right host name of a unit: that of its pod behind the headless service
    /// `<application>-endpoints` that Juju makes (Juju 3.6, Kubernetes provider).
    pub fn host(&self, number: u32) -> String {
        let Self { application, model, cluster_domain } = self;
        format!("{application}-{number}.{application}-endpoints.{model}.svc.{cluster_domain}")
    }

    /// The unit that a host name means, in any spelling of the domain; an address means none.
    pub fn unit_meant(&self, host: &str) -> Option<u32> {
        let pod = host.split('.').next().unwrap_or_default();
        plain_number(pod.strip_prefix(self.application.as_str())?.strip_prefix('-')?)
    }
}

/// The cluster's domain by the resolver's search list (`<model>.svc.<domain>`), else `cluster.local`.
pub fn cluster_domain(resolver_configuration: &str, model: &str) -> String {
    let namespace = format!("{model}.svc.");
    resolver_configuration
        .lines()
        .filter_map(|line| line.trim().strip_prefix("search"))
        .flat_map(str::split_whitespace)
        .find_map(|domain| domain.strip_prefix(namespace.as_str()))
        .map(|domain| domain.trim_end_matches('.'))
        .filter(|domain| !domain.is_empty())
        .unwrap_or(DEFAULT_CLUSTER_DOMAIN)
        .to_owned()
}

/// Digits only: `u32::from_str` would take a plus sign too.
fn plain_number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

const DEFAULT_CLUSTER_DOMAIN: &str = "cluster.local";
