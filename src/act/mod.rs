//! Effects out: a plan carried out in its order. What failed is kept, not thrown.

pub mod cluster;
pub mod juju;
pub mod procedure;
pub mod roll;
pub mod workload;

use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;
use crate::names::SENTINEL_CONTAINER;
use crate::world::World;
use crate::world::juju::Application;
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
    /// The containers of this pod in which something could not be done.
    failed_in: Vec<&'static str>,
    /// An action that failed could not be marked so: its exit code has to tell it.
    pub fault: Option<ToolError>,
}

impl Deeds {
    /// These deeds and later ones.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.failures.extend(later.failures);
        self.own_failures.extend(later.own_failures);
        self.touched_cluster |= later.touched_cluster;
        self.fault = self.fault.or(later.fault);
        self
    }
}

impl Deeds {
    /// Does something in a container of this pod. What follows there needs what came before it.
    fn of_own_pod(&mut self, effect: &Effect, application: &Application, budget: &Budget) {
        let (container, done) = match effect {
            Effect::Push { container, .. }
            | Effect::AddLayer { container, .. }
            | Effect::Replan { container }
                if self.failed_in.contains(container) =>
            {
                return;
            }
            Effect::Push { container, files } => {
                (*container, workload::push(container, files, application, budget))
            }
            Effect::AddLayer { container, layer } => {
                (*container, workload::add_layer(container, layer, application, budget))
            }
            Effect::Replan { container } => {
                (*container, workload::replan(container, application, budget))
            }
            Effect::RestartSentinel => {
                self.touched_cluster = true;
                (SENTINEL_CONTAINER, workload::restart_sentinel(application, budget))
            }
            Effect::SetQuorum { .. }
            | Effect::RestoreInfoPeriod { .. }
            | Effect::AskFailover { .. }
            | Effect::AwaitFailover
            | Effect::ForgetUnits
            | Effect::SetVersion { .. }
            | Effect::SetPartition { .. }
            | Effect::AnswerAction { .. }
            | Effect::FailAction { .. } => return,
        };
        if let Err(error) = done {
            self.failed_in.push(container);
            self.own_failures.push(error.to_string());
        }
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
            Effect::AskFailover { sentinel } => cluster::ask_failover(world, *sentinel, budget),
            Effect::ForgetUnits => procedure::forget_units(world, budget),
            Effect::AnswerAction { key, value } => {
                deeds.fault = juju::answer_action(key, value.reveal(), budget).err();
                continue;
            }
            Effect::SetPartition { from, to } => {
                deeds.failures.extend(roll::set_partition(world, *from, *to, budget));
                continue;
            }
            Effect::SetVersion { version } => {
                juju::set_version(version, budget);
                continue;
            }
            Effect::Push { .. }
            | Effect::AddLayer { .. }
            | Effect::Replan { .. }
            | Effect::RestartSentinel => {
                deeds.of_own_pod(effect, &world.juju.application, budget);
                continue;
            }
        };
        deeds.failures.extend(failures);
        deeds.touched_cluster |= world.cluster.is_some();
    }
    deeds
}
