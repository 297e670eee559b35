//! The text of redis.conf. It holds passwords: nothing of it belongs into a log or an argument.

use crate::names::REDIS_PORT;
use crate::render::places;
use crate::render::quoting::quoted;
use crate::world::password::Password;

/// What a Redis is started with.
#[derive(Clone, Debug)]
pub struct RedisConf {
    /// The unit's host name, which it announces.
    pub host: String,
    /// The host that it replicates; none makes it a master.
    pub master: Option<String>,
    /// `replica-priority`: 0 but for a candidate; the keeper raises it when the data are complete.
    pub priority: u32,
    /// `requirepass` and `masterauth`; none runs without, and then AUTH is an error.
    pub password: Option<Password>,
    /// How many units are planned.
    pub planned: usize,
    /// The container's limit, in bytes.
    pub memory_limit: Option<u64>,
    /// Whether it reads the append-only file. A volume with a dump and none is read from the dump:
    /// Redis would not look at it with `appendonly yes`.
    pub append_only: bool,
}

impl RedisConf {
    /// The text of the file.
    pub fn render(&self) -> String {
        let memory = Memory::of(self.memory_limit);
        let mut lines = vec![
            "bind * -::*".to_owned(),
            // With `enable-password` = `false` it would refuse everybody else.
            "protected-mode no".to_owned(),
            format!("port {REDIS_PORT}"),
            "daemonize no".to_owned(),
            format!("dir {}", quoted(places::DATA)),
            format!("pidfile {}", quoted(places::PID_FILE)),
            format!("logfile {}", quoted(places::REDIS_LOG)),
            format!("appendonly {}", if self.append_only { "yes" } else { "no" }),
            "save \"\"".to_owned(),
            format!("maxmemory {}", memory.most),
            format!("repl-backlog-size {}", memory.backlog),
            // Replicas of one deploy share a transfer, and none waits long for the others.
            "repl-diskless-sync-delay 1".to_owned(),
            format!("replica-announce-ip {}", quoted(&self.host)),
            format!("replica-announce-port {REDIS_PORT}"),
            format!("replica-priority {}", self.priority),
            format!("min-replicas-to-write {}", min_replicas(self.planned)),
            format!("min-replicas-max-lag {MAX_LAG}"),
        ];
        if let Some(password) = &self.password {
            let password = quoted(password.reveal());
            lines.push(format!("requirepass {password}"));
            lines.push(format!("masterauth {password}"));
        }
        if let Some(master) = &self.master {
            lines.push(format!("replicaof {} {REDIS_PORT}", quoted(master)));
        }
        lines.join("\n") + "\n"
    }
}

/// `min-replicas-to-write`: from three units on a master that is cut off takes no writes after
/// `MAX_LAG` seconds. With two it would turn a dead replica into a write stop.
pub fn min_replicas(planned: usize) -> u32 {
    u32::from(planned >= 3)
}

/// What Redis may use of a container's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// `maxmemory`, in bytes; 0 is no limit.
    pub most: u64,
    /// `repl-backlog-size`, in bytes.
    pub backlog: u64,
}

impl Memory {
    /// A child that writes the data down shares them with Redis, and what changes meanwhile is there
    /// twice; the buffers of replicas come on top. So two fifths of the container are kept free.
    pub fn of(limit: Option<u64>) -> Self {
        match limit {
            Some(limit) => {
                let most = (limit / 5 * 3).max(LEAST_MEMORY);
                Self { most, backlog: (most / 16).clamp(LEAST_BACKLOG, MOST_BACKLOG) }
            }
            None => Self { most: 0, backlog: BACKLOG_WITHOUT_LIMIT },
        }
    }
}

/// `min-replicas-max-lag`, in seconds.
const MAX_LAG: u32 = 10;

/// Redis itself needs 1 MB before there is a key.
const LEAST_MEMORY: u64 = 4 << 20;

/// Redis' own default.
const LEAST_BACKLOG: u64 = 1 << 20;

/// A minute of 4 MB/s: what a pod is away for when it is moved.
const MOST_BACKLOG: u64 = 256 << 20;

const BACKLOG_WITHOUT_LIMIT: u64 = 128 << 20;
