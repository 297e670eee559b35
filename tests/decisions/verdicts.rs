//! What the status says and whether leader-elected is kept.

use redis_k8s::act::Deeds;
use redis_k8s::decide::verdict::Course;
use redis_k8s::decide::verdict::Status;
use redis_k8s::decide::verdict::Word;
use redis_k8s::decide::verdict::verdict;
use redis_k8s::event::Event;
use redis_k8s::world::World;
use redis_k8s::world::cluster::Answer;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::deferral::Deferral;
use redis_k8s::world::deferral::DeferralChange;
use redis_k8s::world::juju::Leadership;
use redis_k8s::world::obstacle::Obstacle;
use redis_k8s::world::workload::Container;

use crate::containers::first_start;
use crate::containers::sentinel;
use crate::containers::whole;
use crate::worlds::Facts;
use crate::worlds::first_deployment;
use crate::worlds::healthy;
use crate::worlds::host;
use crate::worlds::judged;

fn says(world: &World) -> (Word, String) {
    let Status { word, message } = judged(Event::UpdateStatus, world).status.unwrap();
    (word, message)
}

fn waits_for(world: &World, message: &str) {
    assert_eq!(says(world), (Word::Waiting, message.to_owned()));
}

fn is_active(world: &World, message: &str) {
    assert_eq!(says(world), (Word::Active, message.to_owned()));
}

fn entry() -> Deferral {
    Deferral { since: 7, tries: 2, why: "a failover".to_owned() }
}

#[test]
fn three_healthy_units_are_active_and_nothing_more_is_to_be_said() {
    is_active(&healthy(3), "");
}

#[test]
fn one_and_two_units_say_that_a_loss_is_not_failed_over() {
    is_active(&healthy(1), "no failover: a single unit");
    is_active(&healthy(2), "no failover: with two units the loss of a pod is not failed over");
}

#[test]
fn a_first_deployment_waits_for_redis_and_sentinel() {
    waits_for(&first_deployment(), "waiting for Redis and Sentinel");
    let mut world = healthy(3);
    world.juju.application.bootstrap = Some(host(0));
    for unit in 0..3 {
        world.silence(unit, Silence::Refused);
    }
    waits_for(&world, "waiting for Redis and Sentinel");
}

#[test]
fn a_minion_waits_for_the_leaders_first_commit() {
    let mut world = first_deployment();
    world.juju.leadership = Leadership::Minion;
    waits_for(&world, "waiting for the leader to create the passwords");
}

#[test]
fn each_obstacle_is_said_as_it_is() {
    let mut world = healthy(3);
    world.view(2).leads_failover = true;
    waits_for(&world, "failover in progress, led by redis-k8s/2");

    let mut world = healthy(3);
    for unit in [1, 2] {
        world.silence(unit, Silence::TimedOut);
    }
    waits_for(&world, "1 of 3 Sentinels answer, 2 needed");

    let mut world = healthy(3);
    world.member(1).sentinel = Answer::Silent(Silence::WrongPassword);
    world.member(2).sentinel = Answer::Silent(Silence::TimedOut);
    waits_for(
        &world,
        "1 of 3 Sentinels answer, 2 needed; Sentinel of redis-k8s/1 refuses the password of the peer databag; restart its pod so that it takes it",
    );

    let mut world = healthy(3);
    world.server(1).role = Role::Master;
    waits_for(&world, "redis-k8s/1 still acts as master beside the elected redis-k8s/0");

    let mut world = healthy(3);
    world.server(0).role = Role::Replica { of: host(1), link_up: false };
    waits_for(&world, "elected master redis-k8s/0 says of itself that it is a replica");

    let mut world = healthy(4);
    world.member(3).leaving = true;
    waits_for(&world, "redis-k8s/3 is leaving");
}

#[test]
fn this_units_own_servers_come_first() {
    let mut world = healthy(3);
    world.member(0).sentinel = Answer::Silent(Silence::Refused);
    waits_for(&world, "Sentinel of this unit refuses connections: it is not running");

    let mut world = healthy(3);
    world.juju.unit.number = 1;
    world.server(1).role = Role::Replica { of: host(0), link_up: false };
    waits_for(&world, "link to the master is down");
}

#[test]
fn what_keeps_this_units_servers_from_running_is_said_in_the_first_start_too() {
    let mut world = first_start(3);
    let containers = world.workload.as_mut().unwrap();
    containers.redis = Container::Away;
    waits_for(&world, "waiting for container redis");
    let what = "cannot read the plan in container redis: its Pebble gave no answer in time";
    world.workload.as_mut().unwrap().redis = Container::Failing(what.to_owned());
    waits_for(&world, what);
}

#[test]
fn a_sentinel_that_waits_for_a_vote_says_what_is_missing() {
    let mut world = whole(3);
    sentinel(&mut world).services.clear();
    world.member(0).sentinel = Answer::Silent(Silence::Refused);
    waits_for(&world, "waiting for Redis and Sentinel");
    world.member(1).sentinel = Answer::Silent(Silence::TimedOut);
    waits_for(&world, "1 of 3 Sentinels answer, 2 needed");
}

#[test]
fn who_is_forgotten_by_restarts_is_not_said_to_wait_for_a_silent_unit() {
    let mut world = whole(5);
    world.remove(4);
    world.silence(3, Silence::TimedOut);
    let host = host(4);
    waits_for(&world, &format!("Sentinel of redis-k8s/0 still knows replica {host}:6379"));
    world.workload = None;
    waits_for(
        &world,
        "redis-k8s/3 cannot be learned again by the Sentinel of redis-k8s/0: it is silent",
    );
}

#[test]
fn a_silent_unit_is_named_with_what_is_still_survived() {
    let mut world = healthy(3);
    world.silence(2, Silence::TimedOut);
    is_active(&world, "no failover: Redis of redis-k8s/2 does not answer in time");

    let mut world = healthy(2);
    world.member(1).redis = Answer::Silent(Silence::Refused);
    is_active(&world, "no failover: Redis of redis-k8s/1 refuses connections: it is not running");

    let mut world = healthy(3);
    world.member(2).redis = Answer::Silent(Silence::TimedOut);
    is_active(&world, "Redis of redis-k8s/2 does not answer in time");

    let mut world = healthy(3);
    for unit in [1, 2] {
        world.member(unit).redis = Answer::Silent(Silence::TimedOut);
    }
    is_active(&world, "no failover: Redis of redis-k8s/1 does not answer in time");

    let mut world = healthy(5);
    world.silence(4, Silence::TimedOut);
    is_active(&world, "Redis of redis-k8s/4 does not answer in time");
}

#[test]
fn a_sentinel_that_could_not_fail_over_is_named_although_it_answers() {
    let mut world = healthy(5);
    world.view(3).master_down = true;
    is_active(&world, "Sentinel of redis-k8s/3 holds the master for down");

    let mut world = healthy(5);
    world.view(3).replicas[0].down = true;
    is_active(&world, "Sentinel of redis-k8s/3 holds redis-k8s/1 for down");

    let mut world = healthy(3);
    world.view(1).replicas.clear();
    is_active(&world, "no failover: Sentinel of redis-k8s/1 does not list redis-k8s/1");

    let mut world = healthy(3);
    world.server(1).role = Role::Replica { of: host(2), link_up: true };
    is_active(&world, "Redis of redis-k8s/1 follows another replica");

    let mut world = healthy(3);
    world.view(1).quorum = 5;
    is_active(
        &world,
        "no failover: Sentinel of redis-k8s/1 wants more votes than there are Sentinels",
    );

    let mut world = healthy(3);
    for unit in [1, 2] {
        world.server(unit).priority = Some(0);
    }
    is_active(&world, "no failover: Redis of redis-k8s/1 may not become master yet");
    world.server(2).priority = Some(100);
    is_active(&world, "Redis of redis-k8s/1 may not become master yet");

    let mut world = healthy(5);
    world.server(2).role = Role::Replica { of: host(0), link_up: false };
    is_active(&world, "Redis of redis-k8s/2 has no link to the master");
}

#[test]
fn actions_stop_and_remove_leave_the_status_alone() {
    for event in [Event::Stop, Event::Remove, Event::Action { name: "any".to_owned() }] {
        assert_eq!(judged(event, &healthy(3)).status, None);
    }
}

#[test]
fn an_unfinished_leader_elected_is_kept_with_its_reason() {
    let mut world = healthy(3);
    world.view(2).leads_failover = true;
    let kept = judged(Event::LeaderElected, &world).deferral;
    let why = "failover in progress, led by redis-k8s/2".to_owned();
    assert_eq!(kept, DeferralChange::Store(Deferral { since: 1_000, tries: 1, why: why.clone() }));

    world.juju.deferral = Some(entry());
    let kept = judged(Event::UpdateStatus, &world).deferral;
    assert_eq!(kept, DeferralChange::Store(Deferral { since: 7, tries: 3, why }));
}

#[test]
fn only_leader_elected_is_ever_kept() {
    let mut world = healthy(3);
    world.view(2).leads_failover = true;
    for event in [Event::Start, Event::ConfigChanged, Event::UpdateStatus] {
        assert_eq!(judged(event, &world).deferral, DeferralChange::Keep);
    }
}

#[test]
fn a_finished_one_is_dropped_and_so_is_that_of_a_unit_that_leads_no_more() {
    let mut world = healthy(3);
    assert_eq!(judged(Event::LeaderElected, &world).deferral, DeferralChange::Keep);
    world.juju.deferral = Some(entry());
    assert_eq!(judged(Event::UpdateStatus, &world).deferral, DeferralChange::Drop);

    world.view(2).leads_failover = true;
    world.juju.leadership = Leadership::Minion;
    assert_eq!(judged(Event::UpdateStatus, &world).deferral, DeferralChange::Drop);
    world.juju.leadership = Leadership::Unknown;
    let unsure = judged(Event::UpdateStatus, &world);
    assert!(matches!(unsure.deferral, DeferralChange::Store(_)));
    assert_eq!(unsure.status, None, "too little is known to judge by");
}

#[test]
fn actions_stop_and_remove_do_not_touch_what_is_kept() {
    let mut world = healthy(3);
    world.juju.deferral = Some(entry());
    for event in [Event::Stop, Event::Remove, Event::Action { name: "any".to_owned() }] {
        assert_eq!(judged(event, &world).deferral, DeferralChange::Keep);
    }
}

#[test]
fn sigterm_keeps_leader_elected_and_leaves_the_status_alone() {
    let world = healthy(3);
    let course = Course {
        after: world.cluster.as_ref(),
        failures: &[],
        own_failures: &[],
        terminated: true,
    };
    let judged = verdict(&Event::LeaderElected, &world, &course);
    assert_eq!(judged.status, None);
    assert!(
        matches!(judged.deferral, DeferralChange::Store(entry) if entry.why == "stopped by SIGTERM")
    );
}

#[test]
fn what_could_not_be_done_keeps_it_too() {
    let world = healthy(3);
    let failures = [Obstacle::Failed { what: "reach it".to_owned() }];
    let course = Course {
        after: world.cluster.as_ref(),
        failures: &failures,
        own_failures: &[],
        terminated: false,
    };
    let judged = verdict(&Event::LeaderElected, &world, &course);
    assert!(matches!(judged.deferral, DeferralChange::Store(_)));
    assert_eq!(judged.status.unwrap().message, "cannot reach it");
}

#[test]
fn an_entry_of_another_revision_still_counts() {
    assert_eq!(Deferral::parse(""), None);
    assert_eq!(Deferral::parse(&entry().to_text()), Some(entry()));
    assert!(Deferral::parse("[]").is_some());
}

#[test]
fn what_failed_before_a_wait_and_is_done_after_it_has_not_failed() {
    let failed = |what: &str| Deeds { own_failures: vec![what.to_owned()], ..Deeds::default() };
    let deeds = Deeds { touched_cluster: true, ..failed("first") }.and(failed("second"));
    assert_eq!((deeds.own_failures, deeds.touched_cluster), (vec!["second".to_owned()], true));
    assert!(failed("first").and(Deeds::default()).own_failures.is_empty());
    let cut_short = Deeds { is_cut_short: true, ..Deeds::default() };
    assert_eq!(failed("first").and(cut_short).own_failures, ["first"], "nobody has tried again");
}
