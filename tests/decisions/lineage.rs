//! What is noted of a unit's data, and whose are the freshest by the notes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use redis_k8s::clients::redis::commands::Followed;
use redis_k8s::clients::redis::commands::Link;
use redis_k8s::clients::redis::commands::Position;
use redis_k8s::clients::redis::commands::RedisState;
use redis_k8s::clients::redis::commands::Replicas;
use redis_k8s::clients::volume::Contents;
use redis_k8s::keeper::noting::noted;
use redis_k8s::keeper::noting::ranked;
use redis_k8s::keeper::running;
use redis_k8s::world::lineage::Lineage;
use redis_k8s::world::lineage::Rank;
use redis_k8s::world::lineage::freshest;

use crate::worlds::Facts;
use crate::worlds::cluster;
use crate::worlds::host;

/// Data of a stream up to an offset, at epoch 3.
pub(crate) fn note(id: &str, offset: u64) -> Lineage {
    Lineage {
        rank: Rank { epoch: 3, starts: 1 },
        replication_id: id.to_owned(),
        offset,
        had_min_replicas: true,
        ..Lineage::default()
    }
}

fn at(epoch: u64, starts: u64, note: Lineage) -> Lineage {
    Lineage { rank: Rank { epoch, starts }, ..note }
}

fn freshest_of<const N: usize>(notes: [Lineage; N]) -> Vec<u32> {
    freshest(&(0..).zip(notes).collect())
}

#[test]
fn within_one_stream_the_offset_counts() {
    assert_eq!(freshest_of([note("a", 10), note("a", 30), note("a", 20)]), [1]);
    assert_eq!(freshest_of([note("a", 30), note("a", 30), note("a", 20)]), [0, 1]);
}

#[test]
fn between_streams_the_mastership_counts_and_no_offset() {
    assert_eq!(freshest_of([note("a", 900), at(4, 0, note("b", 1))]), [1]);
    assert_eq!(freshest_of([note("a", 900), at(3, 2, note("b", 1))]), [1]);
    assert_eq!(freshest_of([at(9, 1, note("a", 1)), at(3, 7, note("b", 900))]), [0]);
}

#[test]
fn a_stream_that_goes_on_from_another_is_ahead_of_it_before_its_epoch_is_known() {
    let promoted = Lineage { earlier_id: Some("a".to_owned()), ..note("b", 5) };
    assert_eq!(freshest_of([note("a", 900), promoted]), [1]);
}

#[test]
fn what_a_redis_without_a_keeper_left_counts_by_its_dump() {
    let dump = |before: Option<Lineage>, id: &str, offset: u64, written: u64| {
        Lineage::of_dump(before, id.to_owned(), offset, written)
    };
    // Of one stream the longer, of two the one that was written to later.
    assert_eq!(freshest_of([dump(None, "a", 10, 700), dump(None, "a", 20, 600)]), [1]);
    assert_eq!(freshest_of([dump(None, "a", 900, 600), dump(None, "b", 1, 700)]), [1]);
    // A keeper has noted the master's rank, or another master since.
    assert_eq!(freshest_of([note("a", 30), dump(None, "a", 20, 700)]), [0]);
    assert_eq!(freshest_of([note("b", 30), dump(None, "a", 20, 700)]), [0]);
    let again = dump(Some(note("a", 30)), "b", 5, 700);
    assert_eq!((again.rank.epoch, again.stopped_cleanly, again.was_master), (3, false, false));
    assert_eq!(dump(Some(note("a", 30)), "a", 20, 700), note("a", 30));
}

#[test]
fn one_that_has_not_heard_the_rank_of_its_stream_has_that_of_the_others() {
    let notes = [at(3, 4, note("a", 10)), at(3, 2, note("a", 20)), at(3, 3, note("b", 90))];
    assert_eq!(freshest_of(notes), [1]);
}

#[test]
fn a_master_that_was_about_to_start_is_ahead_of_all() {
    let before = note("a", 900);
    let starting = Lineage::of_starting_master(Some(&before), before.rank);
    assert_eq!(freshest_of([before, starting]), [1]);
}

fn state(master: Option<Link>, id: &str, offset: u64) -> RedisState {
    RedisState {
        master: master.map(|link| Followed { host: host(0), link }),
        is_loading: false,
        append_only: true,
        is_rewriting: false,
        priority: 0,
        min_replicas: 1,
        replicas: Replicas::default(),
        position: Position { replication_id: id.to_owned(), earlier_id: None, offset },
    }
}

#[test]
fn a_replica_notes_what_it_has_of_its_masters_stream() {
    let before = note("a", 10);
    let cases = [
        (Some(Link::Up), "a", Some(("a", 50))),
        (Some(Link::Up), "b", Some(("b", 50))),
        // What it had of the stream when the link broke.
        (Some(Link::Down), "a", Some(("a", 50))),
        // A process that has just started has an id of its own, and the data that were noted.
        (Some(Link::Down), "b", None),
        (Some(Link::Syncing), "b", None),
        (None, "b", Some(("b", 50))),
    ];
    for (master, id, expected) in cases {
        let seen = noted(Some(&before), &state(master, id, 50)).unwrap();
        let expected = expected.unwrap_or(("a", 10));
        assert_eq!((seen.replication_id.as_str(), seen.offset), expected, "{master:?} {id}");
        assert_eq!(seen.was_master, master.is_none());
    }
    let loading = RedisState { is_loading: true, ..state(None, "b", 0) };
    assert_eq!(noted(Some(&before), &loading), Some(before));
    assert_eq!(noted(None, &loading), None);
}

#[test]
fn what_is_not_in_the_append_only_file_yet_is_not_noted() {
    let before = note("a", 10);
    let replica = state(Some(Link::Up), "a", 50);
    let master = state(None, "a", 50);
    for (state, offset) in [
        (RedisState { append_only: false, ..replica.clone() }, 10),
        (RedisState { is_rewriting: true, ..replica }, 10),
        (RedisState { append_only: false, ..master.clone() }, 10),
        // A master's file is written to all the time.
        (RedisState { is_rewriting: true, ..master }, 50),
    ] {
        assert_eq!(noted(Some(&before), &state).unwrap().offset, offset, "{state:?}");
    }
}

#[test]
fn the_epoch_is_that_of_a_majority_which_elected_whose_data_these_are() {
    let world = cluster(3);
    let old = at(1, 5, note("a", 1));
    let (master, replica) = (state(None, "a", 1), state(Some(Link::Up), "a", 1));
    let elected = Rank { epoch: 3, starts: 0 };
    assert_eq!(ranked(&old, &master, &world, 0), elected);
    assert_eq!(ranked(&old, &replica, &world, 1), elected);
    // Another is elected; the link is down; no majority; the Sentinels are newer than the data.
    assert_eq!(ranked(&old, &master, &world, 1), old.rank);
    assert_eq!(ranked(&old, &state(Some(Link::Down), "a", 1), &world, 1), old.rank);
    let mut split = cluster(3);
    for unit in [1, 2] {
        split.view(unit).vote = host(unit);
    }
    assert_eq!(ranked(&old, &master, &split, 0), old.rank);
    let newer = at(7, 5, note("a", 1));
    assert_eq!(ranked(&newer, &master, &world, 0), newer.rank);
}

#[test]
fn a_note_is_read_as_it_was_written_and_anything_else_is_none() {
    let promoted = Lineage { earlier_id: Some("0".to_owned()), was_master: true, ..note("a", 1) };
    assert_eq!(Lineage::parse(&promoted.render()), Some(promoted));
    for text in ["", "{}", "null", "{\"rank\":7}", "\u{0}"] {
        assert_eq!(Lineage::parse(text), None);
    }
}

fn any_note() -> impl Strategy<Value = Lineage> {
    let id = || prop::sample::select(vec!["", "a", "b", "c"]);
    (0..3u64, 0..3u64, id(), id(), 0..4u64).prop_map(|(epoch, starts, id, earlier, offset)| {
        let earlier_id = Some(earlier.to_owned()).filter(|it| !it.is_empty() && it != id);
        Lineage { earlier_id, ..at(epoch, starts, note(id, offset)) }
    })
}

proptest! {
    /// Two streams do not each go on from the other; where notes say so, nobody wins by force.
    #[test]
    fn among_notes_of_one_descent_somebody_is_the_freshest(
        notes in prop::collection::vec(any_note(), 1..5),
    ) {
        let notes: BTreeMap<u32, Lineage> = (0..).zip(notes.into_iter().map(|mut note| {
            // `c` goes on from `b`, `b` from `a`.
            note.earlier_id = match note.replication_id.as_str() {
                "c" => Some("b".to_owned()),
                "b" => Some("a".to_owned()),
                _ => None,
            };
            note
        })).collect();
        prop_assert!(!freshest(&notes).is_empty());
    }

    #[test]
    fn the_freshest_has_all_that_anybody_has_of_its_stream(
        notes in prop::collection::vec(any_note(), 1..5),
    ) {
        let notes: BTreeMap<u32, Lineage> = (0..).zip(notes).collect();
        for unit in freshest(&notes) {
            let best = &notes[&unit];
            let same = notes.values().filter(|note| {
                !note.replication_id.is_empty() && note.replication_id == best.replication_id
            });
            prop_assert!(same.map(|note| note.offset).max().unwrap_or_default() <= best.offset);
        }
    }
}

#[test]
fn a_replica_starts_from_a_dump_that_holds_all_and_any_other_from_its_append_only_file() {
    let (both, dump_only) = ((true, Some(80)), (false, Some(80)));
    for ((has_append_only, dump), all, follows, priority, expected) in [
        (both, Some(80), true, 0, false),
        (both, Some(80), false, 0, true),
        (both, Some(80), true, 100, true),
        (both, Some(81), true, 0, true),
        (both, None, true, 0, true),
        ((true, None), None, true, 0, true),
        ((true, None), Some(80), true, 0, true),
        // Redis would not read a dump beside an append-only file, be it a new one.
        (dump_only, None, false, 0, false),
        (dump_only, None, true, 100, false),
        ((false, None), None, true, 0, true),
        ((false, None), None, false, 0, true),
    ] {
        let volume = Contents { has_append_only, dump, has_data: true };
        let found = running::has_append_only(volume, all, follows, priority);
        assert_eq!(found, expected, "{volume:?} {all:?} {follows} {priority}");
    }
}
