//! What Juju says: who we are, who leads, which units there are, what the databag holds.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::names::Naming;
use crate::names::UnitName;
use crate::world::access::Access;
use crate::world::deferral::Deferral;
use crate::world::password::Password;

/// A databag, or the differences to write into one; there an empty value deletes its key.
pub type Databag = BTreeMap<String, String>;

/// What this run has read from Juju.
#[derive(Clone, Debug)]
pub struct Juju {
    /// This unit.
    pub unit: UnitName,
    /// How the application's units are called.
    pub naming: Naming,
    /// The id of the peer relation; `None` before this unit has entered it.
    pub peer_relation: Option<u32>,
    /// The peer relation's application databag.
    pub application: Application,
    /// Whether this unit leads.
    pub leadership: Leadership,
    /// Whether this unit has once written its Sentinel's file; one that it finds without having done so
    /// is another unit's, which had the volume before.
    pub has_own_sentinel: bool,
    /// leader-elected, kept from an earlier run.
    pub deferral: Option<Deferral>,
    /// The wall time, in seconds since 1970.
    pub now: u64,
    /// What a missing password would become.
    pub fresh_passwords: FreshPasswords,
}

impl Juju {
    /// True where Redis and Sentinel can be started: their passwords are committed.
    pub fn has_passwords(&self) -> bool {
        let application = &self.application;
        let redis = application.redis_password.is_some() || application.redis_without_password;
        redis && application.sentinel_password.is_some()
    }

    /// True before the application has ever started: it has neither a recorded master nor a
    /// Sentinel password.
    pub fn is_first_deployment(&self) -> bool {
        self.application.leader_host.is_none() && self.application.sentinel_password.is_none()
    }

    /// What it takes to ask the group's servers.
    pub fn access(&self) -> Access {
        Access {
            unit: self.unit.number,
            naming: self.naming.clone(),
            redis_password: self.application.login_to_redis().cloned(),
            sentinel_password: self.application.sentinel_password.clone(),
        }
    }

    /// This unit's own host name.
    pub fn own_host(&self) -> String {
        self.naming.host(self.unit.number)
    }
}

/// Juju's answer to `is-leader`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// A yes, which holds for 30 s (Juju 3.6, leadership tracker).
    Leader,
    /// A no.
    Minion,
    /// The question failed, which counts as a no for writing; a deferral is not dropped for it.
    Unknown,
}

/// Two passwords drawn for this run, used where one is missing.
#[derive(Clone, Debug)]
pub struct FreshPasswords {
    /// For `redis-password`.
    pub redis: Password,
    /// For `sentinel-password`.
    pub sentinel: Password,
}

/// The application databag of the peer relation; one field is one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Application {
    /// `redis-password`.
    pub redis_password: Option<Password>,
    /// `sentinel-password`.
    pub sentinel_password: Option<Password>,
    /// `leader-host`: the recorded *master's* host name; the key's name is the Python charm's.
    pub leader_host: Option<String>,
    /// `master-epoch`: the config-epoch of the recorded master.
    pub master_epoch: Option<u64>,
    /// `bootstrap`: the host of the very first record, until a census first agreed on a master.
    pub bootstrap: Option<String>,
    /// `leaving`: the numbers of the units that leave or have left, and are not forgotten. Who reads it
    /// finds them elsewhere; it is there because a change of it makes an event on every unit.
    pub leaving: Option<String>,
    /// `accepted-loss`: the numbers of the units that a full restart goes on without.
    pub accepted_loss: Option<String>,
    /// `enable-password`: the Python charm's `false` means that Redis runs without a password.
    pub redis_without_password: bool,
}

impl Application {
    /// Reads the databag. A key that is missing, empty or unreadable is `None`: an older revision may
    /// have written it.
    pub fn load(bag: &Databag) -> Self {
        let text = |key: &str| bag.get(key).filter(|value| !value.is_empty()).cloned();
        Self {
            redis_password: text(REDIS_PASSWORD).map(Password::new),
            sentinel_password: text(SENTINEL_PASSWORD).map(Password::new),
            leader_host: text(LEADER_HOST),
            master_epoch: text(MASTER_EPOCH).and_then(|epoch| epoch.parse().ok()),
            bootstrap: text(BOOTSTRAP),
            leaving: text(LEAVING),
            accepted_loss: text(ACCEPTED_LOSS),
            redis_without_password: text(ENABLE_PASSWORD)
                .is_some_and(|value| value.eq_ignore_ascii_case("false")),
        }
    }

    /// The password that Redis is logged in to with, unless it runs without one.
    pub fn login_to_redis(&self) -> Option<&Password> {
        self.redis_password.as_ref().filter(|_| !self.redis_without_password)
    }

    /// The units whose loss is accepted.
    pub fn accepted_units(&self) -> BTreeSet<u32> {
        let numbers = self.accepted_loss.iter().flat_map(|text| text.split(','));
        numbers.filter_map(|number| number.parse().ok()).collect()
    }

    /// Only the keys that differ from what was loaded; `enable-password` is never written.
    pub fn changes_since(&self, loaded: &Self) -> Databag {
        let epoch = |application: &Self| application.master_epoch.map(|epoch| epoch.to_string());
        let secret = |password: &Option<Password>| {
            password.as_ref().map(|password| password.reveal().to_owned())
        };
        [
            (REDIS_PASSWORD, secret(&self.redis_password), secret(&loaded.redis_password)),
            (SENTINEL_PASSWORD, secret(&self.sentinel_password), secret(&loaded.sentinel_password)),
            (LEADER_HOST, self.leader_host.clone(), loaded.leader_host.clone()),
            (MASTER_EPOCH, epoch(self), epoch(loaded)),
            (BOOTSTRAP, self.bootstrap.clone(), loaded.bootstrap.clone()),
            (LEAVING, self.leaving.clone(), loaded.leaving.clone()),
            (ACCEPTED_LOSS, self.accepted_loss.clone(), loaded.accepted_loss.clone()),
        ]
        .into_iter()
        .filter(|(_, now, then)| now != then)
        .map(|(key, now, _)| (key.to_owned(), now.unwrap_or_default()))
        .collect()
    }
}

const REDIS_PASSWORD: &str = "redis-password";
const SENTINEL_PASSWORD: &str = "sentinel-password";
const LEADER_HOST: &str = "leader-host";
const MASTER_EPOCH: &str = "master-epoch";
const BOOTSTRAP: &str = "bootstrap";
const LEAVING: &str = "leaving";
const ACCEPTED_LOSS: &str = "accepted-loss";
const ENABLE_PASSWORD: &str = "enable-password";

/// The key in the unit's state that says that its Sentinel's file is its own.
pub const SENTINEL_STATE: &str = "sentinel";
