//! The process of a hook: what is run, until it has ended.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::trace::entry;
use crate::trace::entry::What;

use crate::juju::core::Core;
use crate::juju::error::Error;
use crate::juju::hook::Hook;
use crate::juju::launch::Ground;
use crate::juju::run::Commit;
use crate::juju::run::Exit;
use crate::juju::run::HookRun;
use crate::lock::lock;

use super::Me;

/// What became of a process that the agent has run.
pub(super) enum Outcome {
    /// It ended, and its changes were kept or dropped.
    Ended(Box<HookRun>),
    /// It ended well, and the agent with it, before anything was recorded.
    AgentDied,
    /// The charm has nothing for it.
    Missing,
    /// It did not start.
    Failed(Error),
    /// The agent is no longer the unit's.
    Gone,
}

/// What the charm has for it, as its processes see it: `dispatch` for everything, or else a file
/// of that name.
pub(super) fn program_of(ground: &Ground, path: &str) -> Option<PathBuf> {
    let candidates = [Path::new("dispatch"), Path::new(path)];
    let there = candidates.into_iter().find(|file| ground.charm_here.join(file).exists());
    there.map(|file| ground.charm.join(file))
}

/// Runs the command as that hook, and keeps its changes or drops them when it has ended.
pub(super) fn run_process(
    core: &Core,
    me: &Me,
    ground: &Ground,
    hook: Hook,
    command: Command,
    name: &str,
    dies: bool,
) -> Outcome {
    let had_sigterm = lock(&core.world).had_sigterm(me);
    let running = match core.launch(hook, command, ground) {
        Ok(running) => running,
        Err(error) => return Outcome::Failed(error),
    };
    {
        let mut world = lock(&core.world);
        let is_current = world.is_current(me);
        let agent = world.agent(&me.unit).running.as_mut();
        match agent.filter(|_| is_current) {
            None => return Outcome::Gone,
            Some(agent) => {
                agent.hook_group = Some(running.process.group());
                if !had_sigterm && agent.had_sigterm() {
                    // It came while the hook was not yet there to get it.
                    let _ = running.terminate();
                }
            }
        }
    }
    // A hook may take as long as it likes.
    while running.process.wait(LONG).is_none() {}
    let outcome = {
        let is_current = lock(&core.world).is_current(me);
        if is_current {
            match running.finish(LONG) {
                Ok(run) if dies && run.commit == Commit::Committed => {
                    trace_end(core, me, name, &run);
                    Outcome::AgentDied
                }
                Ok(run) => {
                    trace_end(core, me, name, &run);
                    Outcome::Ended(Box::new(run))
                }
                Err(error) => Outcome::Failed(error),
            }
        } else {
            Outcome::Gone
        }
    };
    let mut world = lock(&core.world);
    let agent = world.agent(&me.unit).running.as_mut();
    if let Some(agent) = agent.filter(|agent| agent.generation == me.generation) {
        agent.hook_group = None;
    }
    outcome
}

fn trace_end(core: &Core, me: &Me, name: &str, run: &HookRun) {
    let exit = match run.exit {
        Exit::Code(number) => entry::Exit::Code(number),
        Exit::Signal(signal) => entry::Exit::Signal(signal),
    };
    let commit = match &run.commit {
        Commit::Committed => entry::Commit::Committed,
        Commit::Discarded => entry::Commit::Discarded,
        Commit::Failed(text) => entry::Commit::Refused(text.clone()),
    };
    let (unit, event, took) = (me.unit.clone(), name.to_owned(), run.elapsed);
    let world = lock(&core.world);
    world.deployment.trace.push(What::EventEnded { unit, event, exit, commit, took });
}

/// How long one look at a hook waits.
const LONG: Duration = Duration::from_hours(1);
