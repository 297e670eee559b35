//! What the keeper tells a Redis that runs, when it rings, and whom it asks for a failover.

use std::time::Duration;

use expect_test::Expect;
use expect_test::expect;
use redis_k8s::clients::redis::commands::Followed;
use redis_k8s::clients::redis::commands::Link;
use redis_k8s::clients::redis::commands::Position;
use redis_k8s::clients::redis::commands::RedisState;
use redis_k8s::clients::redis::commands::Replicas;
use redis_k8s::keeper::ring::Bell;
use redis_k8s::keeper::ring::Reason;
use redis_k8s::keeper::ring::reasons;
use redis_k8s::keeper::running::Memory;
use redis_k8s::keeper::running::is_stranded;
use redis_k8s::keeper::running::missed_master;
use redis_k8s::keeper::running::settings;
use redis_k8s::procedure::ask_failover::AskFailover;
use redis_k8s::procedure::ask_failover::Next;
use redis_k8s::procedure::ask_failover::Taken;
use redis_k8s::render::inputs::Inputs;
use redis_k8s::world::cluster::Answer;
use redis_k8s::world::cluster::Silence;

use crate::worlds::Facts;
use crate::worlds::cluster;
use crate::worlds::host;
use crate::worlds::inputs;

/// A replica of unit 0 that has all its data, with the settings that it was started with.
fn replica() -> RedisState {
    RedisState {
        master: Some(Followed { host: host(0), link: Link::Up }),
        is_loading: false,
        append_only: true,
        is_rewriting: false,
        priority: 0,
        min_replicas: 1,
        replicas: Replicas::default(),
        position: Position { replication_id: "a".to_owned(), earlier_id: None, offset: 100 },
    }
}

fn linked(link: Link) -> RedisState {
    RedisState { master: Some(Followed { host: host(0), link }), ..replica() }
}

fn changes(inputs: &Inputs, state: &RedisState, memory: Memory, expected: Expect) {
    let settings = settings(inputs, state, memory);
    let lines: Vec<_> = settings.iter().map(|(what, why)| format!("{what}: {why}")).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_replica_may_be_promoted_when_its_data_are_complete_in_memory_and_on_disk() {
    let of_three = inputs(1, 3);
    let fresh = Memory::default();
    changes(
        &of_three,
        &replica(),
        fresh,
        expect!["set replica-priority to 100: its data are complete, in memory and on disk"],
    );
    let not_yet = [
        linked(Link::Syncing),
        linked(Link::Down),
        RedisState { is_loading: true, ..replica() },
        RedisState { is_rewriting: true, ..replica() },
    ];
    for state in not_yet {
        changes(&of_three, &state, fresh, expect![""]);
    }
    changes(
        &of_three,
        &RedisState { append_only: false, ..replica() },
        fresh,
        expect!["set appendonly to yes: its data are complete"],
    );
}

#[test]
fn a_replica_that_loses_its_link_may_still_be_promoted() {
    let state = RedisState { priority: 100, ..linked(Link::Down) };
    changes(&inputs(1, 3), &state, Memory::default(), expect![""]);
}

#[test]
fn an_old_master_may_not_be_promoted_before_it_has_followed_the_new_one() {
    let master = RedisState { master: None, priority: 100, ..replica() };
    let memory = Memory::default().after(&master);
    let demoted = RedisState { priority: 100, ..linked(Link::Syncing) };
    let memory = memory.after(&demoted);
    changes(
        &inputs(1, 3),
        &demoted,
        memory,
        expect!["set replica-priority to 0: it was master, and has not yet followed the new one"],
    );
    let followed = replica();
    changes(
        &inputs(1, 3),
        &followed,
        memory.after(&followed),
        expect!["set replica-priority to 100: its data are complete, in memory and on disk"],
    );
}

#[test]
fn a_unit_that_leaves_may_not_be_promoted() {
    let mut told = inputs(1, 3);
    told.planned.remove(&1);
    let state = RedisState { priority: 100, min_replicas: 0, ..replica() };
    changes(
        &told,
        &state,
        Memory::default(),
        expect!["set replica-priority to 0: this unit is leaving"],
    );
}

#[test]
fn a_master_takes_writes_while_all_its_replicas_get_their_data_unless_it_is_cut_off() {
    let master = RedisState { master: None, priority: 100, ..replica() };
    let all = cluster(3);
    let mut cut_off = cluster(3);
    for unit in [1, 2] {
        cut_off.silence(unit, Silence::TimedOut);
    }
    let told = inputs(0, 3);
    let off = "set min-replicas-to-write to 0: its replicas are still getting all data";
    for (online, syncing, seen, expected) in [
        (0, 2, &all, off),
        (0, 1, &all, off),
        (0, 1, &cut_off, ""),
        (1, 1, &all, ""),
        (0, 0, &all, ""),
    ] {
        let state = RedisState { replicas: Replicas { online, syncing }, ..master.clone() };
        let memory = Memory::default().after(&state).after_all(&told, seen);
        let settings = settings(&told, &state, memory);
        let lines: Vec<_> = settings.iter().map(|(what, why)| format!("{what}: {why}")).collect();
        assert_eq!(lines.join("\n"), expected, "{online} online, {syncing} syncing");
    }
    let open =
        RedisState { min_replicas: 0, replicas: Replicas { online: 1, syncing: 1 }, ..master };
    changes(
        &told,
        &open,
        Memory::default().after_all(&told, &all),
        expect!["set min-replicas-to-write to 1: by the number of planned units"],
    );
}

#[test]
fn min_replicas_follows_the_planned_units() {
    let state = RedisState { priority: 100, ..replica() };
    changes(
        &inputs(1, 2),
        &state,
        Memory::default(),
        expect!["set min-replicas-to-write to 0: by the number of planned units"],
    );
    let state = RedisState { min_replicas: 0, ..state };
    changes(
        &inputs(1, 5),
        &state,
        Memory::default(),
        expect!["set min-replicas-to-write to 1: by the number of planned units"],
    );
}

#[test]
fn a_redis_that_missed_an_election_follows_the_elected_master() {
    let mut world = cluster(3);
    let master = RedisState { master: None, ..replica() };
    assert_eq!(missed_master(&inputs(0, 3), &world, &master), None);
    assert_eq!(missed_master(&inputs(1, 3), &world, &replica()), None);
    world.fail_over_to(2, 4);
    assert_eq!(missed_master(&inputs(0, 3), &world, &master), Some(host(2)));
    assert_eq!(missed_master(&inputs(1, 3), &world, &linked(Link::Down)), Some(host(2)));
    // Sentinel is about to tell it, and a link that is up loses nothing.
    assert_eq!(missed_master(&inputs(1, 3), &world, &replica()), None);
    assert_eq!(missed_master(&inputs(2, 3), &world, &master), None);
    // Whom nobody confirms as master nobody follows.
    world.silence(2, Silence::TimedOut);
    assert_eq!(missed_master(&inputs(0, 3), &world, &master), None);
}

#[test]
fn it_rings_when_the_elected_master_is_not_the_recorded_one() {
    let mut world = cluster(3);
    assert_eq!(reasons(&inputs(1, 3), &world), [].into());
    world.fail_over_to(2, 4);
    assert_eq!(reasons(&inputs(1, 3), &world), [Reason::MasterChanged(2)].into());
}

#[test]
fn it_rings_when_a_unit_that_leaves_is_gone() {
    let mut told = inputs(1, 2);
    told.leaving = [2].into();
    let mut world = cluster(3);
    world.member(2).leaving = true;
    assert_eq!(reasons(&told, &world), [].into(), "it still runs");
    world.silence(2, Silence::TimedOut);
    assert_eq!(reasons(&told, &world), [].into(), "the master still lists it");
    world.server(0).replicas.retain(|replica| *replica != host(2));
    assert_eq!(reasons(&told, &world), [Reason::UnitGone(2)].into());
}

#[test]
fn it_rings_when_a_master_that_leaves_is_gone_and_most_sentinels_with_it() {
    let mut told = inputs(1, 2);
    told.leaving = [0, 2].into();
    told.planned = [1].into();
    let mut world = cluster(3);
    for unit in [0, 2] {
        world.member(unit).leaving = true;
        world.silence(unit, Silence::TimedOut);
    }
    assert_eq!(reasons(&told, &world), [Reason::UnitGone(0)].into());
    told.planned = [0].into();
    told.unit = 0;
    told.leaving = [1, 2].into();
    let mut world = cluster(3);
    world.server(0).replicas.clear();
    for unit in [1, 2] {
        world.member(unit).leaving = true;
        world.silence(unit, Silence::TimedOut);
    }
    let both = [Reason::UnitGone(1), Reason::UnitGone(2)].into();
    assert_eq!(reasons(&told, &world), both, "the master stays, and most Sentinels are gone");
}

#[test]
fn it_rings_when_what_the_status_tells_of_has_passed() {
    let mut told = inputs(1, 3);
    told.unwell = true;
    let mut world = cluster(3);
    assert_eq!(reasons(&told, &world), [Reason::Well].into());
    world.view(2).sentinels.clear();
    assert_eq!(reasons(&told, &world), [].into(), "a Sentinel is not exact");
    let mut world = cluster(3);
    world.view(2).leads_failover = true;
    assert_eq!(reasons(&told, &world), [].into(), "a failover runs");
}

#[test]
fn it_rings_at_once_then_every_ten_seconds_and_thirty_times_at_most() {
    let mut bell = Bell::default();
    let why = [Reason::MasterChanged(2)].into();
    let rung = (0..1_000).filter(|second| {
        let due = bell.due(&why, Duration::from_secs(*second));
        assert!(second % 10 == 0 || due.is_empty());
        !due.is_empty()
    });
    assert_eq!(rung.count(), 30);
    assert_eq!(bell.due(&[].into(), Duration::from_secs(1_000)), []);
    assert_eq!(bell.due(&why, Duration::from_secs(1_001)).len(), 1, "it has changed again");
}

#[test]
fn a_deferral_is_not_rung_for_at_once() {
    let mut bell = Bell::default();
    let why = [Reason::Deferred].into();
    let rung: Vec<u64> = (0..400)
        .filter(|second| !bell.due(&why, Duration::from_secs(*second)).is_empty())
        .collect();
    assert_eq!(rung.first(), Some(&10));
    assert_eq!(rung.len(), 30);
}

const NOW: Duration = Duration::from_secs(100);

#[test]
fn the_lowest_other_sentinel_is_asked_for_a_failover() {
    let mut world = cluster(4);
    assert_eq!(AskFailover::default().next(&world, 0, NOW), Next::Ask(vec![1, 2, 3]));
    assert_eq!(AskFailover::default().next(&world, 1, NOW), Next::Ask(vec![0, 2, 3]));
    world.member(1).sentinel = Answer::Silent(Silence::TimedOut);
    world.member(2).leaving = true;
    assert_eq!(AskFailover::default().next(&world, 0, NOW), Next::Ask(vec![3]));
}

#[test]
fn a_second_sentinel_is_asked_at_once_only_after_the_first_refused() {
    let world = cluster(3);
    let mut asking = AskFailover::default();
    asking.answered(Some((1, Taken::No)), NOW);
    assert_eq!(asking.next(&world, 0, NOW), Next::Ask(vec![2]));
    asking.answered(Some((2, Taken::No)), NOW);
    assert_eq!(asking.next(&world, 0, NOW), Next::Wait);
    let later = NOW + Duration::from_secs(3);
    assert_eq!(asking.next(&world, 0, later), Next::Ask(vec![1, 2]));
}

#[test]
fn nobody_is_asked_while_a_failover_may_be_under_way() {
    let mut world = cluster(3);
    let mut asking = AskFailover::default();
    asking.answered(Some((1, Taken::Perhaps)), NOW);
    let almost = Duration::from_millis(2_999);
    assert_eq!(asking.next(&world, 0, NOW + almost), Next::Wait);
    world.view(1).leads_failover = true;
    let seen = NOW + Duration::from_secs(5);
    assert_eq!(asking.next(&world, 0, seen), Next::Wait);
    world.view(1).leads_failover = false;
    assert_eq!(asking.next(&world, 0, seen + almost), Next::Wait);
    assert_eq!(asking.next(&world, 0, seen + Duration::from_secs(3)), Next::Ask(vec![1, 2]));
}

#[test]
fn asking_is_in_vain_when_everybody_has_refused_for_a_minute() {
    let mut asking = AskFailover::default();
    assert!(!asking.is_in_vain(NOW));
    asking.answered(Some((1, Taken::No)), NOW);
    let minute = Duration::from_mins(1);
    assert!(!asking.is_in_vain(NOW + Duration::from_secs(59)));
    assert!(asking.is_in_vain(NOW + minute));
    asking.answered(None, NOW + minute);
    assert!(asking.is_in_vain(NOW + minute), "one that is silent changes nothing");
    asking.answered(Some((2, Taken::Perhaps)), NOW + minute);
    assert!(!asking.is_in_vain(NOW + minute * 3));
}

#[test]
fn nobody_is_asked_while_a_sentinel_may_act_by_itself() {
    for (silence, is_asked) in
        [(0, true), (3_499, true), (3_500, false), (5_100, false), (14_999, false), (15_000, true)]
    {
        let mut world = cluster(3);
        world.view(2).master_silence = silence;
        let next = AskFailover::default().next(&world, 0, NOW);
        assert_eq!(next != Next::Wait, is_asked, "{silence} ms");
    }
}

#[test]
fn a_replica_is_stranded_where_its_master_does_not_come_and_nobody_else_has_all_data() {
    let stranded = |change: &dyn Fn(&mut redis_k8s::world::cluster::Cluster), priority: u32| {
        let mut world = cluster(3);
        for unit in 0..3 {
            world.member(unit).redis = Answer::Silent(Silence::Refused);
        }
        change(&mut world);
        let state = RedisState { priority, ..linked(Link::Down) };
        is_stranded(&inputs(1, 3), &world, &state)
    };
    assert!(stranded(&|_| {}, 0));
    assert!(!stranded(&|_| {}, 100), "it may be promoted");
    let runs = |from: u32, to: u32| {
        move |world: &mut redis_k8s::world::cluster::Cluster| {
            world.member(to).redis = cluster(3).member(from).redis.clone();
        }
    };
    assert!(!stranded(&runs(0, 0), 0), "its master runs");
    assert!(!stranded(&runs(1, 2), 0), "another may be promoted");
    assert!(!stranded(&|world| world.fail_over_to(1, 4), 0), "it is elected itself");
    let without_a_vote = |world: &mut redis_k8s::world::cluster::Cluster| {
        for unit in 0..3 {
            world.silence(unit, Silence::Refused);
        }
    };
    assert!(stranded(&without_a_vote, 100), "nobody can promote it");
    assert!(!is_stranded(&inputs(1, 3), &cluster(3), &replica()));
}
