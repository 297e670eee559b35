//! One thing that happened in a run, as a plain value.

use std::time::Duration;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Since the run began.
    #[serde(with = "seconds")]
    pub at: Duration,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of things that happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// A unit's agent started to run the charm.
    EventBegan {
        /// The unit.
        unit: String,
        /// `start`, `redis-peers-relation-changed`, an action's name, `juju-exec`.
        event: String,
        /// What the event is about, if it is about something: a remote unit, a notice, an action's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
    /// The charm's process ended, and its changes were kept or dropped.
    EventEnded {
        /// The unit.
        unit: String,
        /// As in `EventBegan`.
        event: String,
        /// How the process ended.
        exit: Exit,
        /// What became of its changes.
        commit: Commit,
        /// From start to exit.
        #[serde(with = "seconds")]
        took: Duration,
    },
    /// A hook tool was answered, or never will be.
    Tool {
        /// The unit.
        unit: String,
        /// Name and arguments.
        argv: Vec<String>,
        /// Its exit code; nothing if it was never answered.
        exit: Option<u8>,
        /// From the call's arrival to its answer.
        #[serde(with = "seconds")]
        took: Duration,
    },
    /// A line of the model's log: by `juju-log`, or an agent's own.
    Log {
        /// The unit.
        unit: String,
        /// `INFO`, `ERROR`, ..
        level: String,
        /// The text.
        message: String,
    },
    /// A key of a databag changed at a commit.
    Databag {
        /// The relation's number.
        relation: u32,
        /// The endpoint of the side that wrote it.
        endpoint: String,
        /// The unit or application whose databag it is.
        of: String,
        /// The key.
        key: String,
        /// Its new value; nothing when the key is gone.
        value: Option<String>,
    },
    /// A workload or application status was set.
    Status {
        /// The unit or application.
        of: String,
        /// `active`, `blocked`, ..
        status: String,
        /// The text beside it.
        message: String,
    },
    /// An application has another leader, or none.
    Leader {
        /// The application.
        application: String,
        /// The unit that holds the lease now.
        unit: Option<String>,
    },
    /// An action ended. Its results are not kept: they may hold what nobody else may see.
    Action {
        /// The unit.
        unit: String,
        /// Its name.
        action: String,
        /// `completed`, `failed`, `cancelled`.
        status: String,
        /// Why it failed.
        message: String,
    },
    /// A unit's life went on: `alive`, `dying`, `dead`, `removed`.
    Life {
        /// The unit or application.
        of: String,
        /// What it is now.
        life: String,
    },
    /// Something befell a pod.
    Pod {
        /// The unit whose pod it is.
        unit: String,
        /// What.
        change: PodChange,
    },
    /// Something befell a container or its Pebble.
    Container {
        /// The unit whose pod it is in.
        unit: String,
        /// Its name.
        container: String,
        /// What, in a word or a few: `started`, `ended (exit 137)`.
        change: String,
    },
    /// A Pebble service changed.
    Service {
        /// The unit.
        unit: String,
        /// The container.
        container: String,
        /// The service.
        service: String,
        /// `active`, `inactive`, `backoff`, `error`.
        change: String,
    },
    /// A Sentinel said something on its channel.
    Sentinel {
        /// The unit whose Sentinel it is.
        unit: String,
        /// `+sdown`, `+switch-master`, ..
        event: String,
        /// What follows.
        message: String,
    },
    /// The Kubernetes API was asked something.
    Api {
        /// The application whose account asked; empty for a token that is nobody's.
        application: String,
        /// Method and path, and what was sent.
        asked: String,
        /// The status of HTTP that it was answered with.
        status: u16,
    },
    /// Somebody broke something on purpose, or ended that.
    Fault {
        /// What, as an operator says it: `kill redis-k8s/0 redis redis-server`.
        what: String,
    },
    /// The operator did something.
    Operator {
        /// The command.
        command: String,
    },
}

/// What befalls a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum PodChange {
    /// Its containers start.
    Created {
        /// Its address.
        address: String,
    },
    /// All its containers are ready.
    Ready,
    /// One of its containers is no longer ready.
    Unready,
    /// SIGTERM to all its containers; the grace period runs.
    Terminating,
    /// SIGKILL: its time was up, or it was struck.
    Killed,
    /// Nothing of it is left but its volumes.
    Gone,
}

/// How a hook's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// With that code.
    Code(i32),
    /// By that signal.
    Signal(i32),
}

/// What became of a hook's changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Commit {
    /// All kept.
    Committed,
    /// All dropped, as the hook failed.
    Discarded,
    /// All dropped, as the controller refused them, with its text.
    Refused(String),
}

/// Durations as seconds, to the microsecond.
mod seconds {
    use super::Deserialize;
    use super::Deserializer;
    use super::Duration;
    use super::Serializer;

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64((time.as_secs_f64() * 1e6).round() / 1e6)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}
