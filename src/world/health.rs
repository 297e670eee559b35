//! What ails the group although it has a master: by silence, ROLE, flags and lists, never by PING or
//! CKQUORUM, which say OK while no replica is known.

use std::collections::BTreeMap;

use crate::world::cluster::Cluster;
use crate::world::cluster::Entry;
use crate::world::cluster::Role;
use crate::world::cluster::SentinelView;

impl Cluster {
    /// The planned units that could not take part in the next failover, each with what ails it.
    pub fn ailing(&self, master: Option<u32>) -> BTreeMap<u32, String> {
        self.planned()
            .into_iter()
            .filter_map(|unit| Some((unit, self.ailment(unit, master)?)))
            .collect()
    }

    fn ailment(&self, unit: u32, master: Option<u32>) -> Option<String> {
        let member = self.members.get(&unit)?;
        let name = self.unit_text(unit);
        if let Some(silence) = member.redis.silence() {
            return Some(format!("Redis of {name} {silence}"));
        }
        if let Some(silence) = member.sentinel.silence() {
            return Some(format!("Sentinel of {name} {silence}"));
        }
        if let Some(Role::Replica { link_up: false, .. }) = self.redis(unit).map(|it| &it.role) {
            return Some(format!("Redis of {name} has no link to the master"));
        }
        self.blindness(unit, self.sentinel(unit)?, master)
            .map(|what| format!("Sentinel of {name} {what}"))
    }

    /// What a Sentinel that answers does not see.
    fn blindness(&self, unit: u32, view: &SentinelView, master: Option<u32>) -> Option<String> {
        if view.master_down {
            return Some("holds the master for down".to_owned());
        }
        let mut down = view.replicas.iter().chain(&view.sentinels).filter(|entry| entry.down);
        // One that is silent ails by itself; that the others hold it for down is no news.
        let wrongly = down.find_map(|entry| self.answering_unit(entry));
        if let Some(other) = wrongly {
            return Some(format!("holds {} for down", self.unit_text(other)));
        }
        let known = self.known_to(unit);
        let unlisted = self.planned().into_iter().find(|other| {
            (*other != unit && !known.sentinels.contains(other))
                || (Some(*other) != master && !known.replicas.contains(other))
        });
        unlisted.map(|other| format!("does not list {}", self.unit_text(other)))
    }

    fn answering_unit(&self, entry: &Entry) -> Option<u32> {
        let unit = self.planned_unit_named(&entry.host)?;
        let member = self.members.get(&unit)?;
        (member.redis.said().is_some() && member.sentinel.said().is_some()).then_some(unit)
    }
}
