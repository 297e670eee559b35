//! Starts Redis and Sentinel in the place of this project's charm, which does not do so yet; it goes
//! when the charm runs its own workload.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use crate::error::BedError;
use crate::juju::model::Bag;
use crate::lab::Lab;
use crate::lab::redis::Server as Asked;
use crate::lab::status::ApplicationStatus;
use crate::lab::watcher::Watcher;
use crate::layout::Layout;
use crate::names::Names;
use crate::pebble::client::http::Client;
use crate::pod::Pod;
use crate::redis_config::RedisConfig;
use crate::redis_pod::REDIS_PORT;
use crate::redis_pod::SENTINEL_PORT;
use crate::sentinel_config::SentinelConfig;
use crate::sentinel_config::id_of;
use crate::server::Server;
use crate::transcript::lock;

/// Whoever plays the workload's part; dropped, it stops, and what it started goes on.
#[derive(Debug)]
pub(crate) struct StandIn {
    applications: Arc<Mutex<BTreeSet<String>>>,
    _watcher: Watcher,
}

impl StandIn {
    /// Plays for no application yet.
    pub(crate) fn of(lab: &Arc<Lab>) -> Self {
        let applications: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let played = Arc::clone(&applications);
        let watcher = Watcher::start(lab, PAUSE, move |lab| {
            let played = lock(&played).clone();
            let there = lab.status().applications.into_iter();
            for application in there.filter(|it| played.contains(&it.name)) {
                serve(lab, &application);
            }
        });
        Self { applications, _watcher: watcher }
    }

    /// Plays for that application too.
    pub(crate) fn play_for(&self, application: &str) {
        lock(&self.applications).insert(application.to_owned());
    }
}

/// Starts what no pod's Pebble has been told of, as the application's databag says.
fn serve(lab: &Lab, application: &ApplicationStatus) {
    let model = lab.model();
    let names = Names { application: application.name.clone(), model: lab.options().model.clone() };
    let peers = model.relations.iter().filter(|it| it.is_peer());
    let mut bags = peers.filter_map(|it| it.application_data.get(&application.name));
    let Some(bag) = bags.find(|bag| KEYS.iter().all(|key| bag.contains_key(*key))) else { return };
    let units: Vec<u32> = (0..application.scale).collect();
    let scene = Scene { lab, names: &names, bag, units: &units };
    for unit in &units {
        if let Ok(pod) = lab.pod(&names.unit(*unit)) {
            // A pod that goes meanwhile is looked at again when it is back.
            let _ = scene.serve(*unit, &pod);
        }
    }
}

struct Scene<'a> {
    lab: &'a Lab,
    names: &'a Names,
    bag: &'a Bag,
    units: &'a [u32],
}

impl Scene<'_> {
    fn serve(&self, unit: u32, pod: &Pod) -> Result<(), BedError> {
        let name = self.names.pod(unit);
        if is_untold(pod, "redis") {
            let redis = Server::new(&name, "redis", "redis-server", "Ready to accept connections");
            redis.write_config(pod, &self.redis_config(unit).render())?;
            redis.begin(pod)?;
        }
        if is_untold(pod, "sentinel") {
            let sentinel = Server::new(&name, "sentinel", "redis-sentinel", "Sentinel ID is");
            sentinel.write_config(pod, &self.sentinel_config(unit).render())?;
            sentinel.begin(pod)?;
        }
        Ok(())
    }

    /// The host that the other units' Sentinels name; where none of them knows, the recorded one.
    fn master(&self, unit: u32) -> String {
        let others = self.units.iter().filter(|other| **other != unit);
        let mut named = others.filter_map(|other| self.named_by(*other));
        named.next().or_else(|| self.bag.get("leader-host").cloned()).unwrap_or_default()
    }

    fn named_by(&self, unit: u32) -> Option<String> {
        let line = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {}\n", self.names.application);
        let unit = self.names.unit(unit);
        let client = self.lab.redis_client(&unit, Asked::Sentinel, Some("1"), &line).ok()?;
        let said = client.wait_with_output().ok()?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let host = said.lines().find(|line| self.names.unit_of(line).is_some());
        host.map(str::to_owned)
    }

    fn redis_config(&self, unit: u32) -> RedisConfig {
        let (host, master) = (self.names.host(unit), self.master(unit));
        RedisConfig {
            replica_of: (host != master).then_some(master),
            host,
            port: REDIS_PORT,
            directory: PathBuf::from("/var/lib/redis"),
            password: self.bag.get("redis-password").cloned(),
            append_only: true,
            tls: false,
            extra: Vec::new(),
        }
    }

    fn sentinel_config(&self, unit: u32) -> SentinelConfig {
        let Layout { down_after, failover_timeout, .. } = Layout::default();
        let master = self.master(unit);
        let hosts = self.units.iter().map(|it| self.names.host(*it));
        let replicas = hosts.filter(|host| *host != master).collect();
        let others = self.units.iter().filter(|it| **it != unit);
        let sentinels = others.map(|it| (self.names.host(*it), id_of(&self.names.unit(*it))));
        let quorum = u32::try_from(self.units.len()).unwrap_or(u32::MAX) / 2 + 1;
        let epoch = self.bag.get("master-epoch").and_then(|epoch| epoch.parse().ok());
        SentinelConfig {
            application: self.names.application.clone(),
            host: self.names.host(unit),
            port: SENTINEL_PORT,
            directory: PathBuf::from("/tmp"),
            master,
            redis_port: REDIS_PORT,
            quorum,
            down_after,
            failover_timeout,
            config_epoch: epoch.unwrap_or_default(),
            redis_password: self.bag.get("redis-password").cloned(),
            sentinel_password: self.bag.get("sentinel-password").cloned(),
            id: Some(id_of(&self.names.unit(unit))),
            replicas,
            sentinels: sentinels.collect(),
            tls: false,
            extra: Vec::new(),
        }
    }
}

/// Whether the container's Pebble answers and knows no service: none was added since it started.
fn is_untold(pod: &Pod, container: &str) -> bool {
    if !pod.is_running(container) {
        return false;
    }
    let answer = Client::new(&pod.pebble_socket(container)).get("/v1/services");
    answer.is_ok_and(|answer| {
        let services = answer.json();
        services.pointer("/result").and_then(|it| it.as_array()).is_some_and(Vec::is_empty)
    })
}

/// What the leader has to have decided first.
const KEYS: [&str; 3] = ["redis-password", "sentinel-password", "leader-host"];

/// How long a fresh container may stay without its server.
const PAUSE: Duration = Duration::from_secs(1);
