//! The planned switch, step by step.

use std::time::Duration;

use redis_k8s::procedure::ask_failover::Taken;
use redis_k8s::procedure::switchover::Limits;
use redis_k8s::procedure::switchover::Next;
use redis_k8s::procedure::switchover::Outcome;
use redis_k8s::procedure::switchover::Switchover;
use redis_k8s::world::cluster::Answer;
use redis_k8s::world::cluster::Cluster;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;

use crate::worlds::Facts;
use crate::worlds::cluster;
use crate::worlds::host;

const LIMITS: Limits = Limits { ready: Duration::from_secs(12), over: Duration::from_secs(16) };

fn from_unit_0() -> Switchover {
    Switchover::new(0, LIMITS)
}

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Three units of which unit 0 stops: its own Sentinel is gone already.
fn stopping() -> Cluster {
    let mut cluster = cluster(3);
    cluster.member(0).sentinel = Answer::Silent(Silence::Refused);
    cluster
}

/// The same when unit 2 has become master.
fn switched() -> Cluster {
    let mut cluster = stopping();
    cluster.server(2).role = Role::Master;
    let view = cluster.view(1);
    view.vote = host(2);
    view.epoch += 1;
    cluster
}

fn fenced(switch: &mut Switchover, now: Duration) {
    assert_eq!(switch.next(&stopping(), now), Next::Fence);
    switch.fenced(true, now);
}

#[test]
fn a_healthy_master_is_fenced_asks_one_sentinel_follows_and_lets_go() {
    let mut switch = from_unit_0();
    fenced(&mut switch, at(0.0));
    assert_eq!(switch.next(&stopping(), at(0.01)), Next::Ask(vec![1, 2]));
    switch.answered(Some((1, Taken::Perhaps)), at(0.02));
    assert_eq!(switch.next(&stopping(), at(0.1)), Next::Look);
    assert_eq!(switch.next(&stopping(), at(1.0)), Next::Fence, "each second");
    switch.fenced(true, at(1.0));
    assert_eq!(switch.next(&switched(), at(1.1)), Next::Follow(2));
    let mut follows = switched();
    follows.server(0).role = Role::Replica { of: host(2), link_up: false };
    assert_eq!(switch.next(&follows, at(1.2)), Next::Unfence);
    assert_eq!(switch.next(&follows, at(1.3)), Next::Done(Outcome::Moved(2)));
}

#[test]
fn nobody_is_asked_where_writes_are_not_held() {
    let mut switch = from_unit_0();
    for now in [0.0, 0.1, 0.2] {
        assert_eq!(switch.next(&stopping(), at(now)), Next::Fence);
        switch.fenced(false, at(now));
    }
}

#[test]
fn nobody_is_asked_before_everyone_who_may_be_promoted_has_all_writes() {
    let mut switch = from_unit_0();
    fenced(&mut switch, at(0.0));
    let mut behind = stopping();
    behind.server(0).offset = 1_200;
    behind.server(1).offset = 1_200;
    assert_eq!(switch.next(&behind, at(0.1)), Next::Look, "unit 2 has 1000 of 1200");
    behind.server(2).offset = 1_199;
    assert_eq!(switch.next(&behind, at(0.2)), Next::Look);
    behind.server(2).offset = 1_200;
    // What comes after the fence is no write.
    behind.server(0).offset = 1_214;
    assert_eq!(switch.next(&behind, at(0.3)), Next::Ask(vec![1, 2]));
}

#[test]
fn a_sentinel_that_would_promote_another_than_is_in_sync_looks_again_before_writes_are_held() {
    let mut restarted = stopping();
    // It was restarted: it is empty, and the Sentinels have not heard of that.
    restarted.server(2).priority = Some(0);
    restarted.server(2).role = Role::Replica { of: host(0), link_up: false };
    let mut switch = from_unit_0();
    assert_eq!(switch.next(&restarted, at(11.0)), Next::Look, "a second one is on its way");
    assert_eq!(switch.next(&restarted, at(12.0)), Next::Hasten(vec![1, 2]));
    for unit in [1, 2] {
        restarted.view(unit).info_period = Some(1_000);
    }
    assert_eq!(switch.next(&restarted, at(12.1)), Next::Look);
    for unit in [1, 2] {
        for entry in &mut restarted.view(unit).replicas {
            entry.eligible = entry.host == host(1);
        }
    }
    assert_eq!(switch.next(&restarted, at(12.2)), Next::Fence);
    assert_eq!(switch.hastened().iter().copied().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn who_stops_too_is_not_waited_for_once_it_is_gone() {
    let mut both = stopping();
    both.server(2).priority = Some(0);
    let mut switch = from_unit_0();
    assert_eq!(switch.next(&both, at(0.1)), Next::Look);
    both.silence(2, Silence::Refused);
    for entry in &mut both.view(1).replicas {
        entry.eligible = entry.host == host(1);
    }
    assert_eq!(switch.next(&both, at(0.2)), Next::Fence);
}

#[test]
fn without_anybody_else_nothing_is_waited_for() {
    let mut alone = stopping();
    alone.silence(1, Silence::Refused);
    alone.silence(2, Silence::Refused);
    let mut switch = from_unit_0();
    assert_eq!(switch.next(&alone, at(0.0)), Next::Look, "they may only be slow");
    assert_eq!(switch.next(&alone, at(1.0)), Next::Done(Outcome::NobodyToAsk));
    let mut unserved = stopping();
    for unit in [1, 2] {
        unserved.member(unit).redis = Answer::Silent(Silence::Refused);
    }
    let mut switch = from_unit_0();
    assert_eq!(switch.next(&unserved, at(0.0)), Next::Look);
    assert_eq!(switch.next(&unserved, at(1.0)), Next::Done(Outcome::NobodyThere));
}

#[test]
fn a_replica_that_is_not_in_sync_is_waited_for_within_the_limit() {
    let mut syncing = stopping();
    for unit in [1, 2] {
        syncing.server(unit).priority = Some(0);
    }
    let mut switch = from_unit_0();
    assert_eq!(switch.next(&syncing, at(11.9)), Next::Look);
    assert_eq!(switch.next(&syncing, at(12.0)), Next::Done(Outcome::NobodyInSync));
}

#[test]
fn a_unit_that_leaves_for_good_is_never_chosen() {
    let mut leaving = stopping();
    leaving.member(2).leaving = true;
    let mut switch = from_unit_0();
    assert_eq!(switch.next(&leaving, at(0.0)), Next::Hasten(vec![1]), "it is still eligible");
}

#[test]
fn one_that_lags_far_behind_is_waited_for_before_writes_are_held() {
    let mut lagging = stopping();
    lagging.server(0).offset = 10 << 20;
    lagging.server(1).offset = 10 << 20;
    let mut switch = from_unit_0();
    assert_eq!(switch.next(&lagging, at(0.0)), Next::Look);
    lagging.server(2).offset = (10 << 20) - 100;
    assert_eq!(switch.next(&lagging, at(0.1)), Next::Fence);
}

#[test]
fn whoever_became_master_is_followed_and_a_vote_alone_is_not_enough() {
    let mut switch = from_unit_0();
    let mut voted = switched();
    voted.server(2).role = Role::Replica { of: host(0), link_up: true };
    assert_eq!(switch.next(&voted, at(0.0)), Next::Fence);
    assert_eq!(switch.next(&switched(), at(0.1)), Next::Follow(2));
}

#[test]
fn nobody_is_asked_while_another_is_master_whom_no_sentinel_names() {
    let mut switch = from_unit_0();
    fenced(&mut switch, at(0.0));
    let mut unnamed = stopping();
    unnamed.server(2).role = Role::Master;
    assert_eq!(switch.next(&unnamed, at(0.1)), Next::Look);
    assert_eq!(switch.next(&stopping(), at(0.2)), Next::Ask(vec![1, 2]));
}

#[test]
fn a_replica_hands_nothing_over_unless_a_failover_may_make_it_master() {
    let mut switch = Switchover::new(1, LIMITS);
    let mut world = cluster(3);
    world.view(2).leads_failover = true;
    assert_eq!(switch.next(&world, at(0.0)), Next::Look);
    world.view(2).leads_failover = false;
    assert_eq!(switch.next(&world, at(0.1)), Next::Done(Outcome::NoMaster));
}

#[test]
fn when_the_time_is_up_the_fence_stands() {
    let mut switch = from_unit_0();
    fenced(&mut switch, at(0.0));
    assert_eq!(switch.next(&stopping(), at(16.0)), Next::Done(Outcome::OutOfTime));
    assert_eq!(switch.next(&switched(), at(16.1)), Next::Done(Outcome::OutOfTime));
}
