//! What a unit's agent remembers from one hook to the next, until it restarts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cloud::Place;
use super::model::Bag;

/// The memory of one unit's agent.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    /// Databags of member units by relation and unit, as they were read first. Only a hook for
    /// that very unit makes the agent read it again.
    pub(crate) members: BTreeMap<(u32, String), Bag>,
    /// What the agent believes of its lease, whatever the controller says.
    pub(crate) claim: Option<bool>,
    /// The pod that the unit's hooks run in; without one they run on the machine itself.
    pub(crate) place: Option<Arc<dyn Place>>,
    /// Whether a hook is running.
    pub(crate) is_busy: bool,
}
