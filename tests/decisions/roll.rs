//! Rolls: whose turn it is, what is held, and what holds whatever is lost on the way.

use expect_test::expect;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use redis_k8s::decide::Situation;
use redis_k8s::decide::decide;
use redis_k8s::decide::plan::Effect;
use redis_k8s::event::Event;
use redis_k8s::world::World;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::roll::Roll;
use redis_k8s::world::roll::Server;

use crate::worlds::Facts;
use crate::worlds::healthy;
use crate::worlds::host;
use crate::worlds::judged;
use crate::worlds::plans;

/// Three units in a roll: those from this ordinal on are new.
fn rolling(partition: u32, renewed_from: u32) -> World {
    let mut world = healthy(3);
    world.juju.leadership = redis_k8s::world::juju::Leadership::Minion;
    world.roll = Some(roll(partition, renewed_from));
    world
}

fn roll(partition: u32, renewed_from: u32) -> Roll {
    let server = Server { host: "10.152.183.1".to_owned(), port: "443".to_owned() };
    Roll {
        server,
        partition,
        is_under_way: true,
        renewed_from,
        is_one_away: false,
        is_leaving: false,
    }
}

/// What the unit's rules for a roll set, if anything.
fn partition_planned(event: &Event, world: &World) -> Option<u32> {
    let plan = decide(&Situation { event, world, may_wait: false });
    plan.effects().find_map(|(effect, _)| {
        let Effect::SetPartition { to, .. } = effect else { return None };
        Some(*to)
    })
}

#[test]
fn the_pod_that_goes_in_a_roll_holds_those_below_it() {
    let mut world = rolling(0, 3);
    world.juju.unit.number = 2;
    world.cluster = None;
    plans(
        Event::Stop,
        world,
        expect![[r#"
            hold the roll at redis-k8s/2 -- this unit's pod is being replaced
        "#]],
    );
}

#[test]
fn a_pod_that_stops_for_another_reason_holds_nothing() {
    let stop = |change: fn(&mut Roll)| {
        let mut world = rolling(0, 3);
        world.juju.unit.number = 2;
        world.roll.as_mut().map(change);
        partition_planned(&Event::Stop, &world)
    };
    assert_eq!(stop(|_| ()), Some(2));
    assert_eq!(stop(|roll| roll.is_under_way = false), None, "a drain, or a deleted pod");
    assert_eq!(stop(|roll| roll.is_leaving = true), None, "a scale-down");
    assert_eq!(stop(|roll| roll.partition = 2), None, "held already");
    let mut untrusted = rolling(0, 3);
    untrusted.roll = None;
    assert_eq!(partition_planned(&Event::Stop, &untrusted), None);
}

#[test]
fn the_next_pod_is_let_go_when_the_last_is_whole() {
    plans(
        Event::UpdateStatus,
        rolling(2, 2),
        expect![[r#"
            let the roll go on to redis-k8s/1 -- it is the turn of redis-k8s/1
        "#]],
    );
}

#[test]
fn a_pod_that_is_not_whole_is_waited_for() {
    let held = |change: fn(&mut World)| {
        let mut world = rolling(2, 2);
        change(&mut world);
        let planned = partition_planned(&Event::UpdateStatus, &world);
        assert_eq!(planned, None, "{:?}", judged(Event::UpdateStatus, &world).status);
    };
    held(|world| world.silence(2, Silence::Refused));
    held(|world| world.server(2).role = Role::Replica { of: host(0), link_up: false });
    held(|world| world.server(2).priority = Some(0));
    held(|world| world.view(2).sentinels.clear());
    // It is not the new one yet.
    held(|world| world.roll = Some(roll(2, 3)));
    // The group could not bear the next one's going.
    held(|world| world.silence(0, Silence::Refused));
    held(|world| world.view(0).replicas.clear());
    held(|world| world.view(0).leads_failover = true);
}

#[test]
fn a_broken_pod_whose_turn_it_is_is_let_go_for_its_new_one_may_be_the_cure() {
    let mut world = rolling(2, 2);
    world.silence(1, Silence::Refused);
    assert_eq!(partition_planned(&Event::UpdateStatus, &world), Some(1));
}

#[test]
fn a_hold_that_a_killed_stop_has_left_out_is_made_up_for() {
    let mut world = rolling(0, 2);
    world.silence(2, Silence::Refused);
    plans(
        Event::UpgradeCharm,
        world,
        expect![[r#"
            hold the roll at redis-k8s/2 -- redis-k8s/2 is not through the roll
        "#]],
    );
}

#[test]
fn a_unit_that_falters_while_nothing_below_it_could_go_holds_nothing() {
    let falters = |partition: u32, renewed_from: u32, is_one_away: bool| {
        let mut world = rolling(partition, renewed_from);
        world.roll.as_mut().unwrap().is_one_away = is_one_away;
        world.silence(2, Silence::Refused);
        partition_planned(&Event::UpdateStatus, &world)
    };
    assert_eq!(falters(1, 2, false), Some(2), "pod 1 has not gone yet");
    assert_eq!(falters(1, 2, true), None, "pod 1 is away, and holds pod 0");
    assert_eq!(falters(0, 2, true), Some(2), "pod 1 is away, and pod 0 might go");
    assert_eq!(falters(0, 1, true), None, "the last one is away");
    assert_eq!(falters(0, 0, false), None, "all are new");
}

#[test]
fn what_nobody_needs_any_more_is_given_back() {
    let mut over = rolling(2, 0);
    over.roll.as_mut().unwrap().is_under_way = false;
    plans(
        Event::UpdateStatus,
        over,
        expect![[r#"
            let the roll go on freely -- no roll is under way
        "#]],
    );
    plans(
        Event::UpdateStatus,
        rolling(1, 0),
        expect![[r#"
            let the roll go on freely -- all pods are new and whole
        "#]],
    );
    // Scaled down to two while unit 3 held.
    let mut gone = rolling(3, 2);
    gone.remove(2);
    assert_eq!(partition_planned(&Event::UpdateStatus, &gone), Some(1));
}

#[test]
fn a_unit_that_leaves_has_no_turn() {
    let mut world = rolling(0, 3);
    world.member(2).leaving = true;
    assert_eq!(partition_planned(&Event::UpdateStatus, &world), Some(1));
}

#[test]
fn the_status_says_what_a_roll_waits_for() {
    let status = |change: fn(&mut World)| {
        let mut world = rolling(2, 2);
        change(&mut world);
        judged(Event::UpdateStatus, &world).status.unwrap().message
    };
    assert_eq!(status(|_| ()), "roll waits: the new pod of redis-k8s/1");
    assert_eq!(
        status(|world| world.silence(2, Silence::Refused)),
        "roll waits: Redis of redis-k8s/2 refuses connections: it is not running"
    );
    assert_eq!(
        status(|world| world.server(2).priority = Some(0)),
        "roll waits: Redis of redis-k8s/2 may not become master yet"
    );
    assert_eq!(status(|world| world.roll = None), "");
    assert!(!judged(Event::UpdateStatus, &rolling(2, 2)).is_well, "the keeper has to ring");
}

/// What can happen in a roll.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// Kubernetes replaces the next pod, if it may; its `stop` runs, or is killed.
    Replaced { stop_is_killed: bool },
    /// A unit's server is whole now.
    Whole(u32),
    /// Some unit has an event.
    Event,
    /// Another version is wanted.
    Refreshed,
}

fn happenings(kills: bool) -> impl Strategy<Value = Vec<Happening>> {
    let one = (0u8..8, 0u32..6, any::<bool>()).prop_map(move |(kind, unit, killed)| match kind {
        0..=2 => Happening::Replaced { stop_is_killed: killed && kills },
        3..=4 => Happening::Whole(unit),
        5..=6 => Happening::Event,
        _ => Happening::Refreshed,
    });
    proptest::collection::vec(one, 1..60)
}

/// A StatefulSet, as Kubernetes rolls it.
struct Model {
    partition: u32,
    wanted: u32,
    pods: Vec<Pod>,
}

#[derive(Clone, Copy)]
struct Pod {
    version: u32,
    is_whole: bool,
}

impl Model {
    fn new(units: usize) -> Self {
        Self { partition: 0, wanted: 1, pods: vec![Pod { version: 0, is_whole: true }; units] }
    }

    fn world(&self) -> World {
        let units = u32::try_from(self.pods.len()).unwrap();
        let mut world = healthy(units);
        world.server(0).priority = Some(100);
        let whole = |unit: &u32| self.pods[*unit as usize].is_whole;
        let master = (0..units).find(whole).unwrap_or(0);
        world.fail_over_to(master, 4);
        (0..units).filter(|unit| !whole(unit)).for_each(|it| world.silence(it, Silence::Refused));
        let new = |unit: &u32| self.pods[*unit as usize].version == self.wanted;
        let renewed = u32::try_from((0..units).rev().take_while(new).count()).unwrap();
        let is_under_way = (0..units).any(|unit| !new(&unit));
        world.roll = Some(Roll { is_under_way, ..roll(self.partition, units - renewed) });
        world
    }

    /// The pod that Kubernetes replaces next.
    fn next(&self) -> Option<usize> {
        let outdated = self.pods.iter().rposition(|pod| pod.version != self.wanted)?;
        (outdated >= self.partition as usize).then_some(outdated)
    }

    fn decide(&mut self, event: &Event, unit: usize) {
        let mut world = self.world();
        world.juju.unit.number = u32::try_from(unit).unwrap();
        self.partition = partition_planned(event, &world).unwrap_or(self.partition);
    }

    /// Gives the pod that was replaced.
    fn happen(&mut self, happening: Happening) -> Option<usize> {
        match happening {
            Happening::Replaced { stop_is_killed } => {
                let next = self.next()?;
                if !stop_is_killed {
                    self.decide(&Event::Stop, next);
                }
                self.pods[next] = Pod { version: self.wanted, is_whole: false };
                return Some(next);
            }
            Happening::Whole(unit) => {
                let unit = unit as usize % self.pods.len();
                self.pods[unit].is_whole = true;
            }
            Happening::Event => self.decide(&Event::UpdateStatus, 0),
            Happening::Refreshed => self.wanted += 1,
        }
        None
    }
}

proptest! {
    #[test]
    fn no_pod_goes_while_one_above_it_is_not_whole(units in 1usize..7, day in happenings(false)) {
        let mut model = Model::new(units);
        for happening in day {
            let refreshed = matches!(happening, Happening::Refreshed);
            // A refresh in the middle of a roll begins again above the one that is not whole.
            if refreshed && model.pods.iter().any(|pod| !pod.is_whole) {
                continue;
            }
            let before: Vec<bool> = model.pods.iter().map(|pod| pod.is_whole).collect();
            if let Some(gone) = model.happen(happening) {
                prop_assert!(before[gone + 1..].iter().all(|whole| *whole), "pod {gone} went");
            }
        }
    }

    #[test]
    fn the_partition_is_given_back_whatever_was_lost(units in 1usize..7, day in happenings(true)) {
        let mut model = Model::new(units);
        for happening in day {
            model.happen(happening);
        }
        for _ in 0..=units {
            model.pods.iter_mut().for_each(|pod| pod.is_whole = true);
            model.happen(Happening::Event);
            model.happen(Happening::Replaced { stop_is_killed: true });
        }
        model.pods.iter_mut().for_each(|pod| pod.is_whole = true);
        model.happen(Happening::Event);
        prop_assert_eq!(model.partition, 0);
        prop_assert!(model.pods.iter().all(|pod| pod.version == model.wanted));
    }

    #[test]
    fn a_roll_that_is_looked_after_is_only_held_as_far_as_it_must_be(
        units in 1usize..7,
        day in happenings(true),
    ) {
        let mut model = Model::new(units);
        for happening in day {
            model.happen(happening);
        }
        model.pods.iter_mut().for_each(|pod| pod.is_whole = true);
        model.happen(Happening::Event);
        let next = model.pods.iter().rposition(|pod| pod.version != model.wanted);
        prop_assert_eq!(model.partition as usize, next.unwrap_or_default());
    }
}
