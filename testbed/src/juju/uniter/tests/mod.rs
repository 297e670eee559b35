//! A unit as the rules see it, to be changed by a row of a table or by chance.

mod properties;
mod rules;

use std::collections::BTreeMap;

use crate::juju::model::Life;
use crate::juju::switches::Switches;

use super::event::Event;
use super::event::Signal;
use super::event::UnitEvent;
use super::memory::Entered;
use super::memory::Memory;
use super::record::Delivered;
use super::record::Record;
use super::record::Step;
use super::resolver::Operation;
use super::resolver::Situation;
use super::resolver::next;
use super::view::RelationView;
use super::view::StorageView;
use super::view::View;

/// A unit in service that has nothing to do, to be changed by a row.
#[derive(Clone, Debug)]
struct Unit {
    record: Record,
    memory: Memory,
    view: View,
    switches: Switches,
    is_retry_due: bool,
}

const CONFIG: u64 = 7;

impl Unit {
    /// Started, alone in its peer relation, and told of everything.
    fn in_service() -> Self {
        let peers = RelationView {
            id: 0,
            endpoint: "peers".to_owned(),
            is_peer: true,
            remote_application: "a".to_owned(),
            in_scope: true,
            applications: BTreeMap::from([("a".to_owned(), 0)]),
            ..RelationView::default()
        };
        let mut unit = Self {
            record: Record { installed: true, started: true, ..Record::default() },
            memory: Memory { is_unpacked: true, ..Memory::default() },
            view: View { config: CONFIG, relations: vec![peers], ..View::default() },
            switches: Switches::JUJU_4,
            is_retry_due: false,
        };
        unit.record.config = Some(CONFIG);
        unit.record.relations.insert(0, Delivered::default());
        unit.memory.announced.insert(0);
        let remote_application = "a".to_owned();
        unit.memory.entered.insert(0, Entered { is_peer: true, remote_application });
        unit
    }

    /// As its pod starts for the first time.
    fn new() -> Self {
        let mut unit = Self::in_service();
        unit.record = Record::default();
        unit.memory = Memory::default();
        unit.view.relations[0].in_scope = false;
        unit
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn next(&self) -> Option<Operation> {
        next(&Situation {
            unit: "a/1",
            record: &self.record,
            memory: &self.memory,
            view: &self.view,
            switches: &self.switches,
            is_retry_due: self.is_retry_due,
        })
    }

    /// In a word: the hook's name and what it is about, or the operation's own.
    fn next_word(&self) -> String {
        let described = |event: &Event| {
            let about = event.about().map(|about| format!(" {about}")).unwrap_or_default();
            event.name() + &about
        };
        match self.next() {
            None => "-".to_owned(),
            Some(Operation::Run(event)) => described(&event),
            Some(Operation::Skip(event)) => format!("skip {}", described(&event)),
            Some(operation) => format!("{operation:?}"),
        }
    }

    fn pending(event: UnitEvent) -> Self {
        Self::in_service().with(|it| it.record.step = Step::Pending(event.into()))
    }

    fn queued(event: UnitEvent) -> Self {
        Self::in_service().with(|it| it.record.step = Step::Queued(event.into()))
    }

    fn dying() -> Self {
        Self::in_service().with(|it| it.view.life = Life::Dying)
    }

    fn leads(mut self) -> Self {
        self.view.leads = true;
        self
    }

    fn hears(mut self, signal: Signal) -> Self {
        self.memory.hear("web", signal);
        self
    }

    fn with_storage(mut self, is_told: bool) -> Self {
        self.view.storages.push(StorageView {
            id: "data/0".to_owned(),
            is_provisioned: true,
            location: "/data".to_owned(),
            kind: "filesystem",
        });
        if is_told {
            self.record.storages.insert("data/0".to_owned());
        }
        self
    }

    /// Members of the peer relation as they are, and as the unit was told.
    fn members(mut self, there: &[(&str, u64)], told: &[(&str, u64)]) -> Self {
        let map = |members: &[(&str, u64)]| {
            members.iter().map(|(unit, version)| ((*unit).to_owned(), *version)).collect()
        };
        self.view.relations[0].members = map(there);
        self.record.relations.entry(0).or_default().members = map(told);
        self
    }

    fn requested(mut self) -> Self {
        self.view.requests = vec![5];
        self
    }

    fn terminating(mut self) -> Self {
        self.memory.is_terminating = true;
        self
    }
}
