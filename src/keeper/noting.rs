//! What is noted of the data of a Redis that runs. Pure.

use crate::clients::redis::commands::Followed;
use crate::clients::redis::commands::Link;
use crate::clients::redis::commands::RedisState;
use crate::world::cluster::Cluster;
use crate::world::election::Elected;
use crate::world::lineage::Lineage;
use crate::world::lineage::Rank;

/// The note after a look at the own Redis.
pub fn noted(before: Option<&Lineage>, state: &RedisState) -> Option<Lineage> {
    let position = &state.position;
    let is_same = before.is_some_and(|note| note.replication_id == position.replication_id);
    let is_of_master = state.master.as_ref().is_none_or(|master| master.link == Link::Up);
    // A process that has not yet heard its master has an id that means nothing.
    if state.is_loading || position.replication_id.is_empty() || !(is_same || is_of_master) {
        return before.cloned();
    }
    // What a replica has got anew, or has started from a dump with, is not in its append-only file
    // before that is written anew.
    if !state.append_only || (state.is_rewriting && state.master.is_some()) {
        return before.cloned();
    }
    Some(Lineage {
        rank: rank(before, state),
        replication_id: position.replication_id.clone(),
        earlier_id: position.earlier_id.clone(),
        offset: position.offset,
        was_master: state.master.is_none(),
        stopped_cleanly: false,
        dump: None,
        had_min_replicas: state.min_replicas > 0,
    })
}

/// One that was made master without having followed another since its start goes on from what was
/// noted, and is ahead of all of the same rank. So is a master whose stream gets another id, as it does
/// when the first replica comes.
fn rank(before: Option<&Lineage>, state: &RedisState) -> Rank {
    let Some(note) = before else { return Rank::default() };
    let position = &state.position;
    let known = [Some(&position.replication_id), position.earlier_id.as_ref()];
    let is_told = note.replication_id.is_empty() || known.contains(&Some(&note.replication_id));
    let starts = u64::from(state.master.is_none() && !is_told);
    Rank { starts: note.rank.starts + starts, ..note.rank }
}

/// The rank after a look at all: the epoch of a majority that elected this unit, or the one whose data
/// it has. A lower one than what is noted is of Sentinels that are newer than the data.
pub fn ranked(note: &Lineage, state: &RedisState, cluster: &Cluster, own: u32) -> Rank {
    let follows = |elected: &Elected| match &state.master {
        None => elected.master == own,
        Some(Followed { host, link }) => {
            *link == Link::Up && cluster.unit_at(host) == Some(elected.master)
        }
    };
    match cluster.elected().ok().filter(follows) {
        Some(elected) if elected.epoch > note.rank.epoch => {
            Rank { epoch: elected.epoch, starts: 0 }
        }
        Some(_) | None => note.rank,
    }
}
