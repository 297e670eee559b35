//! What the own pod's containers are given.

use expect_test::expect;
use redis_k8s::decide::plan::Effect;
use redis_k8s::decide::plan::Plan;
use redis_k8s::decide::verdict::Status;
use redis_k8s::decide::verdict::Word;
use redis_k8s::event::Event;
use redis_k8s::names::UnitName;
use redis_k8s::render::inputs::Inputs;
use redis_k8s::render::layer;
use redis_k8s::render::places;
use redis_k8s::render::sentinel_conf::sentinel_id;
use redis_k8s::world::World;
use redis_k8s::world::cluster::Answer;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::image::Image;
use redis_k8s::world::juju::Leadership;
use redis_k8s::world::workload::Container;
use redis_k8s::world::workload::Service;

use crate::containers::carried_out;
use crate::containers::first_start;
use crate::containers::image;
use crate::containers::looking_events;
use crate::containers::plan;
use crate::containers::plan_at;
use crate::containers::put;
use crate::containers::ready;
use crate::containers::redis;
use crate::containers::sentinel;
use crate::containers::text;
use crate::containers::whole;
use crate::containers::with_empty_containers;
use crate::worlds::Facts;
use crate::worlds::first_deployment;
use crate::worlds::healthy;
use crate::worlds::host;
use crate::worlds::judged;
use crate::worlds::naming;
use crate::worlds::plans;

/// What is done in this pod, without what the leader does besides.
fn done(world: &World) -> Vec<String> {
    plan(world)
        .effects()
        .map(|(effect, why)| format!("{} -- {why}", plan(world).describe(effect)))
        .collect()
}

#[test]
fn an_empty_pod_gets_all_in_its_first_start() {
    let mut world = first_start(3);
    world.juju.leadership = Leadership::Minion;
    plans(
        ready(),
        world,
        expect![[r#"
        tell the version 7.2.5 -- the image has it
        write /opt/redis-k8s/redis-keeper, /opt/redis-k8s/program in container redis -- the charm's program is not there
        write /opt/redis-k8s/keeper.json, /opt/redis-k8s/exporter.json in container redis -- not as it is to be
        add the layer of container redis -- the plan differs
        start what is to run in container redis -- service redis does not run
        write /opt/redis-k8s/sentinel-starter, /opt/redis-k8s/program in container sentinel -- the charm's program is not there
        write /var/lib/redis/sentinel/members, /var/lib/redis/sentinel/sentinel.conf in container sentinel -- not as it is to be
        claim Sentinel's file in container sentinel -- it is this unit's own from now on
        add the layer of container sentinel -- the plan differs
        start what is to run in container sentinel -- service sentinel does not run
    "#]],
    );
}

#[test]
fn a_pod_that_is_as_it_is_to_be_is_left_alone_by_every_event() {
    for path in [
        "leader-elected",
        "start",
        "config-changed",
        "update-status",
        "upgrade-charm",
        "redis-pebble-ready",
        "sentinel-pebble-ready",
        "redis-pebble-custom-notice",
        "redis-pebble-check-failed",
        "sentinel-pebble-check-recovered",
        "redis-peers-relation-created",
        "redis-peers-relation-joined",
        "redis-peers-relation-changed",
        "redis-peers-relation-departed",
        "database-storage-attached",
        "database-storage-detaching",
        "stop",
        "remove",
    ] {
        let env = redis_k8s::env::HookEnv {
            dispatch_path: Some(format!("hooks/{path}")),
            ..redis_k8s::env::HookEnv::default()
        };
        plans(Event::from_env(&env).unwrap(), whole(3), expect![""]);
    }
}

#[test]
fn nothing_is_started_before_the_passwords_are_committed() {
    let world = with_empty_containers(first_deployment());
    assert_eq!(done(&world), [""; 0]);
}

#[test]
fn each_half_done_start_is_finished() {
    let whole_plan = plan(&first_start(3));
    let steps = whole_plan.effects().count();
    for cut in 0..steps {
        let mut part = Plan::new(whole_plan.application.clone(), naming());
        for (effect, why) in whole_plan.effects().take(cut) {
            part.push(effect.clone(), why);
        }
        let halfway = carried_out(first_start(3), &part);
        let rest = plan(&halfway);
        for event in looking_events() {
            let plan = plan_at(&event, &halfway);
            assert_eq!(plan.to_string(), rest.to_string(), "{event:?} after {cut}");
        }
        let end = carried_out(halfway, &rest);
        assert_eq!(done(&end), [""; 0], "cut after {cut} of {steps}");
    }
}

#[test]
fn another_program_is_pushed_and_nothing_is_restarted() {
    let mut world = whole(3);
    world.workload.as_mut().unwrap().program = "a newer one".to_owned();
    redis(&mut world).image = Some(image());
    assert_eq!(
        done(&world),
        [
            "tell the version 7.2.5 -- the image has it",
            "write /opt/redis-k8s/redis-keeper, /opt/redis-k8s/program in container redis -- the charm's program is not there",
        ]
    );
}

#[test]
fn what_differs_and_no_more_is_put_right() {
    let mut world = whole(3);
    sentinel(&mut world).services.clear();
    assert_eq!(
        done(&world),
        ["start what is to run in container sentinel -- service sentinel does not run"]
    );
    let mut world = whole(3);
    redis(&mut world).plan.remove("services/redis/kill-delay");
    assert_eq!(
        done(&world),
        [
            "add the layer of container redis -- the plan differs",
            "start what is to run in container redis -- service redis is to be as the layer says",
        ]
    );
    let mut world = whole(3);
    redis(&mut world).services.insert(layer::REDIS.to_owned(), Service::Retrying);
    assert_eq!(done(&world), [""; 0], "Pebble tries by itself");
}

#[test]
fn a_container_that_is_away_holds_up_only_itself() {
    let mut world = first_start(1);
    world.workload.as_mut().unwrap().redis = Container::Away;
    assert!(done(&world).iter().all(|line| line.contains("container sentinel")), "{world:#?}");
    let mut world = healthy(3);
    world.silence(0, Silence::Refused);
    let mut world = with_empty_containers(world);
    world.workload.as_mut().unwrap().redis = Container::Away;
    let Status { word, message } = judged(ready(), &world).status.unwrap();
    assert_eq!((word, message.as_str()), (Word::Waiting, "waiting for container redis"));
}

#[test]
fn a_new_sentinel_watches_the_voted_master_and_knows_every_planned_unit() {
    let mut world = with_empty_containers(healthy(4));
    world.member(3).leaving = true;
    world.fail_over_to(2, 7);
    world.juju.has_own_sentinel = false;
    world.silence(0, Silence::Refused);
    let end = carried_out(world.clone(), &plan(&world));
    let conf = text(&end, places::SENTINEL_CONF);
    assert!(conf.contains(&format!("sentinel monitor redis-k8s \"{}\" 6379 2", host(2))), "{conf}");
    assert!(conf.contains("sentinel config-epoch redis-k8s 7\n"), "{conf}");
    for unit in [0, 1] {
        assert!(conf.contains(&format!("known-replica redis-k8s \"{}\"", host(unit))), "{conf}");
    }
    assert!(!conf.contains(&host(3)), "{conf}");
}

#[test]
fn without_a_vote_a_new_sentinel_is_not_started() {
    let mut world = with_empty_containers(healthy(3));
    world.juju.has_own_sentinel = false;
    world.silence(0, Silence::Refused);
    world.silence(1, Silence::TimedOut);
    let lines = done(&world);
    assert!(lines.iter().all(|line| !line.contains("sentinel")), "{lines:?}");
}

#[test]
fn where_nobody_votes_the_one_running_master_is_watched_and_of_two_none() {
    let mut world = with_empty_containers(healthy(3));
    world.juju.has_own_sentinel = false;
    for unit in 0..3 {
        world.member(unit).sentinel = Answer::Silent(Silence::Refused);
    }
    let end = carried_out(world.clone(), &plan(&world));
    let conf = text(&end, places::SENTINEL_CONF);
    assert!(conf.contains(&format!("monitor redis-k8s \"{}\"", host(0))), "{conf}");
    assert!(conf.contains("config-epoch redis-k8s 3\n"), "{conf}");
    world.server(1).role = Role::Master;
    let end = carried_out(world.clone(), &plan(&world));
    assert_eq!(text(&end, places::SENTINEL_CONF), "");
}

/// A Sentinel's file that the unit of this number has used.
fn file_of(number: u32) -> String {
    let id = sentinel_id(&UnitName { application: "redis-k8s".to_owned(), number });
    format!("port 26379\nsentinel myid {id}\nsentinel monitor redis-k8s \"{}\" 6379 1\n", host(9))
}

#[test]
fn a_file_that_would_outvote_the_sentinels_that_run_is_rendered_anew() {
    // They name unit 0 at epoch 3.
    for (named, epoch, stays) in
        [(0, 3, true), (1, 2, true), (0, 9, true), (1, 3, false), (1, 9, false)]
    {
        let mut world = whole(3);
        let file = file_of(0).replace(&host(9), &host(named))
            + &format!("sentinel config-epoch redis-k8s {epoch}\n");
        put(sentinel(&mut world), places::SENTINEL_CONF, &file);
        sentinel(&mut world).services.clear();
        let end = carried_out(world.clone(), &plan(&world));
        assert_eq!(text(&end, places::SENTINEL_CONF) == file, stays, "unit {named} at {epoch}");
    }
}

#[test]
fn a_file_that_was_on_the_volume_before_the_unit_is_rendered_anew() {
    let is_kept = |has_state: bool, number: u32, runs: bool| {
        let mut world = whole(3);
        world.juju.has_own_sentinel = has_state;
        put(sentinel(&mut world), places::SENTINEL_CONF, &file_of(number));
        if !runs {
            sentinel(&mut world).services.clear();
        }
        let end = carried_out(world.clone(), &plan(&world));
        assert!(end.juju.has_own_sentinel);
        text(&end, places::SENTINEL_CONF) == file_of(number)
    };
    assert!(is_kept(true, 0, true), "it is this unit's own");
    assert!(is_kept(true, 0, false), "it was so before the pod was replaced");
    assert!(is_kept(false, 0, true), "a run that died after it had started Sentinel");
    assert!(!is_kept(false, 0, false), "an earlier unit of the same number had the volume");
    assert!(!is_kept(true, 4, false), "another unit's");
}

#[test]
fn a_file_without_the_applications_master_is_rendered_anew_when_its_sentinel_does_not_run() {
    let without: String = file_of(0).lines().filter(|line| !line.contains("monitor")).collect();
    for file in ["", &without] {
        let mut world = whole(3);
        put(sentinel(&mut world), places::SENTINEL_CONF, file);
        let end = carried_out(world.clone(), &plan(&world));
        assert_eq!(text(&end, places::SENTINEL_CONF), file, "it runs with it");
        sentinel(&mut world).services.clear();
        let end = carried_out(world.clone(), &plan(&world));
        assert!(text(&end, places::SENTINEL_CONF).contains("sentinel monitor"), "{file}");
    }
}

#[test]
fn a_file_of_an_earlier_unit_is_never_started_wherever_the_run_is_cut() {
    let mut world = with_empty_containers(healthy(3));
    world.juju.has_own_sentinel = false;
    world.silence(0, Silence::Refused);
    put(sentinel(&mut world), places::SENTINEL_CONF, &file_of(0));
    let first = plan(&world);
    for cut in 0..=first.effects().count() {
        let mut part = Plan::new(first.application.clone(), naming());
        for (effect, why) in first.effects().take(cut) {
            part.push(effect.clone(), why);
        }
        let halfway = carried_out(world.clone(), &part);
        let runs = sentinel(&mut halfway.clone()).service(layer::SENTINEL) == Service::Running;
        let file = text(&halfway, places::SENTINEL_CONF);
        assert!(!runs || file != file_of(0), "cut after {cut}");
        let rest = plan(&halfway);
        let end = carried_out(halfway, &rest);
        assert_ne!(text(&end, places::SENTINEL_CONF), file_of(0), "cut after {cut}");
        assert!(end.juju.has_own_sentinel);
    }
}

#[test]
fn a_unit_that_is_gone_is_forgotten_by_one_restart_in_the_own_pod() {
    let mut world = whole(4);
    world.remove(3);
    world.juju.leadership = Leadership::Minion;
    let lines = done(&world);
    assert_eq!(
        lines,
        [
            "write /opt/redis-k8s/keeper.json in container redis -- not as it is to be",
            "write /var/lib/redis/sentinel/members in container sentinel -- not as it is to be",
            "restart the own Sentinel -- replica redis-k8s-3.redis-k8s-endpoints.lab.svc.cluster.local:6379 is no planned unit's",
        ]
    );
    let end = carried_out(world.clone(), &plan(&world));
    assert!(!text(&end, places::SENTINEL_MEMBERS).contains(&host(3)));
    let inputs = Inputs::parse(&text(&end, places::KEEPER_INPUTS)).unwrap();
    assert_eq!((inputs.planned, inputs.leaving), ([0, 1, 2].into(), [3].into()));
}

#[test]
fn who_may_not_be_forgotten_yet_stays_in_the_list_of_members() {
    let mut leaving = whole(4);
    leaving.member(3).leaving = true;
    let mut listed = whole(4);
    listed.remove(3);
    listed.server(0).replicas.push(host(3));
    let mut in_failover = whole(4);
    in_failover.remove(3);
    in_failover.view(1).leads_failover = true;
    let mut without_a_view = whole(4);
    without_a_view.remove(3);
    without_a_view.member(0).sentinel = Answer::Silent(Silence::TimedOut);
    for (why, world) in [
        ("it leaves", leaving),
        ("the master lists it", listed),
        ("a failover runs", in_failover),
        ("nobody knows what the own Sentinel knows", without_a_view),
    ] {
        let plan = plan(&world);
        assert!(plan.effects().all(|(effect, _)| *effect != Effect::RestartSentinel), "{why}");
        let end = carried_out(world, &plan);
        assert!(text(&end, places::SENTINEL_MEMBERS).contains(&host(3)), "{why}");
    }
}

#[test]
fn a_unit_that_is_removed_tells_its_peers_and_its_keeper() {
    let mut world = whole(4);
    world.juju.unit.number = 3;
    world.juju.leadership = Leadership::Minion;
    world.member(3).leaving = true;
    let plan = plan(&world);
    assert_eq!(plan.unit.get("leaving").map(String::as_str), Some("true"));
    let inputs = Inputs::parse(plan.pushed(places::KEEPER_INPUTS).unwrap()).unwrap();
    assert!(!inputs.planned.contains(&3) && inputs.leaving.contains(&3));
    assert!(plan.effects().all(|(effect, _)| *effect != Effect::RestartSentinel));
}

#[test]
fn an_image_that_is_not_fit_gets_nothing_and_is_named_with_the_cure() {
    let with = |change: &dyn Fn(&mut Image)| {
        let mut image = image();
        change(&mut image);
        image.fault()
    };
    assert_eq!(with(&|_| ()), None);
    assert_eq!(with(&|image| image.name_services = None), None);
    for hosts in ["files dns [NOTFOUND=return]", "dns # mdns4"] {
        assert_eq!(with(&|it| it.name_services = Some(format!("hosts: {hosts}"))), None, "{hosts}");
    }
    for change in [
        &(|image: &mut Image| image.name_services = Some("hosts: files mdns4 dns".to_owned()))
            as &dyn Fn(&mut Image),
        &|image| image.accounts = "redisson:x:1:1::/:\n".to_owned(),
        &|image| image.groups.clear(),
        &|image| image.server = None,
        &|image| image.server = Some("Redis server v=6.2.14 sha=0".to_owned()),
    ] {
        let mut world = first_start(1);
        change(redis(&mut world).image.as_mut().unwrap());
        let lines = done(&world);
        assert!(lines.iter().all(|line| !line.contains("container redis")), "{lines:?}");
        assert_eq!(judged(ready(), &world).status.unwrap().word, Word::Blocked);
    }
}

#[test]
fn no_password_is_in_a_plans_text_or_in_a_layer() {
    let world = first_start(3);
    let plan = plan(&world);
    let shown = format!("{plan} {plan:?} {world:?} {} {}", layer::redis(), layer::sentinel());
    for secret in ["redis-secret", "sentinel-secret"] {
        assert!(!shown.contains(secret), "{secret}");
        let pushed = plan.pushed(places::SENTINEL_CONF).unwrap();
        assert!(pushed.contains(secret), "the search would find it");
    }
}
