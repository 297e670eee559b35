//! What the controller keeps of a unit's operations: it outlives the agent, the pod and its files.
//!
//! It is written after the changes of a hook are in: whoever dies between the two runs the hook
//! again.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::juju::hook::Happening;
use crate::juju::model::secret::events::SecretEvent;

use super::event::Event;
use super::event::RelationEvent;
use super::event::UnitEvent;
use super::view::View;

/// A unit's recorded operations.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) installed: bool,
    pub(crate) started: bool,
    pub(crate) stopped: bool,
    pub(crate) removed: bool,
    /// Whether the unit was told that it leads, or is about to be.
    pub(crate) leads: bool,
    /// Whether the charm has ever set the unit's status.
    pub(crate) status_set: bool,
    pub(crate) step: Step,
    /// The action that was begun and has not ended.
    pub(crate) action: Option<u64>,
    /// What `config-changed` has told of: options, trust and address.
    pub(crate) config: Option<u64>,
    /// What events have told of the relations whose scope the unit has entered.
    pub(crate) relations: BTreeMap<u32, Delivered>,
    /// Storage that `storage-attached` has told of.
    pub(crate) storages: BTreeSet<String>,
    /// What secret hooks have told of.
    pub(crate) secrets: BTreeSet<SecretEvent>,
}

/// Where a unit stands between two hooks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing is under way.
    #[default]
    Idle,
    /// That hook comes next.
    Queued(Event),
    /// That hook was begun, and has failed or is running.
    Pending(Event),
}

/// What events have told of a relation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// Units that have joined, with the version of their databags.
    pub(crate) members: BTreeMap<String, u64>,
    /// Versions of application databags.
    pub(crate) applications: BTreeMap<String, u64>,
    /// The unit whose `-joined` is through and whose `-changed` is owed.
    pub(crate) owed: Option<String>,
}

impl Record {
    /// Whether a hook was begun and is not done.
    pub(crate) fn is_failed(&self) -> bool {
        matches!(self.step, Step::Pending(_))
    }

    /// The hook is done, or skipped as if it were. The view is that from before the hook: what has
    /// changed since is still to be told.
    pub(crate) fn complete(&mut self, event: &Event, view: &View) {
        self.step = Step::Idle;
        match event {
            Event::Unit(event) => self.complete_unit(*event, view),
            Event::Relation(event) => self.deliver(event),
            Event::Storage(event) => {
                if event.is_attached {
                    self.storages.insert(event.id.clone());
                } else {
                    self.storages.remove(&event.id);
                }
            }
            Event::Secret(event) => {
                self.secrets.insert(event.clone());
            }
            // Agents keep this in memory only.
            Event::Workload(_) => {}
        }
    }

    fn complete_unit(&mut self, event: UnitEvent, view: &View) {
        match event {
            UnitEvent::Install => {
                self.installed = true;
                self.removed = false;
            }
            UnitEvent::UpgradeCharm => self.step = Step::Queued(UnitEvent::ConfigChanged.into()),
            UnitEvent::ConfigChanged => {
                self.config = Some(view.config);
                if !self.started {
                    self.step = Step::Queued(UnitEvent::Start.into());
                }
            }
            UnitEvent::Start => {
                self.started = true;
                self.stopped = false;
            }
            UnitEvent::Stop => self.stopped = true,
            UnitEvent::Remove => self.removed = true,
            UnitEvent::LeaderElected
            | UnitEvent::LeaderSettingsChanged
            | UnitEvent::UpdateStatus => {}
        }
    }

    fn deliver(&mut self, event: &RelationEvent) {
        if event.happening == Happening::Broken {
            self.relations.remove(&event.relation);
            return;
        }
        let delivered = self.relations.entry(event.relation).or_default();
        delivered.owed = None;
        match &event.happening {
            Happening::Created | Happening::Broken => {}
            Happening::Joined { unit } => {
                delivered.members.insert(unit.clone(), event.version);
                delivered.owed = Some(unit.clone());
            }
            Happening::Changed { unit } => {
                delivered.members.insert(unit.clone(), event.version);
            }
            Happening::ApplicationChanged => {
                delivered.applications.insert(event.remote_application.clone(), event.version);
            }
            Happening::Departed { unit, .. } => {
                delivered.members.remove(unit);
            }
        }
    }
}
