//! What Kubernetes tells a controller of pods. All of it returns at once.

use std::sync::Arc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use nix::sys::signal::Signal;

use super::agent::Running;
use super::cloud::Place;
use super::controller::Controller;
use super::core::Core;
use super::leases::Tracker;
use super::model::Life;
use super::model::application_of;
use super::process::signal_group;
use super::uniter;
use super::uniter::Me;
use super::uniter::memory::Memory;
use super::world::World;
use crate::lock::lock;

impl Controller {
    /// A new pod's charm container runs: the unit's record is made if it is new, and its agent
    /// starts. The version is that of the template that the pod was made from.
    pub fn pod_started(&self, unit: &str, version: u32, place: Arc<dyn Place>) {
        let mut world = lock(self.world());
        let ordinal: Option<u32> = unit.rsplit_once('/').and_then(|(_, it)| it.parse().ok());
        let deployed = world.deployment.applications.get(application_of(unit));
        let is_wanted = ordinal.zip(deployed).is_some_and(|(ordinal, it)| ordinal < it.scale);
        if world.model.unit(unit).is_none() && is_wanted {
            world.add_unit(unit);
        }
        if let Some(record) = world.model.unit_mut(unit) {
            record.address = place.address();
            record.storage.values_mut().for_each(|storage| storage.not_provisioned = false);
        }
        let memory = world.fresh_memory(unit, false);
        self.start_agent(&mut world, unit, version, place, memory);
    }

    /// The charm container has ended, and its agent with it: nothing runs, and nothing is recorded any
    /// more, until `agent_restarted`.
    pub fn agent_lost(&self, unit: &str) {
        let mut world = lock(self.world());
        world.deployment.next_generation += 1;
        let generation = world.deployment.next_generation;
        if let Some(running) = &mut world.agent(unit).running {
            kill_hook(running);
            running.generation = generation;
            running.has_ended = true;
        }
        world.note_change();
    }

    /// Whether the unit's `start` was ever committed; until then its charm container is not ready for
    /// long.
    pub fn has_started(&self, unit: &str) -> bool {
        let world = lock(self.world());
        world.deployment.records.get(unit).is_some_and(|record| record.started)
    }

    /// The charm container, or the unit's process in it, has restarted in the same pod.
    pub fn agent_restarted(&self, unit: &str) {
        let mut world = lock(self.world());
        let Some(running) = world.agent(unit).running.take() else { return };
        kill_hook(&running);
        let memory = world.fresh_memory(unit, true);
        self.start_agent(&mut world, unit, running.version, running.place, memory);
    }

    /// SIGTERM: the running hook and its tool get it; the agent does what is to be done before the
    /// end, and ends.
    pub fn pod_terminating(&self, unit: &str) {
        let mut world = lock(self.world());
        let comes_back = world.comes_back(unit);
        let is_busy = world.agent(unit).is_busy;
        if let Some(running) = &mut world.agent(unit).running {
            if let Some(group) = running.hook_group {
                // A hook that has ended meanwhile needs no signal.
                let _ = signal_group(group, Signal::SIGTERM);
            }
            running.memory.is_terminating |= comes_back;
            running.is_to_end = !comes_back;
            running.has_ended |= !comes_back && !is_busy;
        }
        world.note_change();
    }

    /// Whether the unit's agent has done all that it will do in this pod.
    pub fn is_agent_ended(&self, unit: &str) -> bool {
        lock(self.world()).agent(unit).running.as_ref().is_none_or(|running| running.has_ended)
    }

    /// Whether the unit's pod was told to end.
    pub fn is_terminating(&self, unit: &str) -> bool {
        let world = lock(self.world());
        let running = world.agents.get(unit).and_then(|agent| agent.running.as_ref());
        running.is_some_and(Running::had_sigterm)
    }

    /// The pod is killed: nothing that its agent still does is recorded.
    pub fn pod_gone(&self, unit: &str) {
        let mut world = lock(self.world());
        if let Some(running) = world.agent(unit).running.take() {
            kill_hook(&running);
        }
        world.note_change();
    }

    /// Ends all agents for good and kills their hooks; returns when no hook runs any more. Nothing
    /// holds the Kubernetes any longer then.
    pub fn end(&self) {
        drop(lock(&self.core.cloud).take());
        let mut world = lock(self.world());
        world.deployment.is_over = true;
        for agent in world.agents.values() {
            if let Some(running) = &agent.running {
                kill_hook(running);
            }
        }
        world.note_change();
        let deadline = Instant::now().checked_add(LAST_WORDS);
        while world.agents.values().any(|agent| agent.running.is_some() && agent.is_busy)
            && deadline.is_some_and(|deadline| Instant::now() < deadline)
        {
            world = Core::wait(world, deadline);
        }
    }

    fn start_agent(
        &self,
        world: &mut World,
        unit: &str,
        version: u32,
        place: Arc<dyn Place>,
        memory: Memory,
    ) {
        world.deployment.next_generation += 1;
        let generation = world.deployment.next_generation;
        let me = Me { unit: unit.to_owned(), generation, place: Arc::clone(&place), version };
        let agent = world.agent(unit);
        if let Some(former) = &agent.running {
            kill_hook(former);
        }
        agent.members.clear();
        agent.running = Some(Running {
            place,
            version,
            generation,
            memory,
            tracker: Tracker::default(),
            hook_group: None,
            is_to_restart: false,
            restarts_at: None,
            is_to_end: false,
            is_frozen: false,
            has_ended: false,
        });
        world.note_change();
        let core = self.core.clone();
        thread::spawn(move || uniter::run(&core, &me));
    }
}

impl World {
    /// What an agent of the unit knows when it starts.
    pub(crate) fn fresh_memory(&mut self, unit: &str, is_unpacked: bool) -> Memory {
        let in_scope = self
            .model
            .relations
            .iter()
            .filter(|relation| relation.units.get(unit).is_some_and(|member| member.in_scope));
        let announced = in_scope.map(|relation| relation.id).collect();
        let period = self.deployment.clock.period(super::clock::UPDATE_STATUS);
        let first_tick = self.deployment.chance.around(period, super::clock::UPDATE_STATUS_JITTER);
        Memory {
            is_unpacked,
            owes_start: true,
            announced,
            update_status_at: Instant::now().checked_add(first_tick),
            shuffle: self.deployment.chance.number(),
            ..Memory::default()
        }
    }

    /// Whether a unit whose pod ends will have another one.
    fn comes_back(&self, unit: &str) -> bool {
        let ordinal: Option<u32> = unit.rsplit_once('/').and_then(|(_, it)| it.parse().ok());
        let deployed = self.deployment.applications.get(application_of(unit));
        let is_alive = self.model.unit(unit).is_some_and(|unit| unit.life == Life::Alive);
        let is_within = ordinal.zip(deployed).is_some_and(|(ordinal, it)| ordinal < it.scale);
        is_alive && is_within && !self.deployment.is_away
    }
}

/// How long a killed hook may take to be gone: one that is stuck in the kernel is left alone.
const LAST_WORDS: Duration = Duration::from_secs(10);

fn kill_hook(running: &Running) {
    if let Some(group) = running.hook_group {
        // A hook that has ended meanwhile needs no signal.
        let _ = signal_group(group, Signal::SIGKILL);
    }
}
