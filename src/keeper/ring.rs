//! When the keeper rings: a notice of Pebble, from which Juju makes a hook. Pure.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::render::inputs::Inputs;
use crate::world::cluster::Cluster;
use crate::world::cluster::Role;
use crate::world::cluster::Silence;

/// Why it rings. It goes on until the charm has done what it is rung for: then the inputs say so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The elected master is not the recorded one.
    MasterChanged(u32),
    /// A unit that leaves is gone: no server of it answers, and the master does not list it.
    UnitGone(u32),
    /// leader-elected is kept for a later run.
    Deferred,
    /// The status tells of something that has passed.
    Well,
    /// A master runs, and too few Sentinels to replace it: this unit's does not run either.
    SentinelMissing,
    /// Redis does not start without these units.
    DataMissing(BTreeSet<u32>),
}

impl Reason {
    /// The key of the notice. Notices are one by key, so one of another unit is the same.
    pub fn key(&self) -> &'static str {
        match self {
            Self::MasterChanged(_) => MASTER_CHANGED,
            Self::UnitGone(_) => UNIT_GONE,
            Self::Deferred => DEFERRED,
            Self::Well => WELL,
            Self::SentinelMissing => SENTINEL_MISSING,
            Self::DataMissing(_) => DATA_MISSING,
        }
    }
}

/// The elected master is not the recorded one.
pub const MASTER_CHANGED: &str = "redis.charm/master-changed";

/// A unit that leaves is gone.
pub const UNIT_GONE: &str = "redis.charm/unit-gone";

/// leader-elected is kept for a later run.
pub const DEFERRED: &str = "redis.charm/deferred";

/// What the status tells of has passed.
pub const WELL: &str = "redis.charm/well";

/// A master runs, and this unit's Sentinel is to be started.
pub const SENTINEL_MISSING: &str = "redis.charm/sentinel-missing";

/// Redis does not start without units that are missing.
pub const DATA_MISSING: &str = "redis.charm/data-missing";

/// The reasons that there are in what the servers say.
pub fn reasons(inputs: &Inputs, cluster: &Cluster) -> BTreeSet<Reason> {
    let mut reasons = BTreeSet::new();
    if inputs.deferred {
        reasons.insert(Reason::Deferred);
    }
    if inputs.unwell && is_well(cluster) {
        reasons.insert(Reason::Well);
    }
    if let Ok(elected) = cluster.elected()
        && inputs.recorded_master.as_ref() != Some(&cluster.naming.host(elected.master))
    {
        reasons.insert(Reason::MasterChanged(elected.master));
    }
    if is_sentinel_missing(inputs, cluster) {
        reasons.insert(Reason::SentinelMissing);
    }
    reasons.extend(gone(inputs, cluster).map(Reason::UnitGone));
    reasons
}

/// The units that leave and are gone. They may be most of those that were to agree on a master, so that
/// none can be elected: a Redis that acts as master is enough, or a vote for the very one that is gone.
fn gone<'a>(inputs: &'a Inputs, cluster: &'a Cluster) -> impl Iterator<Item = u32> + 'a {
    let masters: Vec<_> = cluster
        .redis_servers()
        .map(|(_, view)| view)
        .filter(|view| view.role == Role::Master)
        .collect();
    let named = cluster.latest_vote().map(|vote| vote.master);
    let is_dropped = move |unit: u32| {
        let host = cluster.naming.host(unit);
        let is_replaced = !masters.is_empty() || named == Some(unit);
        is_replaced && !masters.iter().any(|view| view.replicas.contains(&host))
    };
    let others = inputs.leaving.iter().copied().filter(|unit| *unit != inputs.unit);
    others.filter(move |unit| is_silent(cluster, *unit) && is_dropped(*unit))
}

/// After a full restart without a vote: a new Sentinel is started when there is a master that it can be
/// pointed at, and the pod's own events were long before.
fn is_sentinel_missing(inputs: &Inputs, cluster: &Cluster) -> bool {
    let own = cluster.members.get(&inputs.unit).and_then(|own| own.sentinel.silence());
    let has_master = cluster.redis_servers().any(|(_, view)| view.role == Role::Master);
    let is_first = inputs.bootstrap.is_some();
    own == Some(&Silence::Refused) && has_master && !is_first && cluster.voted().is_err()
}

fn is_well(cluster: &Cluster) -> bool {
    let is_exact = cluster.stale_sentinels().is_empty();
    cluster.settled().is_ok() && cluster.ailments().is_empty() && is_exact
}

fn is_silent(cluster: &Cluster, unit: u32) -> bool {
    let away = |silence: Option<&Silence>| {
        silence.is_some_and(|why| {
            matches!(why, Silence::NotResolved | Silence::Refused | Silence::TimedOut)
        })
    };
    cluster
        .members
        .get(&unit)
        .is_some_and(|member| away(member.redis.silence()) && away(member.sentinel.silence()))
}

/// What has been rung for, and when.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    rung: BTreeMap<Reason, Rung>,
}

#[derive(Clone, Copy, Debug)]
struct Rung {
    last: Duration,
    times: u32,
}

impl Bell {
    /// The reasons to ring for `now`. A deferral has just been tried, so it is not rung for at once.
    pub fn due(&mut self, reasons: &BTreeSet<Reason>, now: Duration) -> Vec<Reason> {
        self.rung.retain(|reason, _| reasons.contains(reason));
        let mut due = Vec::new();
        for reason in reasons {
            match self.rung.get_mut(reason) {
                None => {
                    let at_once = *reason != Reason::Deferred;
                    self.rung.insert(reason.clone(), Rung { last: now, times: u32::from(at_once) });
                    due.extend(at_once.then(|| reason.clone()));
                }
                // It holds until somebody does something, and the charm has nothing to do meanwhile.
                Some(rung) if matches!(reason, Reason::DataMissing(_)) && rung.times > 0 => {}
                Some(rung) if now.saturating_sub(rung.last) >= EVERY && rung.times < MOST => {
                    *rung = Rung { last: now, times: rung.times + 1 };
                    due.push(reason.clone());
                }
                Some(_) => {}
            }
        }
        due
    }

    /// Pebble has not taken it: it counts for nothing, and is due again after the usual time.
    pub fn unheard(&mut self, reason: &Reason) {
        if let Some(rung) = self.rung.get_mut(reason) {
            rung.times = rung.times.saturating_sub(1);
        }
    }
}

/// How often it rings for the same thing.
pub const EVERY: Duration = Duration::from_secs(10);

/// How many times; then update-status takes over.
pub const MOST: u32 = 30;
