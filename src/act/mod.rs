//! Effects out: a plan carried out in its order. What failed is kept, not thrown.

pub mod cluster;
pub mod juju;
pub mod procedure;

use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;
use crate::world::World;
use crate::world::obstacle::Obstacle;

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Deeds {
    /// What could not be done.
    pub failures: Vec<Obstacle>,
    /// True when a Sentinel was told something: the cluster is to be looked at again.
    pub touched_cluster: bool,
    /// An action that failed could not be marked so: its exit code has to tell it.
    pub fault: Option<ToolError>,
}

impl Deeds {
    /// These deeds and later ones.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.failures.extend(later.failures);
        self.touched_cluster |= later.touched_cluster;
        self.fault = self.fault.or(later.fault);
        self
    }
}

/// Carries out a plan up to its wait. After SIGTERM nothing more is begun.
pub fn perform(plan: &Plan, world: &World, budget: &Budget) -> Deeds {
    let mut deeds = Deeds::default();
    for (effect, reason) in plan.effects() {
        if budget.left().is_none() {
            break;
        }
        tracing::info!("{} -- {reason}", plan.describe(effect));
        let failures = match effect {
            Effect::AwaitFailover => break,
            Effect::FailAction { message } => {
                deeds.fault = juju::fail_action(message, budget).err();
                Vec::new()
            }
            Effect::SetQuorum { quorum, sentinels } => {
                cluster::set_quorum(world, *quorum, sentinels, budget)
            }
            Effect::RestoreInfoPeriod { sentinels } => {
                cluster::restore_info_period(world, sentinels, budget)
            }
            Effect::ForgetUnits => procedure::forget_units(world, budget),
        };
        deeds.failures.extend(failures);
        deeds.touched_cluster |= world.cluster.is_some();
    }
    deeds
}
