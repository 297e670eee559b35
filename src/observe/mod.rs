//! Facts in: everything a run looks at, read once, and looked at again where it acted or waited.

pub mod cluster;
pub mod juju;
pub mod roll;
pub mod views;
pub mod workload;

use crate::clients::hook_tools::ToolError;
use crate::clients::hook_tools::action::action_get;
use crate::clock::Budget;
use crate::env::HookEnv;
use crate::event::Event;
use crate::names;
use crate::names::ACCEPT_DATA_LOSS;
use crate::names::CHECK_SERVICE;
use crate::names::UNITS;
use crate::world::World;

/// Reads what the event needs to know and no more: no network in a first deployment, nothing at all
/// for an event without rules. `is-leader` comes last, so that its yes holds while the run acts.
pub fn world(event: &Event, env: &HookEnv, budget: &Budget) -> Result<World, juju::Unreadable> {
    let juju = juju::identity(env)?;
    let mut world = World { juju, named_units: None, workload: None, cluster: None, roll: None };
    let juju = &mut world.juju;
    let accepts_loss = matches!(event, Event::Action { name } if name == ACCEPT_DATA_LOSS);
    if accepts_loss {
        world.named_units = action_get(UNITS, budget)?;
    } else if let Event::Action { name } = event {
        if names::ACTIONS.contains(&name.as_str()) {
            juju::read_peers(juju, budget)?;
        }
        if name == CHECK_SERVICE {
            world.cluster = Some(cluster::own(&juju.access(), budget));
        }
        return Ok(world);
    }
    if *event == Event::Stop {
        world.roll = roll::before_the_end(juju, env, budget);
    }
    if !event.replays_deferred() && !accepts_loss {
        return Ok(world);
    }
    juju::read_state(juju, budget)?;
    if !event.looks(juju.deferral.is_some()) && !accepts_loss {
        return Ok(world);
    }
    juju::read_peers(juju, budget)?;
    if juju.peer_relation.is_some() && !juju.is_first_deployment() {
        let units = juju::goal_state(juju, budget)?;
        if juju.has_passwords() {
            world.workload = Some(workload::workload(&juju.application, budget));
        }
        world.cluster = Some(cluster::census(&juju.access(), units, budget));
        world.roll = roll::look(juju, env, budget);
    }
    juju.leadership = juju::leadership(budget)?;
    Ok(world)
}

/// A fault of Juju itself while something was read.
impl From<ToolError> for juju::Unreadable {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}
