//! Where Juju's versions differ, or its order of events is open: one place to choose.

use serde::Deserialize;
use serde::Serialize;

/// How the model behaves where there is more than one way.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Switches {
    /// What `JUJU_VERSION` says, and which variables the environment has beside it.
    pub juju: Juju,
    /// When the units that stay are told that another one leaves.
    pub departures: Departures,
    /// Whether units that do not lead get `leader-settings-changed`, as before Juju 4.
    pub leader_settings_changed: bool,
    /// When a dying leader's lease ends.
    pub lease_ends: LeaseEnds,
    /// When `storage-attached` comes in a first deploy.
    pub storage_attached: StorageAttached,
    /// Whether `<container>-pebble-ready` waits for anything in a first deploy.
    pub pebble_ready: PebbleReady,
    /// What a unit does first when SIGTERM has killed its hook.
    pub at_termination: AtTermination,
    /// Whether a leaving unit whose agent has restarted runs `-relation-broken` for its peer
    /// relation too, as the agent no longer knows which relation is a peer relation.
    pub peer_broken_after_restart: bool,
    /// Whether a dying unit is taken for dead as soon as it is in no relation and has no storage, so
    /// that its `stop` and `remove` may be missed: Juju 4's removal job does so. As no unit leaves a
    /// peer relation by itself, a charm with one meets this after a peer `-broken` only.
    pub dead_when_bare: bool,
    /// Whether a change of a databag that is undone before anybody has looked goes unseen: Juju 4
    /// compares contents, Juju 3 counts changes.
    pub unseen_when_undone: bool,
    /// Whether parameters that an action does not declare are refused, as in Juju 4, unless the
    /// charm says otherwise.
    pub undeclared_parameters_refused: bool,
    /// Whether a failed hook is tried again by itself (`automatically-retry-hooks`).
    pub retries: bool,
}

/// A version of Juju.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Juju {
    /// 3.6.28.
    #[serde(rename = "3")]
    Three,
    /// 4.0.15.
    #[serde(rename = "4")]
    Four,
}

/// When the units that stay are told that another one leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Departures {
    /// Juju 3: as soon as it is dying, so while it runs its own last hooks.
    WithDying,
    /// Juju 4: when it is dead and its record is removed.
    Late,
    /// Juju 4, mostly: never in a peer relation, until the agent of the unit that stays restarts;
    /// `relation-list` goes on naming the unit that is gone.
    Lost,
}

/// When a dying leader's lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaseEnds {
    /// Juju 3: when it is dead.
    WhenDead,
    /// Juju 4: when its record is removed.
    WhenRemoved,
}

/// When `storage-attached` comes in a first deploy: as soon as the controller knows the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StorageAttached {
    /// It knows early: before `config-changed`.
    BeforeConfigChanged,
    /// It knows late: after `start`.
    AfterStart,
}

/// Whether `<container>-pebble-ready` waits for anything in a first deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PebbleReady {
    /// It comes when the agent has seen the container, at whatever point of the deploy.
    WhenSeen,
    /// It never comes before `start`.
    AfterStart,
    /// `config-changed` waits for it.
    BeforeConfigChanged,
}

/// What a unit does first when SIGTERM has killed its hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtTermination {
    /// The hook again, then `stop`.
    HookAgain,
    /// `stop`, and the hook is forgotten.
    Stop,
}

impl Juju {
    /// Its number, with all its parts.
    pub fn version(self) -> &'static str {
        match self {
            Self::Three => "3.6.28",
            Self::Four => "4.0.15",
        }
    }
}

impl Switches {
    /// Juju 3.6.
    pub const JUJU_3: Self = Self {
        juju: Juju::Three,
        departures: Departures::WithDying,
        leader_settings_changed: true,
        lease_ends: LeaseEnds::WhenDead,
        storage_attached: StorageAttached::AfterStart,
        pebble_ready: PebbleReady::WhenSeen,
        at_termination: AtTermination::HookAgain,
        peer_broken_after_restart: true,
        dead_when_bare: false,
        unseen_when_undone: false,
        undeclared_parameters_refused: false,
        retries: true,
    };

    /// Juju 4.0, with the departures that it mostly loses.
    pub const JUJU_4: Self = Self {
        juju: Juju::Four,
        departures: Departures::Lost,
        leader_settings_changed: false,
        lease_ends: LeaseEnds::WhenRemoved,
        dead_when_bare: true,
        unseen_when_undone: true,
        undeclared_parameters_refused: true,
        ..Self::JUJU_3
    };
}

impl Default for Switches {
    fn default() -> Self {
        Self::JUJU_3
    }
}
