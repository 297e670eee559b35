//! One pod of a bed: a real Redis and a real Sentinel in namespaces of their own.
//!
//! The bed starts both itself and so plays the workload's part. A charm that runs its own workload
//! needs only `command`: whatever it starts in the pod is frozen, killed and ended with the pod too.

use std::ffi::OsStr;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

use nix::sys::signal::Signal;

use crate::answers::Answer;
use crate::answers::Role;
use crate::answers::SentinelView;
use crate::certificate;
use crate::error::BedError;
use crate::error::at_file;
use crate::layout::Layout;
use crate::namespace::Namespace;
use crate::network::Network;
use crate::processes;
use crate::redis_config::RedisConfig;
use crate::sentinel_config::SentinelConfig;
use crate::sentinel_config::id_of;
use crate::server::Server;
use crate::transcript::lock;

/// The port of Redis.
pub const REDIS_PORT: u16 = 6379;

/// The port of Sentinel.
pub const SENTINEL_PORT: u16 = 26379;

/// A pod; everything in it ends with the bed.
#[derive(Debug)]
pub struct Pod {
    unit: u32,
    host: String,
    directory: PathBuf,
    network: Arc<Network>,
    layout: Arc<Layout>,
    redis: Server,
    sentinel: Server,
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

impl Pod {
    /// A pod whose namespaces are there and in which nothing runs.
    pub(crate) fn new(
        unit: u32,
        network: Arc<Network>,
        layout: Arc<Layout>,
    ) -> Result<Self, BedError> {
        let name = network.names().pod(unit);
        let directory = network.pod(unit)?.directory().to_owned();
        for folder in ["data", "sentinel"] {
            let folder = directory.join(folder);
            fs::create_dir_all(&folder).map_err(at_file(&folder))?;
        }
        Ok(Self {
            unit,
            host: network.names().host(unit),
            redis: Server::new(&directory, "redis", &name, "Ready to accept connections"),
            sentinel: Server::new(&directory, "sentinel", &name, "Sentinel ID is"),
            passwords: Mutex::new(Passwords {
                redis: layout.redis_password.clone(),
                sentinel: layout.sentinel_password.clone(),
            }),
            directory,
            network,
            layout,
        })
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
        Ok(self.namespace()?.address())
    }

    /// Its namespaces now: another object after the pod was replaced.
    pub fn namespace(&self) -> Result<Arc<Namespace>, BedError> {
        self.network.pod(self.unit)
    }

    /// The folder of its Redis's data.
    pub fn data_directory(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The file of its Sentinel, which rewrites it.
    pub fn sentinel_file(&self) -> &Path {
        &self.sentinel.config
    }

    /// A command that runs inside the pod; see `Namespace::command`, and `command_in` there.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Result<Command, BedError> {
        Ok(self.namespace()?.command(program))
    }

    /// What the bed's Redis is configured with: a master, or a replica of another unit.
    pub fn redis_config(&self, replica_of: Option<u32>) -> RedisConfig {
        RedisConfig {
            host: self.host.clone(),
            port: REDIS_PORT,
            directory: self.data_directory(),
            password: self.layout.redis_password.clone(),
            replica_of: replica_of.map(|unit| self.network.names().host(unit)),
            append_only: self.layout.append_only,
            tls: self.layout.tls,
            extra: Vec::new(),
        }
    }

    /// What the bed's Sentinel is configured with: the master's unit and all units it is to know.
    pub fn sentinel_config(&self, master: u32, units: &[u32]) -> SentinelConfig {
        let names = self.network.names();
        let others = units.iter().filter(|unit| **unit != self.unit);
        let count = u32::try_from(units.len()).unwrap_or(u32::MAX);
        SentinelConfig {
            application: names.application.clone(),
            host: self.host.clone(),
            port: SENTINEL_PORT,
            directory: self.directory.join("sentinel"),
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
        self.redis.ready()
    }

    /// Starts Redis again from the file that it has.
    pub fn restart_redis(&self) -> Result<(), BedError> {
        self.begin(&self.redis, &[])?;
        self.redis.ready()
    }

    /// Writes sentinel.conf and starts Sentinel; it serves when this returns.
    pub fn start_sentinel(&self, config: &SentinelConfig) -> Result<(), BedError> {
        self.begin_sentinel(config)?;
        self.sentinel.ready()
    }

    /// Starts Sentinel again from the file that it left.
    pub fn restart_sentinel(&self) -> Result<(), BedError> {
        self.begin(&self.sentinel, &["--sentinel"])?;
        self.sentinel.ready()
    }

    pub(crate) fn begin_redis(&self, config: &RedisConfig) -> Result<(), BedError> {
        self.redis.write_config(&config.render())?;
        lock(&self.passwords).redis.clone_from(&config.password);
        self.begin(&self.redis, &[])
    }

    pub(crate) fn begin_sentinel(&self, config: &SentinelConfig) -> Result<(), BedError> {
        self.sentinel.write_config(&config.render())?;
        lock(&self.passwords).sentinel.clone_from(&config.sentinel_password);
        self.begin(&self.sentinel, &["--sentinel"])
    }

    fn begin(&self, server: &Server, options: &[&str]) -> Result<(), BedError> {
        let namespace = self.namespace()?;
        let mut command = namespace.command(&self.network.ground().programs.redis_server);
        command.arg(&server.config).args(options);
        server.begin(&namespace, command)
    }

    pub(crate) fn synced(&self) -> Result<(), BedError> {
        self.redis.says("MASTER <-> REPLICA sync: Finished with success")
    }

    pub(crate) fn ready(&self) -> Result<(), BedError> {
        self.redis.ready()?;
        self.sentinel.ready()
    }

    /// Stops Redis with SIGTERM and waits for its end.
    pub fn stop_redis(&self) -> Result<(), BedError> {
        self.redis.end(Signal::SIGTERM)
    }

    /// Stops Sentinel with SIGTERM and waits for its end.
    pub fn stop_sentinel(&self) -> Result<(), BedError> {
        self.sentinel.end(Signal::SIGTERM)
    }

    /// Kills Redis; connections to its port are refused.
    pub fn kill_redis(&self) -> Result<(), BedError> {
        self.redis.end(Signal::SIGKILL)
    }

    /// Kills Sentinel; connections to its port are refused.
    pub fn kill_sentinel(&self) -> Result<(), BedError> {
        self.sentinel.end(Signal::SIGKILL)
    }

    /// Kills everything in the pod at once. Its address stays: connections are refused, not dropped
    /// (`Bed::remove` takes the address away too).
    pub fn kill(&self) -> Result<(), BedError> {
        self.namespace()?.kill_processes()
    }

    /// Freezes Redis.
    pub fn freeze_redis(&self) {
        self.redis.signal(Signal::SIGSTOP);
    }

    /// Freezes Sentinel.
    pub fn freeze_sentinel(&self) {
        self.sentinel.signal(Signal::SIGSTOP);
    }

    /// Freezes everything in the pod.
    pub fn freeze(&self) -> Result<(), BedError> {
        self.signal_all(Signal::SIGSTOP)
    }

    /// Thaws everything in the pod.
    pub fn thaw(&self) -> Result<(), BedError> {
        self.signal_all(Signal::SIGCONT)
    }

    fn signal_all(&self, signal: Signal) -> Result<(), BedError> {
        for process in self.namespace()?.processes() {
            processes::send(process, signal);
        }
        Ok(())
    }

    /// Empties the data folder; Redis has to be down.
    pub fn wipe_data(&self) -> Result<(), BedError> {
        let data = self.data_directory();
        fs::remove_dir_all(&data).map_err(at_file(&data))?;
        fs::create_dir_all(&data).map_err(at_file(&data))
    }

    /// Tells the bed what to log in with from now on, after a test changed the passwords.
    pub fn use_passwords(&self, redis: Option<String>, sentinel: Option<String>) {
        *lock(&self.passwords) = Passwords { redis, sentinel };
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
        let namespace = self.namespace()?;
        // A frozen server accepts and never answers.
        let mut command = namespace.command("timeout");
        command.args(["--foreground", seconds]).arg(&self.network.ground().programs.redis_cli);
        command.args(["--json", "--no-auth-warning", "-p", &port.to_string()]);
        if self.layout.tls {
            command.arg("--tls").arg("--cacert").arg(certificate::certificate());
        }
        let password = {
            let passwords = lock(&self.passwords);
            let of_port =
                if port == SENTINEL_PORT { &passwords.sentinel } else { &passwords.redis };
            of_port.clone()
        };
        if let Some(password) = password {
            command.env("REDISCLI_AUTH", password);
        }
        // Answers are of any number of lines; what follows each is not.
        let marked = commands.iter().map(|command| format!("{command}\nPING {MARK}\n"));
        let output = namespace.run(&mut command, &marked.collect::<String>())?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let end = format!("\"{MARK}\"\n");
        let mut answers: Vec<_> = stdout.split(&end).map(Answer::parse).collect();
        // What follows the last mark is nothing.
        answers.pop();
        if answers.len() == commands.len() {
            return Ok(answers);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let silence = if output.status.code() == Some(124) { "nothing in time" } else { "" };
        Err(self.no_answer(port, &commands.join("; "), format!("{stdout}{stderr}{silence}")))
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
        let group = &self.layout.names.application;
        let commands = [
            format!("SENTINEL GET-MASTER-ADDR-BY-NAME {group}"),
            format!("SENTINEL MASTER {group}"),
            format!("SENTINEL REPLICAS {group}"),
            format!("SENTINEL SENTINELS {group}"),
        ];
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
        let answer = format!("{answer:?}; its log ends:\n{}", server.log_tail());
        BedError::Answer { server: server.title.clone(), command: command.to_owned(), answer }
    }

    /// Everything that Redis has logged.
    pub fn redis_log(&self) -> String {
        self.redis.log_text()
    }

    /// Everything that Sentinel has logged.
    pub fn sentinel_log(&self) -> String {
        self.sentinel.log_text()
    }

    /// The last lines of both logs, for the error of a wait.
    pub fn log_tails(&self) -> String {
        format!("{}\n{}", self.redis.log_tail(), self.sentinel.log_tail())
    }
}

const MARK: &str = "end-of-answer";
