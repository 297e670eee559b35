//! Facts in: everything a run looks at, read once, and looked at again where it acted or waited.

pub mod cluster;
pub mod juju;
pub mod views;

use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;
use crate::env::HookEnv;
use crate::event::Event;
use crate::world::World;

/// Reads what the event needs to know and no more: no network in a first deployment, nothing at all
/// for an event without rules. `is-leader` comes last, so that its yes holds while the run acts.
pub fn world(event: &Event, env: &HookEnv, budget: &Budget) -> Result<World, juju::Unreadable> {
    let mut juju = juju::identity(env)?;
    if !event.replays_deferred() {
        return Ok(World { juju, cluster: None });
    }
    juju.deferral = juju::deferral(budget)?;
    if !event.looks(juju.deferral.is_some()) {
        return Ok(World { juju, cluster: None });
    }
    juju::read_peers(&mut juju, budget)?;
    let cluster = if juju.peer_relation.is_none() || juju.is_first_deployment() {
        None
    } else {
        let units = juju::goal_state(&juju, budget)?;
        Some(cluster::census(&juju, units, budget))
    };
    juju.leadership = juju::leadership(budget)?;
    Ok(World { juju, cluster })
}

/// A fault of Juju itself while something was read.
impl From<ToolError> for juju::Unreadable {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}
