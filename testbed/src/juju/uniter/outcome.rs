//! What follows from a hook that has ended, in the record, in the agent's memory and in the model.

use crate::trace::entry::What;

use crate::juju::hook::Happening;
use crate::juju::model::Life;
use crate::juju::model::relation::Member;
use crate::juju::model::secret::events::SecretEventKind;
use crate::juju::run::Commit;
use crate::juju::run::Exit;
use crate::juju::run::HookRun;
use crate::juju::switches::LeaseEnds;
use crate::juju::world::World;

use super::Me;
use super::event::Event;
use super::event::UnitEvent;
use super::event::WorkloadEvent;
use super::memory::Entered;
use super::process::Outcome;
use super::record::Record;
use super::record::Step;
use super::view::View;

impl World {
    pub(super) fn record(&mut self, me: &Me) -> &mut Record {
        self.deployment.records.entry(me.unit.clone()).or_default()
    }

    /// What a hook has come to.
    pub(super) fn take_in(&mut self, me: &Me, event: &Event, view: &View, outcome: Outcome) {
        let is_fine = match outcome {
            Outcome::Gone => return,
            Outcome::AgentDied => return self.die_before_record(me),
            Outcome::Missing => true,
            Outcome::Failed(error) => {
                self.complain(&me.unit, &error);
                false
            }
            Outcome::Ended(run) => {
                self.record(me).status_set |= sets_status(&run);
                let was_killed = matches!(run.exit, Exit::Signal(9 | 15));
                if was_killed && !event.is_workload() {
                    self.record(me).step = Step::Queued(event.clone());
                    if let Some(running) = &mut self.agent(&me.unit).running {
                        running.memory.is_hook_terminated = true;
                    }
                    return;
                }
                run.exit == Exit::Code(0) && run.commit == Commit::Committed && run.error.is_none()
            }
        };
        if let Event::Workload(event) = event {
            self.hear_workload(me, event, is_fine);
        }
        if is_fine {
            self.complete(me, event, view);
        }
    }

    /// The event's hook is through. One about a notice that fails takes the agent with it.
    fn hear_workload(&mut self, me: &Me, event: &WorkloadEvent, is_fine: bool) {
        let Some(running) = &mut self.agent(&me.unit).running else { return };
        running.memory.heard(event, is_fine);
        running.is_to_restart |= !is_fine && !event.signal.is_ready();
    }

    /// Records that the hook is done, with what follows from it.
    pub(super) fn complete(&mut self, me: &Me, event: &Event, view: &View) {
        self.record(me).complete(event, view);
        if let Some(running) = &mut self.agent(&me.unit).running {
            running.memory.complete(event, view);
        }
        match event {
            Event::Unit(UnitEvent::Start) if !self.record(me).status_set => {
                self.set_unit_status(me, "unknown", "");
            }
            Event::Unit(UnitEvent::Stop) => self.set_unit_status(me, "maintenance", ""),
            Event::Unit(UnitEvent::Remove) => self.set_unit_status(me, "terminated", ""),
            Event::Relation(event) if event.happening == Happening::Broken => {
                self.leave_scope(me, event.relation);
            }
            Event::Storage(event) if !event.is_attached => {
                if let Some(unit) = self.model.unit_mut(&me.unit) {
                    unit.storage.remove(&event.id);
                }
            }
            Event::Secret(event) if matches!(event.kind, SecretEventKind::Rotate { .. }) => {
                self.model.note_secret_rotated(&event.id, event.revision());
            }
            Event::Unit(_)
            | Event::Relation(_)
            | Event::Workload(_)
            | Event::Storage(_)
            | Event::Secret(_) => {}
        }
    }

    pub(super) fn leave_scope(&mut self, me: &Me, relation: u32) {
        let relation = self.model.relation_mut(relation);
        if let Some(member) = relation.and_then(|relation| relation.units.get_mut(&me.unit)) {
            member.in_scope = false;
        }
        self.drop_broken_relations();
    }

    pub(super) fn enter_scopes(&mut self, me: &Me, view: &View) {
        let keys = self.model.network_keys(&me.unit);
        let leads = view.leads;
        let joined = self.model.status("joined", "");
        for seen in view.relations.iter().filter(|relation| relation.is_enterable()) {
            let Some(relation) = self.model.relation_mut(seen.id) else { continue };
            let member = relation.units.entry(me.unit.clone()).or_insert_with(Member::default);
            member.in_scope = true;
            // Nothing is left of what an earlier unit of that name has written.
            member.data.clone_from(&keys);
            if leads {
                relation.status = joined.clone();
            }
            self.record(me).relations.entry(seen.id).or_default();
            if let Some(running) = &mut self.agent(&me.unit).running {
                let remote_application = seen.remote_application.clone();
                let entered = Entered { is_peer: seen.is_peer, remote_application };
                running.memory.entered.insert(seen.id, entered);
            }
        }
    }

    pub(super) fn accept_leadership(&mut self, me: &Me) {
        let is_lost = self.deployment.faults.loses_election(&me.unit);
        let record = self.record(me);
        record.leads = true;
        if !is_lost {
            record.step = Step::Queued(UnitEvent::LeaderElected.into());
        }
    }

    /// The unit has run its last hook.
    pub(super) fn die(&mut self, me: &Me) {
        if let Some(unit) = self.model.unit_mut(&me.unit)
            && unit.life != Life::Dead
        {
            unit.life = Life::Dead;
            let (of, life) = (me.unit.clone(), "dead".to_owned());
            self.deployment.trace.push(What::Life { of, life });
        }
        if self.deployment.switches.lease_ends == LeaseEnds::WhenDead {
            self.release_lease(&me.unit);
        }
        self.deployment.requests.fail_all(&me.unit, "unit is gone");
        if let Some(running) = &mut self.agent(&me.unit).running {
            running.has_ended = true;
        }
    }

    /// The agent's process dies with the hook's changes in, and starts again.
    pub(super) fn die_before_record(&mut self, me: &Me) {
        if let Some(running) = &mut self.agent(&me.unit).running {
            running.is_to_restart = true;
        }
    }

    /// A status that Juju sets itself.
    pub(super) fn set_unit_status(&mut self, me: &Me, word: &str, message: &str) {
        let status = self.model.status(word, message);
        self.record_status(&me.unit, &status);
        if let Some(unit) = self.model.unit_mut(&me.unit) {
            unit.status = status;
        }
    }
}

fn sets_status(run: &HookRun) -> bool {
    // The Python framework says of each status which of the two it is: `--application=False`.
    let is_for_application = |word: &str| {
        let value = word.strip_prefix("--application");
        value.is_some_and(|value| {
            !["=0", "=f", "=false"].contains(&value.to_ascii_lowercase().as_str())
        })
    };
    run.calls.iter().any(|call| {
        let mut words = call.argv.iter().map(String::as_str);
        words.next() == Some("status-set")
            && call.exit == Some(0)
            && !words.take_while(|word| *word != "--").any(is_for_application)
    })
}
