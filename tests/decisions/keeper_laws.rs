//! What holds for the keeper in any world.

use std::time::Duration;

use proptest::prelude::*;
use redis_k8s::keeper::decide::End;
use redis_k8s::keeper::decide::Step;
use redis_k8s::names::UnitName;
use redis_k8s::procedure::ask_failover::AskFailover;
use redis_k8s::procedure::ask_failover::Next;
use redis_k8s::procedure::ask_failover::Taken;
use redis_k8s::render::sentinel_conf::sentinel_id;
use redis_k8s::world::cluster::Answer;
use redis_k8s::world::cluster::Cluster;
use redis_k8s::world::cluster::RedisView;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;

use crate::keeper_start::Down;
use crate::worlds::Facts;
use crate::worlds::cluster;
use crate::worlds::host;

/// A unit whose Redis is down, in a world where anything may be the case.
fn anything() -> impl Strategy<Value = Down> {
    let one = || (any::<bool>(), any::<bool>(), 0..4u32, 0..3u64, 0..6u8, any::<bool>());
    let units = prop::collection::vec(one(), 4);
    (1..=4u32, 0..4u32, units, any::<bool>(), any::<(bool, bool)>(), prop::option::of(0..4u32))
        .prop_map(|(count, own, facts, has_data, (killed, in_vain), bootstrap)| {
            let own = own % count;
            let mut down = Down::unit(own, count);
            for (unit, fact) in (0..count).zip(facts) {
                change(&mut down, unit, unit == own, count, fact);
            }
            down.own.has_data = has_data;
            down.in_vain = in_vain;
            down.end = if killed { End::Unclean } else { End::Clean };
            down.inputs.bootstrap = bootstrap.map(host);
            down
        })
}

type Fact = (bool, bool, u32, u64, u8, bool);

fn change(down: &mut Down, unit: u32, is_own: bool, count: u32, fact: Fact) {
    let (is_silent, leaves, vote, epoch, role, has_data) = fact;
    if is_silent {
        down.cluster.member(unit).sentinel = Answer::Silent(Silence::TimedOut);
    } else {
        let view = down.cluster.view(unit);
        view.vote = host(vote % count);
        view.epoch = epoch;
    }
    if leaves && !is_own {
        down.inputs.planned.remove(&unit);
        down.inputs.leaving.insert(unit);
        down.cluster.member(unit).leaving = true;
    }
    if !is_own {
        down.cluster.member(unit).redis = match role {
            0 => Answer::Silent(Silence::Refused),
            1 => Answer::Said(redis(unit, Role::Master, has_data, None)),
            role => {
                let follows = Role::Replica { of: host(vote % count), link_up: role % 2 == 0 };
                Answer::Said(redis(unit, follows, has_data, Some(if role > 3 { 100 } else { 0 })))
            }
        };
    }
}

fn redis(unit: u32, role: Role, has_data: bool, priority: Option<u32>) -> RedisView {
    RedisView {
        role,
        run_id: format!("run-{unit}"),
        replicas: Vec::new(),
        has_data,
        priority,
        offset: 0,
    }
}

fn others(down: &Down) -> impl Iterator<Item = (u32, &RedisView)> {
    down.cluster.redis_servers().filter(|(unit, _)| *unit != down.inputs.unit)
}

proptest! {
    #[test]
    fn there_are_never_two_masters_by_its_own_doing(down in anything()) {
        let another = others(&down).any(|(_, view)| view.role == Role::Master);
        prop_assert!(!another || down.choice().step != Step::Master, "{}", down.choice());
    }

    #[test]
    fn nobody_is_master_by_a_record_alone(mut down in anything()) {
        let own = down.inputs.unit;
        let is_elected = down.cluster.voted().is_ok_and(|voted| voted.master == own);
        let is_first = down.inputs.is_bootstrap() && down.cluster.voted().is_err();
        let is_whole = down.cluster.nobody_votes() && down.situation().finding().missing.is_empty();
        // A record may tell whether to wait, and whom of equals to take.
        for recorded in [None, Some(host(0)), Some(down.inputs.own_host())] {
            down.inputs.recorded_master = recorded;
            down.inputs.recorded_epoch = Some(99);
            let choice = down.choice();
            if choice.step == Step::Master {
                let alone = down.inputs.is_alone();
                prop_assert!(is_elected || is_first || is_whole || alone, "{}", choice);
            }
        }
    }

    #[test]
    fn an_empty_unit_is_not_master_while_another_that_answers_has_data(mut down in anything()) {
        down.own.has_data = false;
        let other = others(&down).any(|(_, view)| view.has_data);
        prop_assert!(!other || down.choice().step != Step::Master, "{}", down.choice());
    }

    #[test]
    fn a_master_that_was_killed_does_not_start_while_a_synced_unit_answers(mut down in anything()) {
        down.end = End::Unclean;
        down.in_vain = false;
        let voted = down.cluster.voted();
        let planned = down.cluster.planned();
        let synced = others(&down).any(|(unit, view)| {
            planned.contains(&unit) && view.role != Role::Master && view.priority > Some(0)
        });
        if synced && voted.is_ok_and(|voted| voted.master == down.inputs.unit) {
            prop_assert!(down.choice().step != Step::Master, "{}", down.choice());
        }
    }

    #[test]
    fn whoever_is_elected_and_there_is_followed(down in anything()) {
        if let Ok(voted) = down.cluster.voted()
            && voted.master != down.inputs.unit
            && !down.inputs.is_alone()
            && down.cluster.redis(voted.master).is_some()
        {
            prop_assert_eq!(down.choice().step, Step::Replica(host(voted.master)));
        }
    }

    #[test]
    fn no_two_sentinels_are_asked_within_three_seconds_unless_the_first_refused(
        steps in prop::collection::vec((0..1_500u64, 0..4u8, any::<bool>()), 1..60),
    ) {
        let mut world: Cluster = cluster(4);
        let mut asking = AskFailover::default();
        let mut now = Duration::ZERO;
        let mut under_way: Option<Duration> = None;
        for (pause, answer, leads) in steps {
            now += Duration::from_millis(pause);
            world.view(2).leads_failover = leads;
            if let Next::Ask(units) = asking.next(&world, 0, now) {
                prop_assert!(!leads);
                prop_assert!(!units.contains(&0) && !units.is_empty());
                if let Some(since) = under_way {
                    prop_assert!(now >= since + Duration::from_secs(3));
                }
                let taken = match answer {
                    0 => None,
                    1 => Some((units[0], Taken::No)),
                    _ => Some((units[0], Taken::Perhaps)),
                };
                if answer > 1 {
                    under_way = Some(now);
                }
                asking.answered(taken, now);
            }
        }
    }

    #[test]
    fn no_two_units_have_the_same_sentinel_id(
        application in "[a-z][a-z0-9-]{0,30}", one in any::<u32>(), other in any::<u32>(),
    ) {
        let id = |number| sentinel_id(&UnitName { application: application.clone(), number });
        prop_assert_eq!(id(one) == id(other), one == other);
        prop_assert!(id(one).len() == 40 && id(one).bytes().all(|digit| digit.is_ascii_hexdigit()));
    }
}
