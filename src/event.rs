//! What happened: one closed enum, parsed once from the environment.

use thiserror::Error;

use crate::env::HookEnv;
use crate::names::PEER_ENDPOINT;
use crate::names::REDIS_CONTAINER;
use crate::names::SENTINEL_CONTAINER;
use crate::names::STORAGE;

/// One variant for each kind of event that the charm answers; a variant holds what its rules need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// This unit has become Juju's leader, or Juju says so again.
    LeaderElected,
    /// The unit's agent has started: a first deployment, a new pod, or a restart of the agent alone.
    Start,
    /// Configuration, trust or the service's address has changed.
    ConfigChanged,
    /// The tick that Juju sends about every five minutes.
    UpdateStatus,
    /// The charm's files are new: another revision, or another pod.
    UpgradeCharm,
    /// A workload container's Pebble answers: it has started, or Juju's agent has.
    PebbleReady {
        /// The container.
        container: String,
    },
    /// Somebody in a workload container gave a notice: the keeper rings.
    Notice {
        /// The container.
        container: String,
    },
    /// A check of Pebble has failed as often as it may, or has come right again: a server has ended, or
    /// come back.
    Check {
        /// The container.
        container: String,
    },
    /// A peer came, or a peer or the leader has written something.
    PeersChanged,
    /// A peer leaves, or has left; this unit is told so of every peer when it leaves itself.
    PeerDeparted,
    /// A volume is there.
    StorageAttached,
    /// A volume is about to be taken away: this unit is being removed.
    StorageDetaching,
    /// The pod is being stopped; it may come back.
    Stop,
    /// The unit is being removed.
    Remove,
    /// An operator runs an action.
    Action {
        /// The action's name.
        name: String,
    },
    /// A hook that the charm has nothing of its own to do for: a newer Juju may send new kinds.
    Ignored {
        /// The hook's name.
        hook: String,
    },
}

/// Why there is no event to answer.
#[derive(Debug, Error)]
pub enum EventError {
    /// The program was not started by Juju.
    #[error("JUJU_DISPATCH_PATH is not set: Juju runs this program once for every event")]
    OutsideJuju,
}

impl Event {
    /// Reads the event from its variables (Juju 3.6: `JUJU_DISPATCH_PATH` is `hooks/<name>` or
    /// `actions/<name>`; there is none in `juju exec` and outside Juju).
    pub fn from_env(env: &HookEnv) -> Result<Self, EventError> {
        let path = env.dispatch_path.as_deref().ok_or(EventError::OutsideJuju)?;
        if let Some(name) = path.strip_prefix("actions/") {
            return Ok(Self::Action { name: name.to_owned() });
        }
        Ok(match path.strip_prefix("hooks/").unwrap_or(path) {
            "leader-elected" => Self::LeaderElected,
            "start" => Self::Start,
            "config-changed" => Self::ConfigChanged,
            "update-status" => Self::UpdateStatus,
            "upgrade-charm" => Self::UpgradeCharm,
            "stop" => Self::Stop,
            "remove" => Self::Remove,
            hook => {
                Self::of_the_charm(hook).unwrap_or_else(|| Self::Ignored { hook: hook.to_owned() })
            }
        })
    }

    /// A hook that is named after something in `metadata.yaml`; those names may hold hyphens.
    fn of_the_charm(hook: &str) -> Option<Self> {
        let container = |end| {
            hook.strip_suffix(end).filter(|name| CONTAINERS.contains(name)).map(str::to_owned)
        };
        if let Some(container) = container("-pebble-ready") {
            return Some(Self::PebbleReady { container });
        }
        if let Some(container) = container("-pebble-custom-notice") {
            return Some(Self::Notice { container });
        }
        let check = container("-pebble-check-failed");
        if let Some(container) = check.or_else(|| container("-pebble-check-recovered")) {
            return Some(Self::Check { container });
        }
        if let Some(what) = hook.strip_prefix(PEER_ENDPOINT) {
            return match what {
                "-relation-created" | "-relation-joined" | "-relation-changed" => {
                    Some(Self::PeersChanged)
                }
                "-relation-departed" => Some(Self::PeerDeparted),
                _ => None,
            };
        }
        match hook.strip_prefix(STORAGE)? {
            "-storage-attached" => Some(Self::StorageAttached),
            "-storage-detaching" => Some(Self::StorageDetaching),
            _ => None,
        }
    }

    /// True for the events at which a deferred leader-elected runs again.
    pub fn replays_deferred(&self) -> bool {
        !matches!(self, Self::Action { .. } | Self::Stop | Self::Remove)
    }

    /// True where the run looks at this pod and the application: at the events that have rules, and at
    /// any that runs a deferred leader-elected again.
    pub fn looks(&self, deferred: bool) -> bool {
        match self {
            Self::LeaderElected
            | Self::Start
            | Self::ConfigChanged
            | Self::UpdateStatus
            | Self::UpgradeCharm
            | Self::PebbleReady { .. }
            | Self::Notice { .. }
            | Self::Check { .. }
            | Self::PeersChanged
            | Self::PeerDeparted
            | Self::StorageAttached
            | Self::StorageDetaching => true,
            Self::Ignored { .. } => deferred,
            Self::Action { .. } | Self::Stop | Self::Remove => false,
        }
    }

    /// True for an action, whose output Juju hands to the operator.
    pub fn is_action(&self) -> bool {
        matches!(self, Self::Action { .. })
    }
}

const CONTAINERS: [&str; 2] = [REDIS_CONTAINER, SENTINEL_CONTAINER];
