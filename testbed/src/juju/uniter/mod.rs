//! The unit's agent: a thread that looks at the world, asks the rules what comes next, does it and
//! records it.
//!
//! [`record`] outlives the agent, [`memory`] does not; [`view`] is what the model says, and
//! [`resolver`] decides from these three. [`perform`] does it; [`pebble`] watches the containers.

pub(crate) mod event;
pub(crate) mod memory;
mod outcome;
mod pebble;
mod perform;
mod process;
pub(crate) mod record;
mod relations;
pub(crate) mod resolver;
#[cfg(test)]
mod tests;
pub(crate) mod view;

use std::sync::Arc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use jiff::Timestamp;

use super::agent::Running;
use super::clock::AGENT_RESTART;
use super::clock::UPDATE_STATUS;
use super::clock::UPDATE_STATUS_JITTER;
use super::cloud::Place;
use super::core::Core;
use super::launch::Ground;
use super::model::application_of;
use super::world::World;
use crate::lock::lock;

use self::record::Step;
use self::resolver::Operation;
use self::resolver::Situation;
use self::view::View;

/// Which agent a thread is: one of a unit, in a pod, in one life of its process.
#[derive(Clone, Debug)]
pub(crate) struct Me {
    pub(crate) unit: String,
    pub(crate) generation: u64,
    pub(crate) place: Arc<dyn Place>,
    pub(crate) version: u32,
}

/// What an agent does at one look at the world.
enum Turn {
    Do(Operation, Box<View>),
    WaitUntil(Option<Instant>),
    Stop,
}

/// The agent's whole life.
pub(crate) fn run(core: &Core, me: &Me) {
    let ground = Ground::in_pod(&me.unit, &*me.place);
    let ground = ground.and_then(|ground| {
        let tools = format!("tools/unit-{}", me.unit.replace('/', "-"));
        Core::install_tools(&me.place.juju_directory().join(tools))?;
        Ok(ground)
    });
    let ground = match ground {
        Ok(ground) => ground,
        Err(error) => {
            let mut world = lock(&core.world);
            world.complain(&me.unit, &error);
            world.end_agent(me);
            return;
        }
    };
    for container in containers(core, me) {
        let (core, me) = (core.clone(), me.clone());
        thread::spawn(move || pebble::watch(&core, &me, &container));
    }
    loop {
        let mut world = lock(&core.world);
        let (operation, view) = loop {
            match world.turn(me) {
                Turn::Do(operation, view) => break (operation, view),
                Turn::WaitUntil(time) => world = Core::wait(world, time),
                Turn::Stop => return world.end_agent(me),
            }
        };
        drop(world);
        let is_hook = matches!(operation, Operation::Run(_));
        perform::perform(core, me, &ground, operation, &view);
        if is_hook {
            lock(&core.world).lose_tick(me);
        }
    }
}

fn containers(core: &Core, me: &Me) -> Vec<String> {
    let world = lock(&core.world);
    let deployed = world.deployment.applications.get(application_of(&me.unit));
    deployed.map(|deployed| deployed.charm.container_names()).unwrap_or_default()
}

impl World {
    /// Whether that agent is still the unit's.
    pub(crate) fn is_current(&self, me: &Me) -> bool {
        let running = self.agents.get(&me.unit).and_then(|agent| agent.running.as_ref());
        !self.deployment.is_over
            && running.is_some_and(|it| it.generation == me.generation && !it.has_ended)
    }

    fn had_sigterm(&self, me: &Me) -> bool {
        let agent = self.agents.get(&me.unit);
        agent.and_then(|agent| agent.running.as_ref()).is_some_and(Running::had_sigterm)
    }

    /// The agent's thread ends here.
    fn end_agent(&mut self, me: &Me) {
        let running = self.agent(&me.unit).running.as_mut();
        if let Some(running) = running.filter(|it| it.generation == me.generation) {
            running.has_ended = true;
        }
        self.note_change();
    }

    /// A failure of the bed itself, in the unit's log.
    pub(crate) fn complain(&mut self, unit: &str, error: &dyn std::error::Error) {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        self.log(unit, "ERROR", message);
    }

    /// A line of the unit's log by its agent.
    pub(crate) fn log(&mut self, unit: &str, level: &str, message: String) {
        self.transcript.push(format!("log {unit} {level} {message}"));
        let (unit, level) = (unit.to_owned(), level.to_owned());
        self.deployment.trace.push(crate::trace::entry::What::Log { unit, level, message });
    }

    fn turn(&mut self, me: &Me) -> Turn {
        if !self.is_current(me) {
            return Turn::Stop;
        }
        let now = Instant::now();
        let is_away = self.deployment.is_away;
        let restarts_at = now.checked_add(self.deployment.clock.period(AGENT_RESTART));
        let agent = self.agent(&me.unit);
        let is_busy = agent.is_busy;
        let Some(running) = agent.running.as_mut() else { return Turn::Stop };
        if running.is_to_end && !is_busy {
            return Turn::Stop;
        }
        // Whoever was cut off comes back some time after that; what a former agent has left
        // running ends first.
        if is_away || running.is_frozen || is_busy || !running.tracker.has_asked {
            return Turn::WaitUntil(None);
        }
        if running.is_to_restart {
            running.is_to_restart = false;
            running.restarts_at = restarts_at;
            return self.turn(me);
        }
        if let Some(time) = running.restarts_at {
            if time > now && !running.memory.is_terminating {
                return Turn::WaitUntil(Some(time));
            }
            self.restart(me);
        }
        self.tick(me, now);
        self.next_operation(me, now)
    }

    /// The agent begins anew, with nothing but the record.
    fn restart(&mut self, me: &Me) {
        let mut memory = self.fresh_memory(&me.unit, true);
        let deployed = self.deployment.applications.get(application_of(&me.unit));
        memory.is_outdated = deployed.is_some_and(|deployed| deployed.version != me.version);
        let agent = self.agent(&me.unit);
        agent.members.clear();
        if let Some(running) = &mut agent.running {
            memory.is_terminating = running.memory.is_terminating;
            memory.is_unpacked = running.memory.is_unpacked;
            // The threads that watch the containers number on.
            memory.next_ticket = running.memory.next_ticket;
            memory.lives = running.memory.lives + 1;
            running.memory = memory;
            running.restarts_at = None;
        }
        self.note_change();
    }

    /// Timers of the agent that have gone off.
    fn tick(&mut self, me: &Me, now: Instant) {
        let record = self.deployment.records.get(&me.unit);
        let is_free = record.is_some_and(|record| record.step == Step::Idle && record.started);
        if !self.is_tick_due(me, now) {
            return;
        }
        let period = self.deployment.clock.period(UPDATE_STATUS);
        let wait = self.deployment.chance.around(period, UPDATE_STATUS_JITTER);
        if let Some(running) = self.agent(&me.unit).running.as_mut() {
            running.memory.update_status_at = now.checked_add(wait);
            // A tick while a failed hook waits is lost.
            running.memory.owes_update_status = is_free;
        }
    }

    /// A tick that came while a hook ran is lost.
    fn lose_tick(&mut self, me: &Me) {
        let now = Instant::now();
        if self.is_current(me) && self.is_tick_due(me, now) {
            self.tick(me, now);
            if let Some(running) = self.agent(&me.unit).running.as_mut() {
                running.memory.owes_update_status = false;
            }
        }
    }

    fn is_tick_due(&self, me: &Me, now: Instant) -> bool {
        let at = self.memory(me).and_then(|memory| memory.update_status_at);
        at.is_some_and(|time| time <= now)
    }

    fn next_operation(&mut self, me: &Me, now: Instant) -> Turn {
        let record = self.deployment.records.entry(me.unit.clone()).or_default().clone();
        if matches!(record.step, Step::Pending(_)) {
            self.begin_retry(me, now);
        }
        let switches = self.deployment.switches;
        let Some(memory) = self.memory(me) else { return Turn::Stop };
        let Some(view) = View::of(self, &me.unit, &record, memory) else { return Turn::Stop };
        let situation = Situation {
            unit: &me.unit,
            record: &record,
            memory,
            view: &view,
            switches: &switches,
            is_retry_due: memory.retry.at.is_some_and(|time| time <= now),
        };
        let operation = resolver::next(&situation);
        let secret = self.model.next_secret_time(&me.unit).and_then(|time| at(time, now));
        let until = [memory.retry.at, memory.update_status_at, secret];
        let members: Vec<String> = view.members().cloned().collect();
        if let Some(running) = &mut self.agent(&me.unit).running {
            running.memory.acquainted.extend(members);
        }
        if let Some(operation) = operation {
            return Turn::Do(operation, Box::new(view));
        }
        if record.step == Step::Idle {
            self.set_agent_status(&me.unit, "idle", "");
        }
        Turn::WaitUntil(until.into_iter().flatten().filter(|time| *time > now).min())
    }

    fn memory(&self, me: &Me) -> Option<&memory::Memory> {
        Some(&self.agents.get(&me.unit)?.running.as_ref()?.memory)
    }

    /// A hook that has failed is reported, and its timer set.
    fn begin_retry(&mut self, me: &Me, now: Instant) {
        let Some(record) = self.deployment.records.get(&me.unit) else { return };
        let Step::Pending(event) = &record.step else { return };
        let message = format!("hook failed: \"{}\"", event.name());
        let is_workload = event.is_workload();
        let retries = self.deployment.switches.retries && !is_workload;
        if !is_workload {
            self.set_agent_status(&me.unit, "error", &message);
        }
        let clock = self.deployment.clock;
        let mut chance = self.deployment.chance.clone();
        let running = self.agent(&me.unit).running.as_mut();
        if let Some(running) = running.filter(|it| retries && it.memory.retry.at.is_none()) {
            running.memory.retry.set(now, clock, &mut chance);
            self.deployment.chance = chance;
        }
    }

    pub(crate) fn set_agent_status(&mut self, unit: &str, word: &str, message: &str) {
        let status = self.model.status(word, message);
        let Some(record) = self.model.unit_mut(unit) else { return };
        let same = record
            .agent_status
            .as_ref()
            .is_some_and(|known| known.status == status.status && known.message == status.message);
        if !same {
            record.agent_status = Some(status);
            self.changed.notify_all();
        }
    }
}

/// The moment of a time that is to come.
fn at(time: Timestamp, now: Instant) -> Option<Instant> {
    let left = Duration::try_from(time.duration_since(Timestamp::now())).ok()?;
    now.checked_add(left)
}
