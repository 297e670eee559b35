//! Worlds with containers: empty ones, and those in which a plan was carried out.

use redis_k8s::decide::Situation;
use redis_k8s::decide::decide;
use redis_k8s::decide::plan::Effect;
use redis_k8s::decide::plan::Plan;
use redis_k8s::event::Event;
use redis_k8s::names::REDIS_CONTAINER;
use redis_k8s::names::SENTINEL_CONTAINER;
use redis_k8s::render::layer;
use redis_k8s::render::places;
use redis_k8s::world::World;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::image::Image;
use redis_k8s::world::password::Password;
use redis_k8s::world::workload::Container;
use redis_k8s::world::workload::Contents;
use redis_k8s::world::workload::Service;
use redis_k8s::world::workload::Workload;

use crate::worlds::Facts;
use crate::worlds::healthy;
use crate::worlds::host;

pub(crate) fn ready() -> Event {
    Event::PebbleReady { container: "redis".to_owned() }
}

/// An image as it should be.
pub(crate) fn image() -> Image {
    Image {
        name_services: Some("passwd: files\nhosts: files dns\n".to_owned()),
        accounts: "root:x:0:0::/root:/bin/sh\nredis:x:999:999::/:\n".to_owned(),
        groups: "root:x:0:\nredis:x:999:\n".to_owned(),
        server: Some("Redis server v=7.2.5 sha=00000000:0 malloc=jemalloc-5.3.0".to_owned()),
    }
}

/// The world, with containers in which nothing is yet.
pub(crate) fn with_empty_containers(mut world: World) -> World {
    let empty = || Container::Open(Contents { image: Some(image()), ..Contents::default() });
    let program = "the charm's".to_owned();
    world.workload = Some(Workload { program, redis: empty(), sentinel: empty() });
    world
}

/// The very first start: the databag is committed, and nobody answers.
pub(crate) fn first_start(units: u32) -> World {
    let mut world = with_empty_containers(healthy(units));
    world.juju.application.bootstrap = Some(host(0));
    world.juju.application.master_epoch = None;
    world.juju.has_own_sentinel = false;
    for unit in 0..units {
        world.silence(unit, Silence::Refused);
    }
    world
}

/// Healthy units, this pod's containers as they are to be; the keeper was told that all is well.
pub(crate) fn whole(units: u32) -> World {
    let world = with_empty_containers(healthy(units));
    let first = plan(&world);
    let mut world = carried_out(world, &first);
    let inputs = text(&world, places::KEEPER_INPUTS).replace("\"unwell\":true", "\"unwell\":false");
    put(redis(&mut world), places::KEEPER_INPUTS, &inputs);
    world
}

pub(crate) fn plan(world: &World) -> Plan {
    plan_at(&ready(), world)
}

pub(crate) fn plan_at(event: &Event, world: &World) -> Plan {
    decide(&Situation { event, world, may_wait: false })
}

/// Every event of the charm's own that is no action and no end.
pub(crate) fn looking_events() -> Vec<Event> {
    let mut events = vec![
        Event::LeaderElected,
        Event::Start,
        Event::ConfigChanged,
        Event::UpdateStatus,
        Event::UpgradeCharm,
        Event::PeersChanged,
        Event::PeerDeparted,
        Event::StorageAttached,
        Event::StorageDetaching,
    ];
    for container in [REDIS_CONTAINER, SENTINEL_CONTAINER].map(str::to_owned) {
        events.push(Event::PebbleReady { container: container.clone() });
        events.push(Event::Notice { container: container.clone() });
        events.push(Event::Check { container });
    }
    events
}

pub(crate) fn redis(world: &mut World) -> &mut Contents {
    open(&mut world.workload.as_mut().unwrap().redis)
}

pub(crate) fn sentinel(world: &mut World) -> &mut Contents {
    open(&mut world.workload.as_mut().unwrap().sentinel)
}

pub(crate) fn open(container: &mut Container) -> &mut Contents {
    let Container::Open(contents) = container else { panic!("it is not open") };
    contents
}

pub(crate) fn put(contents: &mut Contents, path: &str, text: &str) {
    contents.files.insert(path.to_owned(), Password::new(text));
}

pub(crate) fn text(world: &World, path: &str) -> String {
    let workload = world.workload.as_ref().unwrap();
    let containers = [&workload.redis, &workload.sentinel].map(|it| it.open().unwrap());
    containers.into_iter().find_map(|it| it.file(path)).unwrap_or_default().to_owned()
}

/// The world as it is when the plan has been carried out.
pub(crate) fn carried_out(mut world: World, plan: &Plan) -> World {
    world.juju.application = plan.application.clone();
    let mark = world.workload.as_ref().unwrap().program.clone();
    for (effect, _) in plan.effects() {
        match effect {
            Effect::Push { container, files } => {
                let contents = if *container == REDIS_CONTAINER {
                    redis(&mut world)
                } else {
                    sentinel(&mut world)
                };
                for file in files {
                    if let Some(text) = file.text() {
                        put(contents, file.path, text);
                    } else {
                        contents.program = Some(mark.clone());
                        contents.image = None;
                    }
                }
            }
            Effect::AddLayer { container, layer } => {
                let contents = if *container == REDIS_CONTAINER {
                    redis(&mut world)
                } else {
                    sentinel(&mut world)
                };
                contents.plan.extend(layer::entries(layer));
            }
            Effect::Replan { container } if *container == REDIS_CONTAINER => {
                redis(&mut world).services.insert(layer::REDIS.to_owned(), Service::Running);
            }
            Effect::Replan { .. } => {
                sentinel(&mut world).services.insert(layer::SENTINEL.to_owned(), Service::Running);
            }
            Effect::ClaimSentinel => world.juju.has_own_sentinel = true,
            Effect::RestartSentinel
            | Effect::SetVersion { .. }
            | Effect::SetPartition { .. }
            | Effect::AnswerAction { .. }
            | Effect::FailAction { .. }
            | Effect::SetQuorum { .. }
            | Effect::RestoreInfoPeriod { .. }
            | Effect::AskFailover { .. }
            | Effect::AwaitFailover
            | Effect::ForgetUnits => {}
        }
    }
    world
}
