//! The next event of one relation: what its databags and members are against what was told.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::juju::hook::Happening;
use crate::juju::model::Life;
use crate::juju::model::application_of;

use super::event::RelationEvent;
use super::memory::Memory;
use super::record::Delivered;
use super::view::RelationView;
use super::view::View;

/// What an agent has of one relation.
pub(super) struct InRelation<'a> {
    pub(super) unit: &'a str,
    pub(super) view: &'a View,
    pub(super) memory: &'a Memory,
    pub(super) relation: &'a RelationView,
    pub(super) delivered: &'a Delivered,
    /// Whether an agent that has restarted takes a peer relation for any other one.
    pub(super) forgets_peers: bool,
}

impl InRelation<'_> {
    /// The next event, in the order in which Juju tells of a relation's changes.
    pub(super) fn next(&self) -> Option<RelationEvent> {
        self.owed_changed()
            .or_else(|| self.departed())
            .or_else(|| self.broken())
            .or_else(|| self.application_changed())
            .or_else(|| self.joined())
            .or_else(|| self.changed())
    }

    /// Whether the unit is on its way out of the relation.
    fn is_leaving(&self) -> bool {
        let relation = self.relation;
        self.view.life != Life::Alive || relation.life != Life::Alive || relation.is_suspended
    }

    /// The units on the other side: for one that leaves there are none.
    fn members(&self) -> &BTreeMap<String, u64> {
        if self.is_leaving() { &NOBODY } else { &self.relation.members }
    }

    fn owed_changed(&self) -> Option<RelationEvent> {
        let unit = self.delivered.owed.clone()?;
        let version = self.members().get(&unit).copied().unwrap_or_default();
        Some(self.event(Happening::Changed { unit: unit.clone() }, application_of(&unit), version))
    }

    fn departed(&self) -> Option<RelationEvent> {
        let members = self.members();
        let (unit, version) =
            self.delivered.members.iter().find(|(unit, _)| !members.contains_key(*unit))?;
        let is_own = self.view.life != Life::Alive || self.view.application_life != Life::Alive;
        let departing = if is_own { self.unit } else { unit };
        let happening = Happening::Departed { unit: unit.clone(), departing: departing.to_owned() };
        Some(self.event(happening, application_of(unit), *version))
    }

    fn broken(&self) -> Option<RelationEvent> {
        let known = self.memory.entered.get(&self.relation.id);
        let is_peer = if self.forgets_peers {
            known.is_some_and(|known| known.is_peer)
        } else {
            self.relation.is_peer
        };
        let remote = known.map_or("", |known| &known.remote_application);
        (self.is_leaving() && !is_peer).then(|| self.event(Happening::Broken, remote, 0))
    }

    fn application_changed(&self) -> Option<RelationEvent> {
        if self.is_leaving() {
            return None;
        }
        let told = |application| self.delivered.applications.get(application).copied();
        let changed = self
            .relation
            .applications
            .iter()
            .find(|(application, version)| told(*application).unwrap_or_default() != **version);
        let (application, version) = changed?;
        Some(self.event(Happening::ApplicationChanged, application, *version))
    }

    fn joined(&self) -> Option<RelationEvent> {
        let told: BTreeSet<&String> = self.delivered.members.keys().collect();
        let (unit, version) = self.members().iter().find(|(unit, _)| !told.contains(unit))?;
        let happening = Happening::Joined { unit: unit.clone() };
        Some(self.event(happening, application_of(unit), *version))
    }

    fn changed(&self) -> Option<RelationEvent> {
        let told = &self.delivered.members;
        let changed =
            self.members().iter().find(|(unit, version)| told.get(*unit) != Some(version));
        let (unit, version) = changed?;
        let happening = Happening::Changed { unit: unit.clone() };
        Some(self.event(happening, application_of(unit), *version))
    }

    fn event(&self, happening: Happening, remote: &str, version: u64) -> RelationEvent {
        RelationEvent {
            relation: self.relation.id,
            endpoint: self.relation.endpoint.clone(),
            happening,
            remote_application: remote.to_owned(),
            version,
        }
    }
}

static NOBODY: BTreeMap<String, u64> = BTreeMap::new();
