//! What a Redis is started from, and what one that runs is told: settings that follow what it has and
//! which units there are, and whom to follow where it missed it. Pure.

use std::fmt;

use crate::clients::redis::commands::Followed;
use crate::clients::redis::commands::Link;
use crate::clients::redis::commands::RedisState;
use crate::clients::volume::Contents;
use crate::render::inputs::Inputs;
use crate::render::redis_conf::min_replicas;
use crate::world::cluster::Cluster;
use crate::world::cluster::RedisView;
use crate::world::cluster::Role;
use crate::world::election::majority;

/// One setting that is to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `replica-priority`.
    Priority(u32),
    /// `min-replicas-to-write`.
    MinReplicas(u32),
    /// `appendonly yes`.
    AppendOnly,
}

impl Setting {
    /// The name that Redis knows it by, and the value.
    pub fn words(self) -> (&'static str, String) {
        match self {
            Self::Priority(priority) => ("replica-priority", priority.to_string()),
            Self::MinReplicas(count) => ("min-replicas-to-write", count.to_string()),
            Self::AppendOnly => ("appendonly", "yes".to_owned()),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = self.words();
        write!(out, "set {name} to {value}")
    }
}

/// What the keeper remembers of a Redis from one look to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// It was master since it last followed one with its link up: what it has may differ.
    pub was_master: bool,
    /// Most units' Sentinels answered when all were last asked: this unit is not cut off.
    pub in_touch: bool,
}

impl Memory {
    /// What is remembered after a look.
    #[must_use]
    pub fn after(self, state: &RedisState) -> Self {
        let was_master = match &state.master {
            None => true,
            Some(Followed { link: Link::Up, .. }) => false,
            Some(Followed { link: Link::Syncing | Link::Down, .. }) => self.was_master,
        };
        Self { was_master, ..self }
    }

    /// What is remembered after a look at all units.
    #[must_use]
    pub fn after_all(self, inputs: &Inputs, cluster: &Cluster) -> Self {
        let planned = inputs.planned.iter();
        let answering = planned.filter(|unit| cluster.sentinel(**unit).is_some()).count();
        Self { in_touch: answering >= majority(inputs.planned.len()), ..self }
    }
}

/// The settings that are to change, each with its reason.
pub fn settings(
    inputs: &Inputs,
    state: &RedisState,
    memory: Memory,
) -> Vec<(Setting, &'static str)> {
    let mut settings = Vec::new();
    let (wanted, why) = wanted_min_replicas(inputs, state, memory);
    if state.min_replicas != wanted {
        settings.push((Setting::MinReplicas(wanted), why));
    }
    let is_linked = state.master.as_ref().is_none_or(|master| master.link == Link::Up);
    let is_whole = is_linked && !state.is_loading;
    if is_whole && !state.append_only {
        settings.push((Setting::AppendOnly, "its data are complete"));
    }
    if let Some((wanted, why)) = priority(inputs, state, memory, is_whole)
        && wanted != state.priority
    {
        settings.push((Setting::Priority(wanted), why));
    }
    settings
}

/// A new master whose replicas are all still getting their data would refuse every write until one has
/// them. `min-replicas-to-write` is there for a master that is cut off, so it may be off as long as
/// the keeper sees that this one is not: it looks each second, where Redis would notice after ten.
fn wanted_min_replicas(inputs: &Inputs, state: &RedisState, memory: Memory) -> (u32, &'static str) {
    let usual = min_replicas(inputs.planned.len());
    let are_all_syncing = state.replicas.online == 0 && state.replicas.syncing > 0;
    if usual > 0 && state.master.is_none() && are_all_syncing && memory.in_touch {
        return (0, "its replicas are still getting all data");
    }
    (usual, "by the number of planned units")
}

/// A Redis that is promoted empties all others if it is empty. So it may be only when it has all data,
/// on its disk too. Once it may, a link that is down changes nothing: that is when it is needed.
fn priority(
    inputs: &Inputs,
    state: &RedisState,
    memory: Memory,
    is_whole: bool,
) -> Option<(u32, &'static str)> {
    if !inputs.planned.contains(&inputs.unit) {
        return Some((0, "this unit is leaving"));
    }
    if is_whole && state.append_only && !state.is_rewriting {
        return Some((PRIORITY, "its data are complete, in memory and on disk"));
    }
    if memory.was_master && state.master.is_some() {
        return Some((0, "it was master, and has not yet followed the new one"));
    }
    if state.master.as_ref().is_some_and(|master| master.link == Link::Syncing) {
        return Some((0, "all its data are about to be replaced"));
    }
    None
}

/// Whether a Redis starts with its append-only file, or from its dump without one; `all` is the length of
/// a dump that holds all that there is on the volume, where one was noted.
///
/// From its append-only file a replica could not go on where it was. One that may be promoted goes on
/// from there all the same: from the dump, it would take writes before there is a file for them.
pub fn has_append_only(volume: Contents, all: Option<u64>, follows: bool, priority: u32) -> bool {
    let holds_all = all.is_some() && all == volume.dump;
    let is_from_dump = follows && priority == 0 && holds_all;
    !is_from_dump && (volume.has_append_only || volume.dump.is_none())
}

/// Whom a Redis has to follow that missed an election: the elected master, where it is a master
/// itself, or follows another that it has no link to.
pub fn missed_master(inputs: &Inputs, cluster: &Cluster, state: &RedisState) -> Option<String> {
    let elected = cluster.elected().ok().filter(|elected| elected.master != inputs.unit)?;
    let host = cluster.naming.host(elected.master);
    let misses = match &state.master {
        None => true,
        Some(Followed { link: Link::Up | Link::Syncing, .. }) => false,
        Some(Followed { host, link: Link::Down }) => cluster.unit_at(host) != Some(elected.master),
    };
    misses.then_some(host)
}

/// Whether a replica waits for a master that does not come: nobody has all data and runs, or no Sentinel
/// has a vote. Who starts anew compares what there is.
pub fn is_stranded(inputs: &Inputs, cluster: &Cluster, state: &RedisState) -> bool {
    let Some(Followed { link: Link::Down, .. }) = &state.master else { return false };
    let serves = |view: &RedisView| {
        let is_linked = matches!(view.role, Role::Replica { link_up: true, .. });
        view.role == Role::Master || is_linked || view.priority.is_some_and(|it| it > 0)
    };
    let mut others = cluster.redis_servers().filter(|(unit, _)| *unit != inputs.unit);
    match cluster.voted() {
        // Promoted, or to be.
        Ok(voted) if voted.master == inputs.unit => false,
        Ok(voted) => {
            let is_there = cluster.redis(voted.master).is_some();
            state.priority == 0 && !is_there && !others.any(|(_, view)| serves(view))
        }
        Err(_) if cluster.nobody_votes() => !others.any(|(_, view)| view.role == Role::Master),
        Err(_) => state.priority == 0 && !others.any(|(_, view)| serves(view)),
    }
}

/// Redis' own default.
pub const PRIORITY: u32 = 100;
