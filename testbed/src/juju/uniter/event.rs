//! What a unit's agent runs the charm for, as its record holds it.

use crate::juju::hook::Happening;
use crate::juju::hook::Hook;
use crate::juju::model::secret::events::SecretEvent;

/// An event that becomes a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// About the unit itself.
    Unit(UnitEvent),
    /// About a relation.
    Relation(RelationEvent),
    /// About a workload container.
    Workload(WorkloadEvent),
    /// About a storage instance.
    Storage(StorageEvent),
    /// About a secret.
    Secret(SecretEvent),
}

/// The events that are about the unit itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnitEvent {
    Install,
    LeaderElected,
    LeaderSettingsChanged,
    ConfigChanged,
    Start,
    UpgradeCharm,
    UpdateStatus,
    Stop,
    Remove,
}

/// An event of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RelationEvent {
    pub(crate) relation: u32,
    pub(crate) endpoint: String,
    pub(crate) happening: Happening,
    /// Empty where the agent does not know it.
    pub(crate) remote_application: String,
    /// The version of the databag that the event delivers.
    pub(crate) version: u64,
}

/// An event of a workload container, seen by the agent's threads that watch Pebble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkloadEvent {
    /// By which the watching thread learns what became of it.
    pub(crate) ticket: u64,
    pub(crate) container: String,
    pub(crate) signal: Signal,
}

/// What Pebble has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// It has started.
    Ready,
    /// Somebody has recorded a notice.
    Notice { id: String, key: String },
    /// A check has failed as often as its threshold says.
    CheckFailed { check: String },
    /// That check has succeeded again.
    CheckRecovered { check: String },
}

/// An event of a storage instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StorageEvent {
    /// `<storage>/<number>`.
    pub(crate) id: String,
    /// Where the charm has it, and what it is; nothing while it is not provisioned.
    pub(crate) place: Option<(String, &'static str)>,
    /// Whether it comes or goes.
    pub(crate) is_attached: bool,
}

impl UnitEvent {
    fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::LeaderElected => "leader-elected",
            Self::LeaderSettingsChanged => "leader-settings-changed",
            Self::ConfigChanged => "config-changed",
            Self::Start => "start",
            Self::UpgradeCharm => "upgrade-charm",
            Self::UpdateStatus => "update-status",
            Self::Stop => "stop",
            Self::Remove => "remove",
        }
    }
}

impl From<UnitEvent> for Event {
    fn from(event: UnitEvent) -> Self {
        Self::Unit(event)
    }
}

impl Event {
    /// The hook's name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Unit(event) => event.word().to_owned(),
            Self::Relation(event) => {
                format!("{}-relation-{}", event.endpoint, event.happening.word())
            }
            Self::Workload(event) => format!("{}-{}", event.container, event.signal.suffix()),
            Self::Storage(event) => {
                let name = event.id.split_once('/').map_or(event.id.as_str(), |(name, _)| name);
                let word = if event.is_attached { "attached" } else { "detaching" };
                format!("{name}-storage-{word}")
            }
            Self::Secret(event) => event.hook().to_owned(),
        }
    }

    /// What it is about, if it is about something that its name does not tell.
    pub(crate) fn about(&self) -> Option<String> {
        match self {
            Self::Unit(_) => None,
            Self::Relation(event) => {
                let unit = event.happening.remote_unit();
                (!unit.is_empty()).then(|| unit.to_owned())
            }
            Self::Workload(event) => event.signal.about(),
            Self::Storage(event) => Some(event.id.clone()),
            Self::Secret(event) => Some(event.id.clone()),
        }
    }

    /// The hook of it, with the variables of its kind.
    pub(crate) fn hook(&self, unit: &str) -> Hook {
        let name = self.name();
        match self {
            Self::Unit(_) => Hook::new(unit, &name),
            Self::Relation(event) => Hook::relation(unit, event.relation, event.happening.clone())
                .variable("JUJU_REMOTE_APP", &event.remote_application),
            Self::Workload(event) => {
                let hook = Hook::new(unit, &name).variable("JUJU_WORKLOAD_NAME", &event.container);
                event.signal.add_variables(hook)
            }
            Self::Storage(event) => {
                let hook = Hook::new(unit, &name);
                match &event.place {
                    None => hook,
                    Some((location, kind)) => hook
                        .variable("JUJU_STORAGE_ID", &event.id)
                        .variable("JUJU_STORAGE_LOCATION", location)
                        .variable("JUJU_STORAGE_KIND", kind),
                }
            }
            Self::Secret(event) => {
                let variables = event.variables();
                variables
                    .iter()
                    .fold(Hook::new(unit, &name), |hook, (name, value)| hook.variable(name, value))
            }
        }
    }

    /// Whether it is about a workload container: such hooks fail in a way of their own.
    pub(crate) fn is_workload(&self) -> bool {
        matches!(self, Self::Workload(_))
    }
}

impl Signal {
    fn suffix(&self) -> &'static str {
        match self {
            Self::Ready => "pebble-ready",
            Self::Notice { .. } => "pebble-custom-notice",
            Self::CheckFailed { .. } => "pebble-check-failed",
            Self::CheckRecovered { .. } => "pebble-check-recovered",
        }
    }

    fn about(&self) -> Option<String> {
        match self {
            Self::Ready => None,
            Self::Notice { key, .. } => Some(key.clone()),
            Self::CheckFailed { check } | Self::CheckRecovered { check } => Some(check.clone()),
        }
    }

    fn add_variables(&self, hook: Hook) -> Hook {
        match self {
            Self::Ready => hook,
            Self::Notice { id, key } => hook
                .variable("JUJU_NOTICE_ID", id)
                .variable("JUJU_NOTICE_TYPE", "custom")
                .variable("JUJU_NOTICE_KEY", key),
            Self::CheckFailed { check } | Self::CheckRecovered { check } => {
                hook.variable("JUJU_PEBBLE_CHECK_NAME", check)
            }
        }
    }
}
