//! What holds in any world: laws of the vote and of the forgetting.

use std::collections::BTreeSet;

use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use redis_k8s::decide::Situation;
use redis_k8s::decide::decide;
use redis_k8s::decide::plan::Effect;
use redis_k8s::decide::plan::Plan;
use redis_k8s::event::Event;
use redis_k8s::procedure::forget_units::Command;
use redis_k8s::procedure::forget_units::ForgetUnits;
use redis_k8s::procedure::forget_units::Next;
use redis_k8s::world::World;
use redis_k8s::world::cluster::Answer;
use redis_k8s::world::cluster::Cluster;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;

use crate::worlds::Facts;
use crate::worlds::healthy;
use crate::worlds::host;

/// What is odd about one unit.
#[expect(clippy::struct_excessive_bools, reason = "each is one independent oddity")]
#[derive(Clone, Copy, Debug)]
struct Oddity {
    silent: bool,
    vote: u32,
    epoch: u64,
    quorum: usize,
    leads_failover: bool,
    master_down: bool,
    master: bool,
    lists: u8,
    gone: bool,
    leaving: bool,
    in_info: bool,
    short_period: bool,
}

fn oddity() -> impl Strategy<Value = Oddity> {
    let chance = |percent: u8| (0u8..100).prop_map(move |drawn| drawn < percent);
    (
        (chance(20), 0u32..6, 0u64..3, 1usize..4, chance(10), chance(30), chance(5)),
        (any::<u8>(), chance(20), chance(10), chance(30), chance(10)),
    )
        .prop_map(
            |((silent, vote, epoch, quorum, leads_failover, master, master_down), rest)| {
                let (lists, gone, leaving, in_info, short_period) = rest;
                Oddity {
                    silent,
                    vote,
                    epoch,
                    quorum,
                    leads_failover,
                    master_down,
                    master,
                    lists,
                    gone,
                    leaving,
                    in_info,
                    short_period,
                }
            },
        )
}

/// Any world of five units; half of the draws are near to a healthy one.
fn worlds() -> impl Strategy<Value = World> {
    (proptest::collection::vec(oddity(), 5), any::<bool>(), 0u32..5).prop_map(
        |(oddities, tame, recorded)| {
            let mut world = healthy(5);
            world.juju.application.leader_host = Some(host(recorded));
            for (unit, oddity) in (0u32..).zip(&oddities) {
                if !tame {
                    let view = world.view(unit);
                    view.vote = host(oddity.vote);
                    view.master = view.vote.clone();
                    view.epoch = oddity.epoch;
                    view.leads_failover = oddity.leads_failover;
                    view.sentinels.retain(|entry| {
                        (0..5).any(|n| oddity.lists >> n & 1 == 1 && entry.host == host(n))
                    });
                    if oddity.master {
                        world.server(unit).role = Role::Master;
                    }
                }
                world.view(unit).quorum = oddity.quorum;
                world.view(unit).master_down = oddity.master_down;
                if oddity.short_period {
                    world.view(unit).info_period = Some(1_000);
                }
            }
            for (unit, oddity) in (0u32..).zip(&oddities) {
                if oddity.gone && unit > 0 {
                    world.remove(unit);
                    if oddity.in_info {
                        for member in world.cluster_mut().members.values_mut() {
                            if let Answer::Said(redis) = &mut member.redis {
                                redis.replicas.push(host(unit));
                            }
                        }
                    }
                } else if oddity.silent {
                    world.silence(unit, Silence::TimedOut);
                } else if oddity.leaving && unit > 0 {
                    world.member(unit).leaving = true;
                }
            }
            world
        },
    )
}

fn plan(world: &World) -> Plan {
    decide(&Situation { event: &Event::LeaderElected, world, may_wait: false })
}

/// The world as it is when the plan has been carried out and every Sentinel has learned again.
fn carried_out(mut world: World, plan: &Plan) -> World {
    world.juju.application = plan.application.clone();
    for (effect, _) in plan.effects() {
        match effect {
            Effect::SetQuorum { quorum, sentinels } => {
                for unit in sentinels {
                    world.view(*unit).quorum = *quorum;
                }
            }
            Effect::RestoreInfoPeriod { sentinels } => {
                for unit in sentinels {
                    world.view(*unit).info_period = Some(10_000);
                }
            }
            Effect::ForgetUnits => {
                let cluster = world.cluster_mut().clone();
                let master = cluster.settled().unwrap().master;
                let ready = |unit: &u32| cluster.keeps_strangers(*unit, master).is_none();
                for unit in cluster.stale_sentinels().into_iter().filter(ready) {
                    let view = world.view(unit);
                    view.sentinels.retain(|e| cluster.planned_unit_named(&e.host).is_some());
                    view.replicas.retain(|e| cluster.planned_unit_named(&e.host).is_some());
                }
            }
            Effect::AskFailover { sentinel } => world.view(*sentinel).leads_failover = true,
            Effect::AwaitFailover
            | Effect::FailAction { .. }
            | Effect::AnswerAction { .. }
            | Effect::SetVersion { .. }
            | Effect::SetPartition { .. }
            | Effect::Push { .. }
            | Effect::AddLayer { .. }
            | Effect::Replan { .. }
            | Effect::RestartSentinel
            | Effect::ClaimSentinel => {}
        }
    }
    world
}

/// Runs the forgetting in a world where a reset Sentinel learns at once whom it still can.
///
/// `struck` falls silent when a Sentinel's period has just been shortened.
fn forget(mut seen: Cluster, struck: u32) -> Vec<(u32, Cluster)> {
    let mut procedure = ForgetUnits::default();
    let mut resets = Vec::new();
    let mut looks = 0;
    loop {
        match procedure.next(&seen, looks < 3) {
            Next::Send(unit, Command::Reset) => {
                resets.push((unit, seen.clone()));
                let planned = seen.clone();
                let view = seen.view(unit);
                view.sentinels.retain(|e| planned.planned_unit_named(&e.host).is_some());
                view.replicas.retain(|e| planned.planned_unit_named(&e.host).is_some());
            }
            Next::Send(_, Command::InfoPeriod(_)) => {
                if seen.members.contains_key(&struck) {
                    seen.silence(struck, Silence::TimedOut);
                }
            }
            Next::Look => looks += 1,
            Next::Done(_) => return resets,
        }
    }
}

proptest! {
    #[test]
    fn no_minority_and_no_lower_epoch_decides(world in worlds()) {
        let cluster = world.cluster.as_ref().unwrap();
        let Ok(elected) = cluster.elected() else { return Ok(()) };
        let top = cluster.sentinels().map(|(_, view)| view.epoch).max().unwrap();
        prop_assert_eq!(elected.epoch, top);
        let agreeing = cluster
            .sentinels()
            .filter(|(_, view)| view.epoch == top && view.vote == host(elected.master))
            .count();
        let mut electors = BTreeSet::new();
        for (unit, view) in cluster.sentinels().filter(|(_, view)| view.epoch == top) {
            electors.insert(host(unit));
            electors.extend(view.sentinels.iter().map(|entry| entry.host.clone()));
        }
        electors.retain(|elector| cluster.members.keys().any(|unit| host(*unit) == *elector));
        prop_assert!(agreeing * 2 > electors.len());
        prop_assert_eq!(&cluster.redis(elected.master).unwrap().role, &Role::Master);
    }

    #[test]
    fn a_record_changes_only_to_the_elected_master(world in worlds()) {
        let before = &world.juju.application.leader_host;
        let after = plan(&world).application.leader_host;
        if after != *before {
            let elected = world.cluster.as_ref().unwrap().elected().unwrap();
            prop_assert_eq!(after, Some(host(elected.master)));
        }
    }

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_plan(world in worlds()) {
        let first = plan(&world);
        let after = carried_out(world, &first);
        let second = plan(&after);
        // That a unit is forgotten is recorded afterwards.
        prop_assert_eq!(second.effects().count(), 0);
        prop_assert_eq!(plan(&carried_out(after, &second)).to_string(), "");
    }

    #[test]
    fn nothing_planned_is_forgotten_and_only_in_a_group_at_rest(world in worlds(), struck in 0u32..12) {
        for (unit, seen) in forget(world.cluster.unwrap(), struck) {
            let elected = seen.settled();
            prop_assert!(elected.is_ok(), "reset without a settled master: {elected:?}");
            let master = elected.unwrap().master;
            for (other, view) in seen.sentinels() {
                prop_assert!(!view.master_down, "Sentinel {other} holds the master for down");
            }
            let view = seen.sentinel(unit).unwrap();
            prop_assert!(!seen.strangers_in(view).is_empty(), "its view was exact");
            for planned in seen.planned_units_in(&view.replicas) {
                let listed = seen.redis(master).unwrap().replicas.contains(&host(planned));
                prop_assert!(listed || planned == master, "unit {planned} cannot be learned again");
            }
            for planned in seen.planned_units_in(&view.sentinels) {
                prop_assert!(seen.sentinel(planned).is_some(), "Sentinel {planned} is silent");
            }
            for stranger in seen.strangers_in(view) {
                let listed = seen.redis(master).unwrap().replicas.contains(&stranger.host);
                prop_assert!(!listed, "{stranger} would come back");
            }
        }
    }

    #[test]
    fn no_sentinel_is_reset_twice(world in worlds()) {
        let resets: Vec<u32> =
            forget(world.cluster.unwrap(), u32::MAX).into_iter().map(|(unit, _)| unit).collect();
        let once: BTreeSet<u32> = resets.iter().copied().collect();
        prop_assert_eq!(once.len(), resets.len());
    }
}
