//! Data that are missing: the status that names whose, the action that accepts the loss, and the
//! Sentinels of a full restart.

use expect_test::Expect;
use expect_test::expect;
use redis_k8s::decide::Situation;
use redis_k8s::decide::decide;
use redis_k8s::decide::verdict::Word;
use redis_k8s::event::Event;
use redis_k8s::keeper::ring::Bell;
use redis_k8s::keeper::ring::EVERY;
use redis_k8s::keeper::ring::Reason;
use redis_k8s::keeper::ring::reasons;
use redis_k8s::render::inputs::Inputs;
use redis_k8s::render::places;
use redis_k8s::render::report::Report;
use redis_k8s::world::World;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::juju::Leadership;

use crate::containers::carried_out;
use crate::containers::plan;
use crate::containers::put;
use crate::containers::redis;
use crate::containers::text;
use crate::containers::whole;
use crate::containers::with_empty_containers;
use crate::worlds::Facts;
use crate::worlds::healthy;
use crate::worlds::host;
use crate::worlds::inputs;
use crate::worlds::judged;

/// Unit 0 is blocked, because these are missing.
fn blocked<const N: usize>(missing: [u32; N]) -> World {
    let mut world = whole(3);
    for unit in 0..3 {
        world.silence(unit, Silence::Refused);
    }
    let report = Report { missing: missing.into(), epoch: 3 };
    put(redis(&mut world), places::KEEPER_REPORT, &report.render());
    world
}

fn accept(mut world: World, units: &str, expected: Expect) {
    world.named_units = Some(units.to_owned());
    let event = Event::Action { name: "accept-data-loss".to_owned() };
    let plan = decide(&Situation { event: &event, world: &world, may_wait: false });
    expected.assert_eq(&plan.to_string());
}

#[test]
fn the_status_names_what_is_missing_while_redis_does_not_run() {
    let message =
        "newest data may be on redis-k8s/1,redis-k8s/2: bring back, or run accept-data-loss";
    let mut world = blocked([1, 2]);
    let said = judged(Event::UpdateStatus, &world);
    for status in [said.status, said.application] {
        let status = status.unwrap();
        assert_eq!((status.word, status.message.as_str()), (Word::Blocked, message));
    }
    // The file is of a time that is over.
    world.cluster = healthy(3).cluster;
    assert_eq!(judged(Event::UpdateStatus, &world).status.unwrap().word, Word::Active);
}

#[test]
fn the_loss_that_is_accepted_is_the_one_that_is_missing() {
    let accepted = expect![[r"
        accept the loss of redis-k8s/1,redis-k8s/2 -- an operator does
        answer accepted -- an operator accepts it
    "]];
    accept(blocked([1, 2]), " redis-k8s/2, redis-k8s/1", accepted);
    for wrong in
        ["redis-k8s/1", "redis-k8s/1,redis-k8s/2,redis-k8s/0", "1,2", "", "other/1,other/2"]
    {
        let mut world = blocked([1, 2]);
        world.named_units = Some(wrong.to_owned());
        let event = Event::Action { name: "accept-data-loss".to_owned() };
        let plan = decide(&Situation { event: &event, world: &world, may_wait: false });
        assert_eq!(plan.application, world.juju.application);
        let text = plan.to_string();
        assert!(text.contains("missing now is units=redis-k8s/1,redis-k8s/2"), "{text}");
    }
}

#[test]
fn nothing_is_accepted_where_nothing_is_missing_or_on_a_unit_that_does_not_lead() {
    accept(
        whole(3),
        "redis-k8s/1",
        expect![[r"
        fail the action: nothing is accepted: Redis of this unit waits for no unit's data -- the loss is not what is missing
    "]],
    );
    let mut world = blocked([1]);
    world.juju.leadership = Leadership::Minion;
    accept(
        world,
        "redis-k8s/1",
        expect![[r"
        fail the action: run it on the leader: its status names the missing units too -- the loss is not what is missing
    "]],
    );
}

#[test]
fn an_accepted_loss_reaches_the_keeper_and_ends_with_the_next_master() {
    let mut world = blocked([1, 2]);
    world.juju.application.accepted_loss = Some("1,2".to_owned());
    let end = carried_out(world.clone(), &plan(&world));
    let told = Inputs::parse(&text(&end, places::KEEPER_INPUTS)).unwrap();
    assert_eq!(told.accepted_loss, [1, 2].into());
    world.cluster = healthy(3).cluster;
    let plan = plan(&world);
    assert!(plan.to_string().contains("end the accepted loss -- there is a master"), "{plan}");
    assert_eq!(plan.application.accepted_loss, None);
}

#[test]
fn new_sentinels_are_pointed_at_the_one_master_one_after_the_other() {
    let started = |world: &World| {
        let end = carried_out(world.clone(), &plan(world));
        text(&end, places::SENTINEL_CONF)
    };
    let mut world = with_empty_containers(healthy(3));
    world.juju.has_own_sentinel = false;
    for unit in 0..3 {
        world.silence(unit, Silence::Refused);
    }
    assert_eq!(started(&world), "", "there is no master yet");
    world.member(1).redis = healthy(3).member(0).redis.clone();
    let monitor = format!("monitor redis-k8s \"{}\"", host(1));
    assert!(started(&world).contains(&monitor));
    // One of three is there already, and is no majority.
    world.member(2).sentinel = healthy(3).member(2).sentinel.clone();
    world.view(2).vote = host(1);
    assert!(started(&world).contains(&monitor));
    world.view(2).vote = host(0);
    assert_eq!(started(&world), "", "it names another");
    world.view(2).vote = host(1);
    world.server(1).role = Role::Replica { of: host(0), link_up: false };
    assert_eq!(started(&world), "", "there is no master");
}

#[test]
fn a_new_sentinel_has_no_epoch_that_the_data_have_left_behind() {
    let mut world = with_empty_containers(healthy(3));
    world.juju.has_own_sentinel = false;
    for unit in 0..3 {
        world.silence(unit, Silence::Refused);
    }
    world.member(0).redis = healthy(3).member(0).redis.clone();
    let report = Report { missing: [].into(), epoch: 8 };
    put(redis(&mut world), places::KEEPER_REPORT, &report.render());
    let end = carried_out(world.clone(), &plan(&world));
    let conf = text(&end, places::SENTINEL_CONF);
    assert!(conf.contains("config-epoch redis-k8s 8\n"), "{conf}");
}

#[test]
fn the_keeper_rings_for_a_sentinel_that_is_to_be_started_and_once_for_what_is_missing() {
    let mut world = healthy(3);
    for unit in 0..3 {
        world.member(unit).sentinel = redis_k8s::world::cluster::Answer::Silent(Silence::Refused);
    }
    let mut told = inputs(1, 3);
    let cluster = world.cluster.as_ref().unwrap();
    assert_eq!(reasons(&told, cluster), [Reason::SentinelMissing].into());
    told.bootstrap = Some(host(0));
    assert_eq!(reasons(&told, cluster), [].into());
    let why = [Reason::DataMissing([2].into())].into();
    let mut bell = Bell::default();
    assert_eq!(bell.due(&why, EVERY).len(), 1);
    assert_eq!(bell.due(&why, EVERY * 3).len(), 0);
    let mut bell = Bell::default();
    for times in 1..4 {
        assert_eq!(bell.due(&why, EVERY * times).len(), 1, "Pebble has not taken it yet");
        bell.unheard(&Reason::DataMissing([2].into()));
    }
    assert_eq!(bell.due(&why, EVERY * 4).len(), 1);
    assert_eq!(bell.due(&why, EVERY * 5).len(), 0);
    let mut bell = Bell::default();
    assert_eq!(bell.due(&why, EVERY).len(), 1);
    let other = [Reason::DataMissing([1, 2].into())].into();
    assert_eq!(bell.due(&other, EVERY * 4).len(), 1);
}

#[test]
fn a_report_that_cannot_be_read_tells_nothing() {
    for text in ["", "[]", "{\"missing\":7}"] {
        assert_eq!(Report::parse(text), Report::default());
    }
}
