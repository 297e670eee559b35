//! What ails the group although it has a master: by silence, ROLE, flags and lists, never by PING or
//! CKQUORUM, which say OK while no replica is known.

use crate::world::cluster::Answer;
use crate::world::cluster::Cluster;
use crate::world::cluster::Entry;
use crate::world::cluster::RedisView;
use crate::world::cluster::Role;
use crate::world::cluster::SentinelView;
use crate::world::election::majority;

impl Cluster {
    /// What ails the planned units' servers, the lowest unit first.
    pub fn ailments(&self) -> Vec<String> {
        let of_unit = |unit| [self.redis_ailment(unit), self.sentinel_ailment(unit)];
        self.planned().into_iter().flat_map(of_unit).flatten().collect()
    }

    /// What ails one unit's servers, a replica that may not become master included.
    pub fn ailment_of(&self, unit: u32) -> Option<String> {
        let Some(member) = self.members.get(&unit) else {
            return Some(format!("{} is not there", self.unit_text(unit)));
        };
        let servers = self.redis_ailment(unit).or_else(|| self.sentinel_ailment(unit));
        let is_unready = member.redis.said().is_some_and(|view| {
            matches!(view.role, Role::Replica { .. }) && view.priority.unwrap_or_default() == 0
        });
        let unready = || format!("Redis of {} may not become master yet", self.unit_text(unit));
        servers.or_else(|| is_unready.then(unready))
    }

    /// True when the loss of the master's pod would be failed over: a majority of the planned
    /// Sentinels would be left to vote, and a replica that follows.
    pub fn survives_loss_of(&self, master: u32) -> bool {
        let planned = self.planned();
        let left = || planned.iter().copied().filter(|unit| *unit != master);
        let voters = left().filter(|unit| self.sentinel_ailment(*unit).is_none()).count();
        let replicas = left().filter(|unit| self.redis_ailment(*unit).is_none()).count();
        voters >= majority(planned.len()) && replicas > 0
    }

    fn redis_ailment(&self, unit: u32) -> Option<String> {
        let what = match &self.members.get(&unit)?.redis {
            Answer::Silent(silence) => silence.to_string(),
            Answer::Said(RedisView { role: Role::Replica { link_up: false, .. }, .. }) => {
                "has no link to the master".to_owned()
            }
            Answer::Said(RedisView { role: Role::Replica { of, .. }, .. })
                if self.is_chained(of) =>
            {
                "follows another replica".to_owned()
            }
            Answer::Said(RedisView { role: Role::Replica { .. }, priority: Some(0), .. }) => {
                "may not become master yet".to_owned()
            }
            Answer::Said(_) => return None,
        };
        Some(format!("Redis of {} {what}", self.unit_text(unit)))
    }

    /// True for a host that is a unit's and not the elected master's.
    fn is_chained(&self, host: &str) -> bool {
        let master = self.elected().map(|elected| elected.master).ok();
        master.is_some() && self.unit_at(host).is_some_and(|unit| Some(unit) != master)
    }

    fn sentinel_ailment(&self, unit: u32) -> Option<String> {
        let what = match &self.members.get(&unit)?.sentinel {
            Answer::Silent(silence) => silence.to_string(),
            Answer::Said(view) => self.blindness(unit, view)?,
        };
        Some(format!("Sentinel of {} {what}", self.unit_text(unit)))
    }

    /// What a Sentinel that answers does not see.
    fn blindness(&self, unit: u32, view: &SentinelView) -> Option<String> {
        if view.master_down {
            return Some("holds the master for down".to_owned());
        }
        if view.quorum > view.sentinels.len() + 1 {
            return Some("wants more votes than there are Sentinels".to_owned());
        }
        let mut down = view.replicas.iter().chain(&view.sentinels).filter(|entry| entry.down);
        // One that is silent ails by itself; that the others hold it for down is no news.
        let wrongly = down.find_map(|entry| self.answering_unit(entry));
        if let Some(other) = wrongly {
            return Some(format!("holds {} for down", self.unit_text(other)));
        }
        let known = self.known_to(unit);
        let unlisted = self.planned().into_iter().find(|other| {
            (*other != unit && !known.sentinels.contains(other)) || !known.servers.contains(other)
        });
        unlisted.map(|other| format!("does not list {}", self.unit_text(other)))
    }

    fn answering_unit(&self, entry: &Entry) -> Option<u32> {
        let unit = self.planned_unit_named(&entry.host)?;
        let member = self.members.get(&unit)?;
        (member.redis.said().is_some() && member.sentinel.said().is_some()).then_some(unit)
    }
}
