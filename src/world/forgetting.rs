//! Whether a Sentinel may forget what it lists and is no planned unit's.

use std::collections::BTreeSet;

use crate::world::cluster::Answer;
use crate::world::cluster::Cluster;
use crate::world::cluster::Kind;
use crate::world::cluster::SentinelView;
use crate::world::cluster::Stranger;
use crate::world::election::Known;
use crate::world::obstacle::Obstacle;

impl Cluster {
    /// Why a Sentinel may not forget its strangers yet; `None` when it may. The group must be
    /// `settled` besides.
    pub fn keeps_strangers(&self, sentinel: u32, master: u32) -> Option<Obstacle> {
        let view = self.sentinel(sentinel)?;
        self.is_held_for_down()
            .or_else(|| self.would_be_lost(sentinel, view, master))
            .or_else(|| {
                self.strangers_in(view)
                    .iter()
                    .find_map(|stranger| self.keeps_stranger(view, stranger, master))
            })
            .or_else(|| self.is_still_blind(sentinel, master))
    }

    /// The same of a Sentinel that forgets by a restart: it keeps everybody else.
    pub fn keeps_after_restart(&self, sentinel: u32, master: u32) -> Option<Obstacle> {
        let view = self.sentinel(sentinel)?;
        self.is_held_for_down().or_else(|| {
            self.strangers_in(view)
                .iter()
                .find_map(|stranger| self.keeps_stranger(view, stranger, master))
        })
    }

    /// Whether a planned unit may restart its Sentinel at this moment, so that it forgets all that is no
    /// planned unit's.
    pub fn may_forget_by_restart(&self, unit: u32) -> bool {
        let is_held = |master| self.keeps_after_restart(unit, master).is_some();
        let is_planned = self.members.get(&unit).is_some_and(|member| !member.leaving);
        is_planned && self.settled().is_ok_and(|elected| !is_held(elected.master))
    }

    /// A Sentinel that holds the master for down could not learn the others again through it.
    fn is_held_for_down(&self) -> Option<Obstacle> {
        let (unit, _) = self.sentinels().find(|(_, view)| view.master_down)?;
        Some(Obstacle::HeldForDown { sentinel: self.unit_text(unit) })
    }

    fn keeps_stranger(
        &self,
        view: &SentinelView,
        stranger: &Stranger,
        master: u32,
    ) -> Option<Obstacle> {
        let meant = self.unit_at(&stranger.host);
        if let Some(unit) = meant.filter(|unit| self.members.get(unit).is_some_and(|m| m.leaving)) {
            return Some(Obstacle::Leaving { unit: self.unit_text(unit) });
        }
        let listed_by_master =
            self.redis(master).is_none_or(|redis| redis.replicas.contains(&stranger.host));
        if stranger.kind == Kind::Redis && listed_by_master {
            return Some(Obstacle::StillReplicating { stranger: stranger.to_string() });
        }
        let other_name = |unit: u32| Obstacle::KnownByOtherName {
            unit: self.unit_text(unit),
            stranger: stranger.to_string(),
        };
        match self.strangers.get(stranger) {
            Some(Answer::Said(run_id)) => match self.planned_unit_that_is(stranger.kind, run_id) {
                Some(unit) if self.is_listed_rightly(view, stranger.kind, unit) => None,
                Some(unit) => Some(other_name(unit)),
                None => Some(Obstacle::StrangerAnswers { stranger: stranger.to_string() }),
            },
            Some(Answer::Silent(silence)) if silence.needs_a_cure() => {
                Some(Obstacle::StrangerAnswers { stranger: stranger.to_string() })
            }
            Some(Answer::Silent(_)) => None,
            None => Some(Obstacle::StrangerNotAsked { stranger: stranger.to_string() }),
        }
    }

    fn planned_unit_that_is(&self, kind: Kind, run_id: &str) -> Option<u32> {
        let unit = match kind {
            Kind::Redis => self.redis_servers().find(|(_, it)| it.run_id == run_id).map(|(n, _)| n),
            Kind::Sentinel => self.sentinels().find(|(_, it)| it.my_id == run_id).map(|(n, _)| n),
        };
        unit.filter(|unit| self.planned().contains(unit))
    }

    /// True when the view lists a unit under its right name as well: forgetting the other name then
    /// loses nothing.
    fn is_listed_rightly(&self, view: &SentinelView, kind: Kind, unit: u32) -> bool {
        let listed = match kind {
            Kind::Redis => &view.replicas,
            Kind::Sentinel => &view.sentinels,
        };
        self.planned_units_in(listed).contains(&unit)
    }

    /// RESET forgets the planned as well: each that is listed must be there to be learned again.
    fn would_be_lost(&self, sentinel: u32, view: &SentinelView, master: u32) -> Option<Obstacle> {
        let replicating = self.redis(master).map(|redis| {
            redis.replicas.iter().filter_map(|host| self.planned_unit_named(host)).collect()
        });
        let replicating: BTreeSet<u32> = replicating.unwrap_or_default();
        let lost_replica = self
            .planned_units_in(&view.replicas)
            .into_iter()
            .find(|unit| *unit != master && !replicating.contains(unit));
        let lost_sentinel = self
            .planned_units_in(&view.sentinels)
            .into_iter()
            .find(|unit| *unit != sentinel && self.sentinel(*unit).is_none());
        lost_replica.or(lost_sentinel).map(|unit| Obstacle::WouldBeForgotten {
            unit: self.unit_text(unit),
            sentinel: self.unit_text(sentinel),
        })
    }

    /// Another Sentinel that does not list who is there, as one does that was reset a moment ago: two
    /// at once may leave nobody who can fail over.
    fn is_still_blind(&self, but: u32, master: u32) -> Option<Obstacle> {
        let planned = self.planned();
        let replicating = self.redis(master)?.replicas.iter();
        let replicas: BTreeSet<u32> =
            replicating.filter_map(|host| self.planned_unit_named(host)).collect();
        let answering: BTreeSet<u32> =
            self.sentinels().map(|(unit, _)| unit).filter(|unit| planned.contains(unit)).collect();
        let blind = answering.iter().copied().filter(|unit| *unit != but).find(|unit| {
            let mut known = self.known_to(*unit);
            known.sentinels.insert(*unit);
            !known.covers(&Known { servers: replicas.clone(), sentinels: answering.clone() })
        })?;
        Some(Obstacle::StillBlind { sentinel: self.unit_text(blind) })
    }
}
