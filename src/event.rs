//! What happened: one closed enum, parsed once from the environment.

use thiserror::Error;

use crate::env::HookEnv;

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
            "stop" => Self::Stop,
            "remove" => Self::Remove,
            hook => Self::Ignored { hook: hook.to_owned() },
        })
    }

    /// True for the events at which a deferred leader-elected runs again.
    pub fn replays_deferred(&self) -> bool {
        !matches!(self, Self::Action { .. } | Self::Stop | Self::Remove)
    }

    /// True where the run looks at the application: at the events of the leader's rules, and at any
    /// that runs a deferred leader-elected again.
    pub fn looks(&self, deferred: bool) -> bool {
        match self {
            Self::LeaderElected | Self::Start | Self::ConfigChanged | Self::UpdateStatus => true,
            Self::Ignored { .. } => deferred,
            Self::Action { .. } | Self::Stop | Self::Remove => false,
        }
    }

    /// True for an action, whose output Juju hands to the operator.
    pub fn is_action(&self) -> bool {
        matches!(self, Self::Action { .. })
    }
}
