//! One pod of a bed with a real Redis and a real Sentinel, each in a container of its own.
//!
//! The bed starts both itself, as services of the containers' Pebbles, and so plays the workload's part.
//! The charm container sees none of them: a hook that is run there leaves the servers to the bed.

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

use nix::sys::signal::Signal;

use crate::error::BedError;
use crate::layout::Layout;
use crate::lock::lock;
use crate::network::Network;
use crate::pod::CHARM;
use crate::pod::Pod;
use crate::pod::spec::PodSpec;
use crate::redis::answers::Answer;
use crate::redis::answers::Role;
use crate::redis::answers::SentinelView;
use crate::redis::client::Client;
use crate::redis::client::Said;
use crate::redis::redis_config::RedisConfig;
use crate::redis::sentinel_config::SentinelConfig;
use crate::redis::sentinel_config::id_of;
use crate::redis::server::REDIS_PORT;
use crate::redis::server::SENTINEL_PORT;
use crate::redis::service::Service;

/// A pod with Redis and Sentinel; everything in it ends with the bed.
#[derive(Debug)]
pub struct RedisPod {
    unit: u32,
    name: String,
    host: String,
    network: Arc<Network>,
    layout: Arc<Layout>,
    redis: Service,
    sentinel: Service,
    passwords: Mutex<Passwords>,
}

/// What the bed itself logs in with.
struct Passwords {
    redis: Option<String>,
    sentinel: Option<String>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

impl RedisPod {
    /// What the pod of a unit is: the containers and the storage of the charm.
    pub(crate) fn spec(unit: u32, layout: &Layout) -> PodSpec {
        let mut spec = PodSpec::new(layout.names.clone(), unit, &[REDIS, SENTINEL]).with_storage(
            STORAGE,
            DATA,
            &[REDIS],
        );
        spec.shown.clone_from(&layout.shown);
        spec.can_slow_disk = layout.can_slow_disk;
        // The bed itself runs the servers.
        spec.hides_pebbles = true;
        spec
    }

    /// The servers of a pod that is there, neither of which runs.
    pub(crate) fn new(unit: u32, network: Arc<Network>, layout: Arc<Layout>) -> Self {
        let name = layout.names.pod(unit);
        Self {
            unit,
            host: layout.names.host(unit),
            redis: Service::new(&name, REDIS, "redis-server", "Ready to accept connections"),
            sentinel: Service::new(&name, SENTINEL, "redis-sentinel", "Sentinel ID is"),
            passwords: Mutex::new(Passwords {
                redis: layout.redis_password.clone(),
                sentinel: layout.sentinel_password.clone(),
            }),
            name,
            network,
            layout,
        }
    }

    /// The number of the unit.
    pub fn unit(&self) -> u32 {
        self.unit
    }

    /// The full name that the pods know it by.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its address now.
    pub fn address(&self) -> Result<Ipv4Addr, BedError> {
        Ok(self.pod()?.address())
    }

    /// The pod itself, as it is now: another object after it was replaced.
    pub fn pod(&self) -> Result<Arc<Pod>, BedError> {
        self.network.pod(&self.name)
    }

    /// A command that runs inside the charm container; see `Pod::command`, and `command_in` there.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Result<Command, BedError> {
        Ok(self.pod()?.command(CHARM, program))
    }

    /// What the bed's Redis is configured with: a master, or a replica of another unit.
    pub fn redis_config(&self, replica_of: Option<u32>) -> RedisConfig {
        RedisConfig {
            host: self.host.clone(),
            port: REDIS_PORT,
            directory: PathBuf::from(DATA),
            password: self.layout.redis_password.clone(),
            replica_of: replica_of.map(|unit| self.layout.names.host(unit)),
            append_only: self.layout.append_only,
            tls: self.layout.tls,
            extra: Vec::new(),
        }
    }

    /// What the bed's Sentinel is configured with: the master's unit and all units it is to know.
    pub fn sentinel_config(&self, master: u32, units: &[u32]) -> SentinelConfig {
        let names = &self.layout.names;
        let others = units.iter().filter(|unit| **unit != self.unit);
        let count = u32::try_from(units.len()).unwrap_or(u32::MAX);
        SentinelConfig {
            application: names.application.clone(),
            host: self.host.clone(),
            port: SENTINEL_PORT,
            directory: PathBuf::from("/tmp"),
            master: names.host(master),
            redis_port: REDIS_PORT,
            quorum: count / 2 + 1,
            down_after: self.layout.down_after,
            failover_timeout: self.layout.failover_timeout,
            config_epoch: 0,
            redis_password: self.layout.redis_password.clone(),
            sentinel_password: self.layout.sentinel_password.clone(),
            id: Some(id_of(&names.unit(self.unit))),
            replicas: units
                .iter()
                .filter(|unit| **unit != master)
                .map(|unit| names.host(*unit))
                .collect(),
            sentinels: others.map(|unit| (names.host(*unit), id_of(&names.unit(*unit)))).collect(),
            tls: self.layout.tls,
            extra: Vec::new(),
        }
    }

    /// Writes redis.conf and starts Redis; it serves when this returns.
    pub fn start_redis(&self, config: &RedisConfig) -> Result<(), BedError> {
        self.begin_redis(config)?;
        self.redis.ready(&*self.pod()?)
    }

    /// Writes sentinel.conf and starts Sentinel; it serves when this returns.
    pub fn start_sentinel(&self, config: &SentinelConfig) -> Result<(), BedError> {
        self.begin_sentinel(config)?;
        self.sentinel.ready(&*self.pod()?)
    }

    /// Starts Sentinel again from the file that it left, which is lost with its container.
    pub fn restart_sentinel(&self) -> Result<(), BedError> {
        let pod = self.pod()?;
        self.sentinel.begin(&pod)?;
        self.sentinel.ready(&pod)
    }

    pub(crate) fn begin_redis(&self, config: &RedisConfig) -> Result<(), BedError> {
        let pod = self.pod()?;
        self.redis.write_config(&pod, &config.render())?;
        lock(&self.passwords).redis.clone_from(&config.password);
        self.redis.begin(&pod)
    }

    pub(crate) fn begin_sentinel(&self, config: &SentinelConfig) -> Result<(), BedError> {
        let pod = self.pod()?;
        self.sentinel.write_config(&pod, &config.render())?;
        lock(&self.passwords).sentinel.clone_from(&config.sentinel_password);
        self.sentinel.begin(&pod)
    }

    pub(crate) fn synced(&self) -> Result<(), BedError> {
        self.redis.says(&*self.pod()?, "MASTER <-> REPLICA sync: Finished with success")
    }

    pub(crate) fn ready(&self) -> Result<(), BedError> {
        let pod = self.pod()?;
        self.redis.ready(&pod)?;
        self.sentinel.ready(&pod)
    }

    /// Stops Sentinel with SIGTERM and waits for its end.
    pub fn stop_sentinel(&self) -> Result<(), BedError> {
        self.sentinel.end(&*self.pod()?, Signal::SIGTERM)
    }

    /// Kills Redis; connections to its port are refused.
    pub fn kill_redis(&self) -> Result<(), BedError> {
        self.redis.end(&*self.pod()?, Signal::SIGKILL)
    }

    /// Kills Sentinel; connections to its port are refused.
    pub fn kill_sentinel(&self) -> Result<(), BedError> {
        self.sentinel.end(&*self.pod()?, Signal::SIGKILL)
    }

    /// Empties the volume of the data; Redis has to be down.
    pub fn wipe_data(&self) -> Result<(), BedError> {
        self.network.volume(&self.name, STORAGE).wipe()
    }

    /// Kills every process in the pod but those that keep its containers. Its address stays:
    /// connections are refused, not dropped (`Bed::remove` takes the address away too).
    pub fn kill(&self) -> Result<(), BedError> {
        self.pod()?.kill_processes()
    }

    /// Freezes Redis.
    pub fn freeze_redis(&self) {
        self.signal(&self.redis, Signal::SIGSTOP);
    }

    /// Freezes Sentinel.
    pub fn freeze_sentinel(&self) {
        self.signal(&self.sentinel, Signal::SIGSTOP);
    }

    fn signal(&self, server: &Service, signal: Signal) {
        if let Ok(pod) = self.pod() {
            server.signal(&pod, signal);
        }
    }

    /// Freezes everything in the pod.
    pub fn freeze(&self) -> Result<(), BedError> {
        self.pod()?.freeze();
        Ok(())
    }

    /// Thaws everything in the pod.
    pub fn thaw(&self) -> Result<(), BedError> {
        self.pod()?.thaw();
        Ok(())
    }

    /// One command to this pod's Redis, as typed into `redis-cli`. An error of the server is an error.
    pub fn redis(&self, command: &str) -> Result<Answer, BedError> {
        self.ask_one(REDIS_PORT, command)
    }

    /// One command to this pod's Sentinel, as typed into `redis-cli`. An error of the server is an error.
    pub fn sentinel(&self, command: &str) -> Result<Answer, BedError> {
        self.ask_one(SENTINEL_PORT, command)
    }

    /// Several commands to one of this pod's ports in one call; errors of the server are answers.
    /// All together may take 10 s, and none may change what PING answers (MULTI, SUBSCRIBE).
    pub fn ask(&self, port: u16, commands: &[&str]) -> Result<Vec<Answer>, BedError> {
        self.ask_within("10", port, commands)
    }

    fn ask_within(
        &self,
        seconds: &str,
        port: u16,
        commands: &[&str],
    ) -> Result<Vec<Answer>, BedError> {
        let password = {
            let passwords = lock(&self.passwords);
            let of_port =
                if port == SENTINEL_PORT { &passwords.sentinel } else { &passwords.redis };
            of_port.clone()
        };
        let client = Client { port, password, tls: self.layout.tls };
        match client.ask(&*self.pod()?, CHARM, seconds, commands)? {
            Said::All(answers) => Ok(answers),
            Said::Less(text) => Err(self.no_answer(port, &commands.join("; "), text)),
        }
    }

    fn ask_one(&self, port: u16, command: &str) -> Result<Answer, BedError> {
        match self.ask(port, &[command])?.pop() {
            Some(Answer::Error(error)) => Err(self.no_answer(port, command, error)),
            Some(answer) => Ok(answer),
            None => Err(self.no_answer(port, command, String::new())),
        }
    }

    /// What this pod's Sentinel knows.
    pub fn sentinel_view(&self) -> Result<SentinelView, BedError> {
        let commands = SentinelView::questions(&self.layout.names.application);
        let answers =
            self.ask_within("2", SENTINEL_PORT, &commands.each_ref().map(String::as_str))?;
        SentinelView::parse(&answers)
            .ok_or_else(|| self.no_answer(SENTINEL_PORT, "its view", format!("{answers:?}")))
    }

    /// What this pod's Redis says of its role.
    pub fn redis_role(&self) -> Result<Role, BedError> {
        let answers = self.ask_within("2", REDIS_PORT, &["ROLE"])?;
        let role = answers.first().and_then(Role::parse);
        role.ok_or_else(|| self.no_answer(REDIS_PORT, "ROLE", format!("{answers:?}")))
    }

    fn no_answer(&self, port: u16, command: &str, answer: String) -> BedError {
        let server = if port == SENTINEL_PORT { &self.sentinel } else { &self.redis };
        let answer = format!("{answer:?}; its log ends:\n{}", self.log_tail(server));
        BedError::Answer { server: server.title.clone(), command: command.to_owned(), answer }
    }

    /// Everything that Redis and its Pebble have logged.
    pub fn redis_log(&self) -> String {
        self.pod().map(|pod| self.redis.own_log(&pod)).unwrap_or_default()
    }

    /// Everything that Sentinel and its Pebble have logged.
    pub fn sentinel_log(&self) -> String {
        self.pod().map(|pod| self.sentinel.own_log(&pod)).unwrap_or_default()
    }

    /// The last lines of both logs, for the error of a wait.
    pub fn log_tails(&self) -> String {
        format!("{}\n{}", self.log_tail(&self.redis), self.log_tail(&self.sentinel))
    }

    fn log_tail(&self, server: &Service) -> String {
        self.pod().map(|pod| server.log_tail(&pod)).unwrap_or_default()
    }
}

/// The containers, which are named as their services.
const REDIS: &str = "redis";

const SENTINEL: &str = "sentinel";

const STORAGE: &str = "database";

/// Where the charm and Redis have the storage.
const DATA: &str = "/var/lib/redis";
