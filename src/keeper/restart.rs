//! Whose data a restart goes on with, when no Redis is left that could tell. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::render::inputs::Inputs;
use crate::world::cluster::Cluster;
use crate::world::election::Elected;
use crate::world::lineage::KeeperView;
use crate::world::lineage::Lineage;
use crate::world::lineage::Rank;
use crate::world::lineage::freshest;

/// What is known of the units.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What the charm said.
    pub inputs: &'a Inputs,
    /// What the servers said.
    pub cluster: &'a Cluster,
    /// What this unit has.
    pub own: &'a KeeperView,
    /// What the other keepers said.
    pub keepers: &'a BTreeMap<u32, KeeperView>,
}

/// Whose data are the freshest of those that are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The unit.
    pub freshest: u32,
    /// The planned units that are not there.
    pub missing: BTreeSet<u32>,
    /// Whether to go on without those.
    pub stage: Stage,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// With what is there.
    GoOn,
    /// The missing ones are still waited for.
    Wait,
    /// The missing ones may have what nobody else has.
    Blocked,
}

impl Known<'_> {
    /// Looks at all that was heard. `voted` is the master that Sentinels name, where they do.
    pub fn finding(&self, voted: Option<Elected>, looked_for: Duration) -> Finding {
        let heard = self.heard();
        let missing: BTreeSet<u32> =
            self.inputs.planned.iter().copied().filter(|unit| !heard.contains_key(unit)).collect();
        let freshest = self.freshest(&heard, voted.map(|voted| voted.master));
        let is_accepted = missing.is_subset(&self.inputs.accepted_loss);
        // In the very first start there are no data, and the others may not be there yet.
        // Without a vote it may be that not all who have data are planned yet: units that are scaled
        // away and back come one after the other.
        let is_settled = voted.is_some() || looked_for >= WAIT || self.has_the_last_master(&heard);
        let is_whole = is_accepted && (is_settled || !missing.is_empty());
        let stage = if is_whole || self.inputs.bootstrap.is_some() {
            Stage::GoOn
        } else if looked_for < WAIT {
            Stage::Wait
        } else if self.has_the_master(&heard, voted)
            || (missing.len() == 1 && had_min_replicas(heard.get(&freshest)))
        {
            Stage::GoOn
        } else {
            Stage::Blocked
        };
        Finding { freshest, missing, stage }
    }

    /// Whether each keeper whose Redis does not run prefers this unit too: two that hear different
    /// units must not both become master.
    pub fn is_agreed_on(&self, unit: u32) -> bool {
        let planned = |other: &u32| self.inputs.planned.contains(other);
        let mut others = self.keepers.iter().filter(|(other, view)| {
            planned(other) && !view.redis_runs && **other != self.inputs.unit
        });
        others.all(|(_, view)| view.prefers == Some(unit))
    }

    /// The highest mastership that anybody has noted.
    pub fn latest_rank(&self) -> Rank {
        let notes = self.keepers.values().chain([self.own]).filter_map(|it| it.lineage.as_ref());
        notes.map(|note| note.rank).max().unwrap_or_default()
    }

    /// A unit is there when its keeper answers, or its Redis does, whose keeper may be an older one.
    fn heard(&self) -> BTreeMap<u32, KeeperView> {
        let planned = |unit: &u32| self.inputs.planned.contains(unit);
        let servers = self.cluster.redis_servers().map(|(unit, view)| {
            let has_data = view.has_data;
            (unit, KeeperView { has_data, redis_runs: true, ..KeeperView::default() })
        });
        let mut heard: BTreeMap<u32, KeeperView> = servers.collect();
        heard.extend(self.keepers.iter().map(|(unit, view)| (*unit, view.clone())));
        heard.insert(self.inputs.unit, self.own.clone());
        heard.retain(|unit, _| planned(unit));
        heard
    }

    fn freshest(&self, heard: &BTreeMap<u32, KeeperView>, voted: Option<u32>) -> u32 {
        let has_data = heard.values().any(|view| view.has_data);
        let notes: BTreeMap<u32, Lineage> = heard
            .iter()
            .filter(|(_, view)| view.has_data == has_data)
            .map(|(unit, view)| (*unit, view.lineage.clone().unwrap_or_default()))
            .collect();
        let recorded = self.recorded();
        // All are the same: whoever was master stays it.
        let preference = |unit: &u32| {
            let was_master = notes.get(unit).is_some_and(|note| note.was_master);
            (voted == Some(*unit), was_master, recorded == Some(*unit), Reverse(*unit))
        };
        freshest(&notes).into_iter().max_by_key(preference).unwrap_or(self.inputs.unit)
    }

    /// Whether the master is there with the data that it had as such.
    fn has_the_master(&self, heard: &BTreeMap<u32, KeeperView>, voted: Option<Elected>) -> bool {
        let (master, epoch) = match voted {
            Some(voted) => (Some(voted.master), Some(voted.epoch)),
            None => (self.recorded(), self.inputs.recorded_epoch),
        };
        let Some(view) = master.and_then(|master| heard.get(&master)) else { return false };
        let noted = view.lineage.as_ref().map(|note| note.rank.epoch);
        view.has_data && noted >= epoch
    }

    /// Whether the last master is there, of which the record may not know yet.
    fn has_the_last_master(&self, heard: &BTreeMap<u32, KeeperView>) -> bool {
        let notes = || heard.values().filter(|it| it.has_data).filter_map(|it| it.lineage.as_ref());
        let latest = notes().map(|note| note.rank.epoch).max().max(self.inputs.recorded_epoch);
        let is_latest = self.inputs.recorded_epoch.is_none_or(|epoch| latest <= Some(epoch));
        (is_latest && self.has_the_master(heard, None))
            || notes().any(|note| note.was_master && Some(note.rank.epoch) >= latest)
    }

    fn recorded(&self) -> Option<u32> {
        self.cluster.naming.unit_meant(self.inputs.recorded_master.as_ref()?)
    }
}

fn had_min_replicas(view: Option<&KeeperView>) -> bool {
    view.and_then(|view| view.lineage.as_ref()).is_some_and(|note| note.had_min_replicas)
}

/// How long units that are not there are waited for.
pub const WAIT: Duration = Duration::from_mins(1);
