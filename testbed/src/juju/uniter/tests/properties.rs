//! What holds for every unit, whatever happens to it and in whatever order.

use std::collections::BTreeMap;

use proptest::prelude::Strategy;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;
use proptest::strategy::Just;
use proptest::test_runner::TestCaseError;

use crate::juju::hook::Happening;
use crate::juju::model::Life;
use crate::juju::uniter::event::Event;
use crate::juju::uniter::event::Signal;
use crate::juju::uniter::event::UnitEvent;
use crate::juju::uniter::memory::Entered;
use crate::juju::uniter::memory::Memory;
use crate::juju::uniter::record::Step;
use crate::juju::uniter::resolver::Operation;

use super::Unit;

/// Something that happens around the unit.
#[derive(Clone, Debug)]
enum Change {
    /// Another unit comes, goes, or writes.
    Joins(u8),
    Leaves(u8),
    Writes(u8),
    ApplicationWrites,
    Lease(bool),
    Options,
    Ready,
    Tick,
    Action,
    /// The agent restarts, in its pod or in a new one.
    AgentRestarts,
    PodRestarts,
    /// The hook that comes next fails, or is killed.
    NextFails,
    NextIsKilled,
    /// It is a while later.
    Retry,
    Dies,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => (0..4_u8).prop_map(Change::Joins),
        3 => (0..4_u8).prop_map(Change::Leaves),
        4 => (0..4_u8).prop_map(Change::Writes),
        2 => Just(Change::ApplicationWrites),
        3 => proptest::bool::ANY.prop_map(Change::Lease),
        2 => Just(Change::Options),
        2 => Just(Change::Ready),
        2 => Just(Change::Tick),
        1 => Just(Change::Action),
        2 => Just(Change::AgentRestarts),
        2 => Just(Change::PodRestarts),
        2 => Just(Change::NextFails),
        2 => Just(Change::NextIsKilled),
        3 => Just(Change::Retry),
        1 => Just(Change::Dies),
    ];
    proptest::collection::vec(change, 0..40)
}

/// A unit that lives, with what its charm has heard.
struct Lived {
    unit: Unit,
    heard: Vec<Event>,
    next_fails: bool,
    next_is_killed: bool,
}

impl Lived {
    fn apply(&mut self, change: &Change) {
        let unit = &mut self.unit;
        let relation = &mut unit.view.relations[0];
        let name = |number: &u8| format!("a/{}", number + 2);
        match change {
            Change::Joins(number) => {
                relation.members.entry(name(number)).or_insert(1);
            }
            Change::Leaves(number) => {
                relation.members.remove(&name(number));
            }
            Change::Writes(number) => {
                if let Some(version) = relation.members.get_mut(&name(number)) {
                    *version += 1;
                }
            }
            Change::ApplicationWrites => {
                *relation.applications.entry("a".to_owned()).or_default() += 1;
            }
            Change::Lease(leads) => unit.view.leads = *leads,
            Change::Options => unit.view.config += 1,
            Change::Ready => {
                unit.memory.hear("web", Signal::Ready);
            }
            Change::Tick => unit.memory.owes_update_status = unit.record.step == Step::Idle,
            Change::Action => unit.view.requests.push(9),
            Change::AgentRestarts => self.restart(true),
            Change::PodRestarts => self.restart(false),
            Change::NextFails => self.next_fails = true,
            Change::NextIsKilled => self.next_is_killed = true,
            Change::Retry => unit.is_retry_due = true,
            Change::Dies => unit.view.life = Life::Dying,
        }
    }

    fn restart(&mut self, is_unpacked: bool) {
        let in_scope = self.unit.view.relations[0].in_scope;
        let announced = in_scope.then_some(0).into_iter().collect();
        self.unit.memory = Memory { is_unpacked, owes_start: true, announced, ..Memory::default() };
    }

    /// Does one thing; false when there is nothing to do.
    fn step(&mut self) -> bool {
        let Some(operation) = self.unit.next() else { return false };
        let Unit { record, memory, view, .. } = &mut self.unit;
        match operation {
            Operation::Unpack => {
                memory.is_unpacked = true;
                if record.step == Step::Idle {
                    let event =
                        if record.installed { UnitEvent::UpgradeCharm } else { UnitEvent::Install };
                    record.step = Step::Queued(event.into());
                }
            }
            Operation::EnterScopes => {
                view.relations[0].in_scope = true;
                record.relations.entry(0).or_default();
                let remote_application = "a".to_owned();
                memory.entered.insert(0, Entered { is_peer: true, remote_application });
            }
            Operation::AcceptLeadership => {
                record.leads = true;
                record.step = Step::Queued(UnitEvent::LeaderElected.into());
            }
            Operation::ResignLeadership => record.leads = false,
            Operation::Run(event) => self.run(event),
            Operation::Skip(event) => {
                record.complete(&event, view);
                memory.complete(&event, view);
            }
            Operation::Request(_) => view.requests.clear(),
            Operation::FailAction(_) | Operation::DropStorage(_) => {}
            Operation::Die | Operation::End => return false,
        }
        true
    }

    fn run(&mut self, event: Event) {
        let fails = std::mem::take(&mut self.next_fails);
        let is_killed = std::mem::take(&mut self.next_is_killed);
        let Unit { record, memory, view, is_retry_due, .. } = &mut self.unit;
        *is_retry_due = false;
        memory.owes_start &= event != UnitEvent::Start.into();
        record.step = Step::Pending(event.clone());
        if let Event::Workload(event) = &event {
            memory.heard(event, !fails);
        }
        if is_killed && !event.is_workload() {
            record.step = Step::Queued(event);
        } else if !fails {
            record.complete(&event, view);
            memory.complete(&event, view);
            self.heard.push(event);
        }
    }
}

/// Checks what the charm has heard, in order.
fn check(heard: &[Event]) -> Result<(), TestCaseError> {
    let is = |event: &Event, wanted: UnitEvent| *event == wanted.into();
    let first = |wanted| heard.iter().position(|event| is(event, wanted));
    if let Some(event) = heard.first() {
        let early = is(event, UnitEvent::Install) || is(event, UnitEvent::Remove);
        prop_assert!(early, "install comes first: {heard:?}");
    }
    if let Some(start) = first(UnitEvent::Start) {
        let config = first(UnitEvent::ConfigChanged);
        prop_assert!(config.is_some_and(|config| config < start), "{heard:?}");
    }
    let mut members: BTreeMap<String, bool> = BTreeMap::new();
    for (index, event) in heard.iter().enumerate() {
        let Event::Relation(event) = event else { continue };
        match &event.happening {
            Happening::Joined { unit } => {
                prop_assert!(!members.contains_key(unit), "{unit} joins twice: {heard:?}");
                members.insert(unit.clone(), false);
                // Its changed is next of all that the relation tells.
                let later = heard.iter().skip(index + 1);
                let next = later.filter_map(|event| match event {
                    Event::Relation(event) => Some(&event.happening),
                    Event::Unit(_) | Event::Workload(_) | Event::Storage(_) | Event::Secret(_) => {
                        None
                    }
                });
                let changed = Happening::Changed { unit: unit.clone() };
                let next: Vec<_> = next.take(1).collect();
                prop_assert!(next.is_empty() || next == [&changed], "{heard:?}");
            }
            Happening::Changed { unit } => {
                prop_assert!(members.contains_key(unit), "{unit} changes unjoined: {heard:?}");
            }
            Happening::Departed { unit, .. } => {
                prop_assert!(members.remove(unit).is_some(), "{unit} never joined: {heard:?}");
            }
            Happening::Created | Happening::ApplicationChanged | Happening::Broken => {}
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_a_charm_hears_of_it_in_an_order_that_it_can_rely_on(changes in changes()) {
        let mut life = Lived {
            unit: Unit::new(),
            heard: Vec::new(),
            next_fails: false,
            next_is_killed: false,
        };
        life.unit.switches.peer_broken_after_restart = false;
        for change in &changes {
            life.apply(change);
            for _ in 0..3 {
                life.step();
            }
        }
        // Nothing goes wrong any more: everything is told, and then there is silence.
        (life.next_fails, life.next_is_killed) = (false, false);
        let mut steps = 0;
        loop {
            life.unit.is_retry_due = true;
            if !life.step() {
                break;
            }
            steps += 1;
            prop_assert!(steps < 1000, "no end: {:?}", life.heard);
        }
        check(&life.heard)?;
        let unit = &life.unit;
        if unit.view.life == Life::Alive {
            prop_assert_eq!(&unit.record.relations[&0].members, &unit.view.relations[0].members);
            prop_assert_eq!(unit.record.leads, unit.view.leads);
            prop_assert_eq!(unit.record.config, Some(unit.view.config));
            prop_assert!(unit.record.started && !unit.record.stopped);
        } else {
            prop_assert_eq!(unit.next(), Some(Operation::Die));
        }
    }
}
