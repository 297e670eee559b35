//! THE FLOW: event, world, plan, effects, verdict, commit.

use std::time::Duration;

use thiserror::Error;
use tracing::debug;
use tracing::info;

use crate::act;
use crate::act::Deeds;
use crate::act::juju::Committed;
use crate::clients::hook_tools::ToolError;
use crate::clock;
use crate::clock::Budget;
use crate::decide::Situation;
use crate::decide::decide;
use crate::decide::plan::Plan;
use crate::decide::verdict::Course;
use crate::decide::verdict::Verdict;
use crate::decide::verdict::verdict;
use crate::decide::workload::RingsFor;
use crate::decide::workload::is_unfinished;
use crate::decide::workload::last_word;
use crate::env::HookEnv;
use crate::event::Event;
use crate::names::REDIS_CONTAINER;
use crate::observe;
use crate::observe::cluster::until_settled;
use crate::observe::juju::Unreadable;
use crate::report;
use crate::world::World;
use crate::world::deferral::Deferral;
use crate::world::deferral::DeferralChange;
use crate::world::obstacle::Obstacle;
use crate::world::workload::Workload;

/// What a hook plans with, so that it has ended after 20 s: the last tool is given up at this limit,
/// and the process has yet to be started and to end. A stopping pod has 30 s.
pub const HOOK: Duration = Duration::from_millis(19_500);

/// A true fault: Juju drops what was written and runs the hook again.
#[derive(Debug, Error)]
pub enum Halt {
    /// Juju's side of the world could not be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// What was decided could not be handed to Juju.
    #[error("cannot commit")]
    Commit(#[source] ToolError),
    /// The action failed and Juju does not know it: with exit code 0 it would count as completed.
    #[error("cannot mark the action as failed")]
    Action(#[source] ToolError),
}

impl Halt {
    fn is_of_a_tool(&self) -> bool {
        match self {
            Self::Unreadable(Unreadable::Tool(_)) | Self::Commit(_) => true,
            Self::Unreadable(_) | Self::Action(_) => false,
        }
    }
}

/// Answers one event. SIGTERM ends it early and well: what is left of leader-elected is kept.
pub fn run(event: &Event, env: &HookEnv, budget: &Budget) -> Result<(), Halt> {
    match answer(event, env, budget) {
        // The tool that we waited for got the signal too.
        Err(halt) if halt.is_of_a_tool() && budget.is_terminated() => {
            keep_for_later(event, None, budget)
        }
        result => result,
    }
}

fn answer(event: &Event, env: &HookEnv, budget: &Budget) -> Result<(), Halt> {
    if let Event::Ignored { hook } = event {
        debug!("{hook}: nothing of its own to do");
    }
    let work = budget.keeping_back(COMMIT + LAST_LOOK);
    let mut world = observe::world(event, env, &work)?;
    if budget.is_terminated() {
        return keep_for_later(event, world.juju.deferral.as_ref(), budget);
    }
    let (plan, mut deeds) = decide_and_act(event, &mut world, &work);
    if let Some(error) = deeds.fault.take() {
        return Err(Halt::Action(error));
    }
    let last_look = budget.keeping_back(COMMIT);
    let verdict = judge(event, &mut world, &deeds, &last_look);
    let done = Done { world, plan, deeds, verdict };
    match done.commit(&budget.for_commit())? {
        Committed::Written => {
            // Not before: what Juju refuses must not start a Redis without somebody's data.
            done.tell_keeper(&budget.keeping_back(LAST_WORDS));
            done.report(&budget.for_commit());
        }
        Committed::LeadershipLost => {
            info!("this unit leads no more: nothing is written, the next leader does it");
        }
    }
    Ok(())
}

/// Once; and once more after a wait, on the world as it is then.
fn decide_and_act(event: &Event, world: &mut World, work: &Budget) -> (Plan, Deeds) {
    let plan = decide(&Situation { event, world, may_wait: may_wait(event) });
    let deeds = act::perform(&plan, world, work);
    world.juju.has_own_sentinel |= deeds.claims_sentinel;
    if !plan.waits() || work.is_terminated() {
        return (plan, deeds);
    }
    if let Some(seen) = world.cluster.take() {
        world.cluster = Some(until_settled(&world.juju.access(), seen, &work.at_most(WAIT), work));
    }
    if work.is_terminated() {
        return (plan, deeds);
    }
    if world.workload.is_some() {
        world.workload = Some(observe::workload::workload(&world.juju.application, work));
    }
    let plan = decide(&Situation { event, world, may_wait: false });
    let deeds = deeds.and(act::perform(&plan, world, work));
    (plan, deeds)
}

/// Looks once more at what was touched, so that the verdict tells what is.
fn judge(event: &Event, world: &mut World, deeds: &Deeds, budget: &Budget) -> Verdict {
    // Without time for it a look would find everybody silent.
    if deeds.touched_cluster
        && !budget.is_terminated()
        && let Some(seen) = world.cluster.take()
    {
        world.cluster = Some(observe::cluster::look(&world.juju.access(), seen, budget));
    }
    let course = Course {
        after: world.cluster.as_ref(),
        failures: &deeds.failures,
        own_failures: &deeds.own_failures,
        terminated: budget.is_terminated(),
    };
    verdict(event, world, &course)
}

/// A run that has done its work, and has yet to say so.
struct Done {
    world: World,
    plan: Plan,
    deeds: Deeds,
    verdict: Verdict,
}

impl Done {
    /// Hands over to Juju what was decided; all of it is kept when this process ends with 0.
    fn commit(&self, budget: &Budget) -> Result<Committed, Halt> {
        let Self { world, plan, deeds, verdict } = self;
        let claims = deeds.claims_sentinel;
        act::juju::commit(&world.juju, plan, claims, &verdict.deferral, budget)
            .map_err(Halt::Commit)
    }

    /// What the keeper rings for depends on how the run ended.
    fn tell_keeper(&self, budget: &Budget) {
        let Self { world, plan, deeds, verdict } = self;
        let is_kept = match verdict.deferral {
            DeferralChange::Keep => world.juju.deferral.is_some(),
            DeferralChange::Store(_) => true,
            DeferralChange::Drop => false,
        };
        let deferred = is_kept || !deeds.own_failures.is_empty() || is_unfinished(world, plan);
        let rings_for = RingsFor { deferred, unwell: !verdict.is_well };
        if let Some(file) = last_word(world, plan, rings_for)
            && let Err(error) =
                act::workload::push(REDIS_CONTAINER, &[file], &world.juju.application, budget)
        {
            info!("the keeper is not told: {error}");
        }
    }

    /// The log, and the status.
    fn report(&self, budget: &Budget) {
        let Self { world, plan, deeds, verdict } = self;
        let looking = world.workload.iter().flat_map(Workload::failures).map(str::to_owned);
        let cluster = deeds.failures.iter().map(Obstacle::to_string);
        let failures: Vec<String> =
            looking.chain(cluster).chain(deeds.own_failures.iter().cloned()).collect();
        report::log(plan, &failures, world.cluster.as_ref(), verdict);
        report::status(verdict, budget);
    }
}

/// Waiting for a failover is done once, by leader-elected itself; every other event only looks.
fn may_wait(event: &Event) -> bool {
    *event == Event::LeaderElected
}

/// Of all events only leader-elected is worth keeping: the others' rules look at what is.
fn keep_for_later(event: &Event, earlier: Option<&Deferral>, budget: &Budget) -> Result<(), Halt> {
    info!("stopped by SIGTERM");
    if *event != Event::LeaderElected {
        return Ok(());
    }
    let entry = Deferral {
        since: earlier.map_or_else(clock::unix_seconds, |entry| entry.since),
        tries: earlier.map_or(0, |entry| entry.tries).saturating_add(1),
        why: Obstacle::Terminated.to_string(),
    };
    act::juju::store_deferral(&entry, &budget.for_commit()).map_err(Halt::Commit)
}

/// What is kept back for the commit.
const COMMIT: Duration = Duration::from_secs(3);

/// What the keeper's file leaves for the status.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What is kept back for the look after acting: two rounds at most.
const LAST_LOOK: Duration = Duration::from_secs(2);

/// What leader-elected may wait for a failover.
const WAIT: Duration = Duration::from_secs(10);
