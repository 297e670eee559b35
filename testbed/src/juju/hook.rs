//! A hook to run: for whom, why, and what is to go wrong on the way.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;

/// One hook, action or `juju exec` of a unit.
#[derive(Clone, Debug)]
pub struct Hook {
    pub(crate) unit: String,
    pub(crate) kind: Kind,
    pub(crate) relation: Option<(u32, Happening)>,
    pub(crate) delivered: BTreeMap<u32, Vec<String>>,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) loses_leadership_at_commit: bool,
}

/// What Juju runs the charm for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A hook by its name.
    Hook(String),
    /// An action: name and id.
    Action { name: String, id: String },
    /// A command of `juju exec`, whose changes are kept whatever its exit code.
    Exec,
}

/// What a relation hook is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// `-relation-created`.
    Created,
    /// `-relation-joined`.
    Joined {
        /// The remote unit.
        unit: String,
    },
    /// `-relation-changed`, of a unit's databag.
    Changed {
        /// The remote unit.
        unit: String,
    },
    /// `-relation-changed`, of the other application's databag (in a peer relation, the own).
    ApplicationChanged,
    /// `-relation-departed`.
    Departed {
        /// The unit that leaves the view of this one.
        unit: String,
        /// `JUJU_DEPARTING_UNIT`: the own unit when it is itself on its way out.
        departing: String,
    },
    /// `-relation-broken`.
    Broken,
}

/// Something that goes wrong when a hook makes its n-th tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The call that it strikes, counted from 1.
    pub at_call: usize,
    /// What happens.
    pub kind: FaultKind,
}

/// What can go wrong with a tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The tool does nothing but end with that code and `ERROR` with the text.
    Exit(u8, String),
    /// The tool is never answered.
    Hang,
    /// The tool does nothing, prints what is no JSON and ends with 0.
    Garbage,
    /// SIGKILL to the hook's process group; the call has no effect.
    KillHook,
    /// SIGTERM to the hook's process group, the tool included, as when its container is stopped.
    /// The call has its effect, as Juju had it before.
    TerminateHook,
    /// Nobody holds the lease from now on; then the call is answered.
    LoseLeadership,
    /// The call is answered only after `RunningHook::release`.
    Hold,
}

impl Hook {
    /// A hook by its name: `start`, `config-changed`, `leader-elected`, ..
    pub fn new(unit: &str, name: &str) -> Self {
        Self::of(unit, Kind::Hook(name.to_owned()))
    }

    /// `<container>-pebble-ready`.
    pub fn pebble_ready(unit: &str, container: &str) -> Self {
        Self::new(unit, &format!("{container}-pebble-ready"))
            .variable("JUJU_WORKLOAD_NAME", container)
    }

    /// A hook of the relation of that number, whose name follows from the model.
    pub fn relation(unit: &str, relation: u32, happening: Happening) -> Self {
        let mut hook = Self::new(unit, "");
        hook.relation = Some((relation, happening));
        hook
    }

    /// An action without parameters.
    pub fn action(unit: &str, name: &str, id: &str) -> Self {
        Self::of(unit, Kind::Action { name: name.to_owned(), id: id.to_owned() })
    }

    /// Adds a parameter of the action.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: Value) -> Self {
        self.parameters.insert(name.to_owned(), value);
        self
    }

    /// A command of `juju exec`.
    pub fn exec(unit: &str) -> Self {
        Self::of(unit, Kind::Exec)
    }

    /// Adds a fault.
    #[must_use]
    pub fn fault(mut self, at_call: usize, kind: FaultKind) -> Self {
        self.faults.push(Fault { at_call, kind });
        self
    }

    /// Takes the lease away between the exit of the hook and its commit.
    #[must_use]
    pub fn lose_leadership_at_commit(mut self) -> Self {
        self.loses_leadership_at_commit = true;
        self
    }

    /// Says which members of a relation events have delivered so far, if not all in scope.
    #[must_use]
    pub fn delivered(mut self, relation: u32, units: &[&str]) -> Self {
        let units = units.iter().map(|&unit| unit.to_owned()).collect();
        self.delivered.insert(relation, units);
        self
    }

    /// Adds an environment variable, or replaces one.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn of(unit: &str, kind: Kind) -> Self {
        Self {
            unit: unit.to_owned(),
            kind,
            relation: None,
            delivered: BTreeMap::new(),
            parameters: Map::new(),
            variables: Vec::new(),
            faults: Vec::new(),
            loses_leadership_at_commit: false,
        }
    }
}

impl Kind {
    /// The word for it in logs and errors.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Hook(name) | Self::Action { name, .. } => name,
            Self::Exec => "juju-exec",
        }
    }
}

impl Happening {
    /// The last word of the hook's name.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Joined { .. } => "joined",
            Self::Changed { .. } | Self::ApplicationChanged => "changed",
            Self::Departed { .. } => "departed",
            Self::Broken => "broken",
        }
    }

    /// The unit that it is about; empty when it is about an application.
    pub(crate) fn remote_unit(&self) -> &str {
        match self {
            Self::Joined { unit } | Self::Changed { unit } | Self::Departed { unit, .. } => unit,
            Self::Created | Self::ApplicationChanged | Self::Broken => "",
        }
    }
}
