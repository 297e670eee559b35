//! Effects out: a plan carried out in its order. What failed is kept, not thrown.

pub mod cluster;
pub mod juju;
pub mod procedure;
pub mod roll;
pub mod workload;

use std::time::Duration;

use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;
use crate::observe::cluster::look;
use crate::world::World;
use crate::world::cluster::Cluster;
use crate::world::obstacle::Obstacle;

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Deeds {
    /// What could not be done.
    pub failures: Vec<Obstacle>,
    /// What could not be done in this pod's containers.
    pub own_failures: Vec<String>,
    /// True when a Sentinel was told something: the cluster is to be looked at again.
    pub touched_cluster: bool,
    /// True when Sentinel's file is this unit's own from now on.
    pub claims_sentinel: bool,
    /// True when there was no time for all of it.
    pub is_cut_short: bool,
    /// The containers of this pod in which something could not be done.
    pub failed_in: Vec<&'static str>,
    /// An action that failed could not be marked so: its exit code has to tell it.
    pub fault: Option<ToolError>,
}

impl Deeds {
    /// These deeds and those of a later plan, which has planned once more what had failed: only what fails
    /// then still has, unless there was no time to try.
    #[must_use]
    pub fn and(self, mut later: Self) -> Self {
        if later.is_cut_short {
            later.failures.extend(self.failures);
            later.own_failures.extend(self.own_failures);
        } else {
            let failures = self.failures.iter().map(Obstacle::to_string).chain(self.own_failures);
            failures.for_each(|failure| tracing::info!("before the wait: {failure}"));
        }
        Self {
            touched_cluster: self.touched_cluster || later.touched_cluster,
            claims_sentinel: self.claims_sentinel || later.claims_sentinel,
            fault: self.fault.or(later.fault),
            ..later
        }
    }

    /// Does something in a container of this pod. What follows there needs what came before it.
    fn of_own_pod(&mut self, effect: &Effect, world: &World, budget: &Budget) {
        let application = &world.juju.application;
        let Some(container) = effect.container() else { return };
        if self.failed_in.contains(&container) {
            return;
        }
        let done = match effect {
            Effect::Push { files, .. } => workload::push(container, files, application, budget),
            Effect::AddLayer { layer, .. } => {
                workload::add_layer(container, layer, application, budget)
            }
            Effect::Replan { .. } => workload::replan(container, application, budget),
            Effect::RestartSentinel => {
                self.touched_cluster = true;
                let own = world.juju.unit.number;
                if !is_still(world, budget, |seen| seen.may_forget_by_restart(own)) {
                    return;
                }
                workload::restart_sentinel(application, budget)
            }
            Effect::ClaimSentinel => {
                self.claims_sentinel = true;
                Ok(())
            }
            Effect::SetQuorum { .. }
            | Effect::RestoreInfoPeriod { .. }
            | Effect::AskFailover { .. }
            | Effect::AwaitFailover
            | Effect::ForgetUnits
            | Effect::SetVersion { .. }
            | Effect::SetPartition { .. }
            | Effect::AnswerAction { .. }
            | Effect::FailAction { .. } => Ok(()),
        };
        if let Err(error) = done {
            self.failed_in.push(container);
            self.own_failures.push(error.to_string());
        }
    }

    /// Does something in the cluster, or tells Juju at once.
    fn elsewhere(&mut self, effect: &Effect, world: &World, budget: &Budget) {
        let failures = match effect {
            Effect::SetQuorum { quorum, sentinels } => {
                cluster::set_quorum(world, *quorum, sentinels, budget)
            }
            Effect::RestoreInfoPeriod { sentinels } => {
                cluster::restore_info_period(world, sentinels, budget)
            }
            Effect::AskFailover { sentinel } => {
                if is_still(world, budget, |seen| seen.master_to_replace().is_some()) {
                    cluster::ask_failover(world, *sentinel, budget)
                } else {
                    Vec::new()
                }
            }
            Effect::ForgetUnits => procedure::forget_units(world, budget),
            Effect::FailAction { message } => {
                let fault = juju::fail_action(message, budget).err();
                self.fault = self.fault.take().or(fault);
                return;
            }
            Effect::AnswerAction { key, value } => {
                let fault = juju::answer_action(key, value.reveal(), budget).err();
                self.fault = self.fault.take().or(fault);
                return;
            }
            Effect::SetPartition { from, to } => {
                self.failures.extend(roll::set_partition(world, *from, *to, budget));
                return;
            }
            Effect::SetVersion { version } => return juju::set_version(version, budget),
            Effect::AwaitFailover
            | Effect::Push { .. }
            | Effect::AddLayer { .. }
            | Effect::Replan { .. }
            | Effect::RestartSentinel
            | Effect::ClaimSentinel => return,
        };
        self.failures.extend(failures);
        self.touched_cluster = true;
    }
}

/// Carries out a plan up to its wait. After SIGTERM nothing more is begun, and a Pebble that hangs
/// leaves time for what is told to the Sentinels.
pub fn perform(plan: &Plan, world: &World, budget: &Budget) -> Deeds {
    let mut deeds = Deeds::default();
    let in_own_pod = budget.keeping_back(FOR_THE_CLUSTER);
    for (effect, reason) in plan.effects() {
        if budget.left().is_none() {
            deeds.is_cut_short = true;
            break;
        }
        tracing::info!("{} -- {reason}", plan.describe(effect));
        if *effect == Effect::AwaitFailover {
            break;
        }
        if effect.container().is_some() {
            deeds.of_own_pod(effect, world, &in_own_pod);
        } else {
            deeds.elsewhere(effect, world, budget);
        }
    }
    deeds
}

/// Whether something holds at this moment: what was done meanwhile in the own pod may have taken
/// seconds, in which a failover may have begun.
fn is_still(world: &World, budget: &Budget, holds: impl Fn(&Cluster) -> bool) -> bool {
    let Some(before) = world.cluster.clone() else { return false };
    let holds = holds(&look(&world.juju.access(), before, budget));
    if !holds {
        tracing::info!("left for a later event: it has changed meanwhile");
    }
    holds
}

/// What the own pod leaves of a run's time: a look, and a round for each thing that Sentinels are told.
const FOR_THE_CLUSTER: Duration = Duration::from_secs(4);
