//! What is to go wrong with hooks, notices and elections that are yet to come.

use std::collections::BTreeSet;
use std::time::Duration;

use super::controller::Controller;
use super::hook::Fault;
use super::hook::Hook;
use crate::lock::lock;

/// The faults that wait for their moment.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    hooks: Vec<(String, String, HookFault)>,
    notices: Vec<(String, String, NoticeFault)>,
    lost_elections: BTreeSet<String>,
}

/// What is to go wrong with a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookFault {
    /// That, at one of its tool calls.
    AtCall(Fault),
    /// The lease is gone between its exit and its commit.
    LosesLeadershipAtCommit,
    /// Its agent dies when its changes are in, before that is recorded: the hook runs again.
    AgentDiesBeforeRecord,
}

/// What is to go wrong with a notice on its way from Pebble to the charm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeFault {
    /// The charm never hears of it.
    Drop,
    /// The charm hears of it twice.
    Repeat,
    /// The charm hears of it that much later, by the machine's clock.
    Delay(Duration),
}

impl Faults {
    /// Puts on the hook what waits for it; says whether its agent dies before the record.
    pub(crate) fn strike(&mut self, mut hook: Hook, name: &str) -> (Hook, bool) {
        let mut dies = false;
        let unit = hook.unit.clone();
        let is_meant = |(at, of, _): &mut (String, String, HookFault)| *at == unit && of == name;
        for (_, _, fault) in self.hooks.extract_if(.., is_meant) {
            match fault {
                HookFault::AtCall(fault) => hook = hook.fault(fault.at_call, fault.kind),
                HookFault::LosesLeadershipAtCommit => hook = hook.lose_leadership_at_commit(),
                HookFault::AgentDiesBeforeRecord => dies = true,
            }
        }
        (hook, dies)
    }

    /// What is to befall the next notice of the container.
    pub(crate) fn next_notice(&mut self, unit: &str, container: &str) -> Option<NoticeFault> {
        let is_meant = |(at, of, _): &(String, String, NoticeFault)| at == unit && of == container;
        let index = self.notices.iter().position(is_meant)?;
        Some(self.notices.remove(index).2)
    }

    /// Whether the unit's `leader-elected` is to be lost.
    pub(crate) fn loses_election(&mut self, unit: &str) -> bool {
        self.lost_elections.remove(unit)
    }
}

impl Controller {
    /// Strikes the next run of a unit's hook, named `start`, `redis-peers-relation-changed`, or as
    /// an action. Several faults of one hook strike the same run.
    pub fn strike_hook(&self, unit: &str, hook: &str, fault: HookFault) {
        let mut world = lock(self.world());
        world.deployment.faults.hooks.push((unit.to_owned(), hook.to_owned(), fault));
    }

    /// Disturbs the next notice of the container on its way to the unit's charm.
    pub fn disturb_notice(&self, unit: &str, container: &str, fault: NoticeFault) {
        let mut world = lock(self.world());
        world.deployment.faults.notices.push((unit.to_owned(), container.to_owned(), fault));
    }

    /// Whether such a disturbance still waits for a notice.
    pub fn is_notice_disturbed(&self, unit: &str, container: &str) -> bool {
        let world = lock(self.world());
        world.deployment.faults.notices.iter().any(|(at, of, _)| at == unit && of == container)
    }

    /// Loses the unit's next `leader-elected`, as a SIGTERM does: it is recorded and never run.
    pub fn lose_leader_elected(&self, unit: &str) {
        lock(self.world()).deployment.faults.lost_elections.insert(unit.to_owned());
    }

    /// Takes the lease from the application's leader, who knows at once; another unit may get it.
    /// Without another one it is free again after as long as a lease lasts.
    pub fn lose_leadership(&self, application: &str) {
        lock(self.world()).lose_leadership(application);
    }

    /// Takes the lease from the application's leader, who goes on believing in it until it would
    /// renew its claim, up to 30 seconds later.
    pub fn steal_leadership(&self, application: &str) {
        lock(self.world()).steal_leadership(application);
    }

    /// Leaves the application without a leader for that long, by the model's clock.
    pub fn leave_without_leader(&self, application: &str, time: Duration) {
        lock(self.world()).leave_without_leader(application, time);
    }

    /// Gives the lease to a unit whose agent runs.
    pub fn make_leader(&self, unit: &str) {
        lock(self.world()).give_leadership(unit);
    }

    /// Cuts all agents off from the controller, or lets them reach it again: then each of them
    /// restarts. A hook that runs meanwhile fails.
    pub fn set_away(&self, is_away: bool) {
        let mut world = lock(self.world());
        world.deployment.is_away = is_away;
        for agent in world.agents.values_mut() {
            agent.is_cut_off |= is_away;
            if let Some(running) = &mut agent.running {
                running.is_to_restart = true;
            }
        }
        world.note_change();
    }

    /// Stops the unit's agent from doing anything, its lease included, or lets it go on: as when
    /// its pod is frozen. What it runs is not the agent.
    pub fn set_agent_frozen(&self, unit: &str, is_frozen: bool) {
        let mut world = lock(self.world());
        if let Some(running) = &mut world.agent(unit).running {
            running.is_frozen = is_frozen;
        }
        world.note_change();
    }
}
