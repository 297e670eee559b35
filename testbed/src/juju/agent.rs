//! What a unit's agent remembers from one hook to the next, until it restarts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::cloud::Place;
use super::leases::Tracker;
use super::model::Bag;
use super::uniter::memory::Memory;

/// The memory of one unit's agent.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    /// Databags of member units by relation and unit, as they were read first. Only a hook for
    /// that very unit makes the agent read it again.
    pub(crate) members: BTreeMap<(u32, String), Bag>,
    /// What the agent believes of its lease, whatever the controller says.
    pub(crate) claim: Option<bool>,
    /// The pod that hooks run in which a test starts; without one they run on the machine itself.
    pub(crate) place: Option<Arc<dyn Place>>,
    /// Whether a hook is running.
    pub(crate) is_busy: bool,
    /// Whether the agent has lost its connection to the controller while this hook runs: its tools
    /// and its commit fail from then on.
    pub(crate) is_cut_off: bool,
    /// The agent as a thread that decides what to run; none where a test does.
    pub(crate) running: Option<Running>,
}

/// An agent that runs in a pod.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) place: Arc<dyn Place>,
    /// Which charm the pod was made for.
    pub(crate) version: u32,
    /// Differs for each process of an agent: what a former one still does is not recorded.
    pub(crate) generation: u64,
    pub(crate) memory: Memory,
    pub(crate) tracker: Tracker,
    /// The process group of the hook that runs.
    pub(crate) hook_group: Option<i32>,
    /// Whether it starts anew as soon as its hook is through.
    pub(crate) is_to_restart: bool,
    /// When it does, at the earliest.
    pub(crate) restarts_at: Option<Instant>,
    /// Whether it ends as soon as its hook is through.
    pub(crate) is_to_end: bool,
    pub(crate) is_frozen: bool,
    pub(crate) has_ended: bool,
}

impl Running {
    /// Whether its pod was told to end.
    pub(crate) fn had_sigterm(&self) -> bool {
        self.memory.is_terminating || self.is_to_end
    }
}
