//! What a writer is told, and what it says: both as lines of JSON.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::layout::Layout;
use crate::redis::server::SENTINEL_PORT;

/// Where and how to write. It holds passwords, so its Debug shows only the name.
#[derive(Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Writers of different names touch different keys.
    pub name: String,
    /// How it finds the master.
    pub habit: Habit,
    /// The hosts and ports of the Sentinels, asked in this order until one answers.
    pub sentinels: Vec<(String, u16)>,
    /// Sentinel's name for the master.
    pub group: String,
    /// The password of Redis; none means none.
    pub redis_password: Option<String>,
    /// The password of Sentinel; none means none.
    pub sentinel_password: Option<String>,
    /// The time from one write to the next, if the first is acknowledged by then.
    pub period: Duration,
    /// How many replicas have to have a write (`WAIT`) before it counts as acknowledged.
    pub replicas: u32,
}

/// How a client finds the master.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Habit {
    /// It asks Sentinel and makes a new connection for each write.
    AsksEachTime,
    /// It keeps its connection, and asks Sentinel again only after an error: it stays with an old
    /// master as long as that one answers.
    KeepsConnection,
}

impl Plan {
    /// A writer to a whole bed, every 10 ms, content when the master has a write.
    pub fn of(layout: &Layout, name: &str, habit: Habit) -> Self {
        let hosts = (0..layout.units).map(|unit| layout.names.host(unit));
        Self {
            name: name.to_owned(),
            habit,
            sentinels: hosts.map(|host| (host, SENTINEL_PORT)).collect(),
            group: layout.names.application.clone(),
            redis_password: layout.redis_password.clone(),
            sentinel_password: layout.sentinel_password.clone(),
            period: Duration::from_millis(10),
            replicas: 0,
        }
    }

    /// The same, content only when so many replicas have a write too.
    #[must_use]
    pub fn with_replicas(self, replicas: u32) -> Self {
        Self { replicas, ..self }
    }

    /// The key of a write; its value is the number.
    pub(crate) fn key(&self, number: u64) -> String {
        format!("writer:{}:{number}", self.name)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Plan").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the program is to do with a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Task {
    /// To write until its stdin ends.
    Write,
    /// To look for these writes, until the master answers.
    Find(Vec<u64>),
}

/// One line of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Line {
    /// A write, and when its outcome was known, since 1970.
    Write { at: Duration, number: u64, outcome: Outcome },
    /// The writes that are not there, in order.
    Missing(Vec<u64>),
    /// The master could not be asked; the program goes on trying.
    NotAsked(String),
}

/// What became of a write as its client knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was acknowledged by the master at this host.
    Acknowledged {
        /// The host as Sentinel names it.
        master: String,
    },
    /// It may or may not be there.
    Unknown {
        /// Why.
        reason: String,
    },
}
