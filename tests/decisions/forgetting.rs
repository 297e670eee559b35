//! Units that are gone, and the sequence that forgets them.

use expect_test::expect;
use redis_k8s::decide::Situation;
use redis_k8s::decide::decide;
use redis_k8s::decide::plan::Effect;
use redis_k8s::event::Event;
use redis_k8s::procedure::forget_units::Command;
use redis_k8s::procedure::forget_units::ForgetUnits;
use redis_k8s::procedure::forget_units::Next;
use redis_k8s::procedure::forget_units::Outcome;
use redis_k8s::world::World;
use redis_k8s::world::cluster::Answer;
use redis_k8s::world::cluster::Cluster;
use redis_k8s::world::cluster::Entry;
use redis_k8s::world::cluster::Kind;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::cluster::Stranger;
use redis_k8s::world::obstacle::Obstacle;

use crate::worlds::Facts;
use crate::worlds::cluster;
use crate::worlds::healthy;
use crate::worlds::host;
use crate::worlds::plans;

const SHORTER: Command = Command::InfoPeriod(1_000);
const USUAL: Command = Command::InfoPeriod(10_000);

fn without_unit_3() -> Cluster {
    let mut cluster = cluster(4);
    cluster.remove(3);
    cluster
}

fn learn_again(cluster: &mut Cluster, unit: u32) {
    let view = cluster.view(unit);
    view.sentinels.retain(|entry| entry.host != host(3));
    view.replicas.retain(|entry| entry.host != host(3));
}

fn go_blind(cluster: &mut Cluster, unit: u32) {
    let view = cluster.view(unit);
    view.sentinels.clear();
    view.replicas.clear();
}

#[test]
fn a_unit_that_has_left_is_forgotten_by_every_survivor() {
    let mut world = healthy(4);
    world.remove(3);
    for unit in 0..3 {
        world.view(unit).quorum = 2;
    }
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            record that units 3 leave -- every unit is to know
            forget the units that are gone -- replica redis-k8s-3.redis-k8s-endpoints.lab.svc.cluster.local:6379 is no planned unit's
        "#]],
    );
}

#[test]
fn a_unit_that_is_leaving_is_not_forgotten() {
    let mut world = healthy(4);
    world.member(3).leaving = true;
    for unit in 0..4 {
        world.view(unit).quorum = 2;
    }
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            record that units 3 leave -- every unit is to know
        "#]],
    );
}

#[test]
fn a_hung_but_planned_unit_is_not_forgotten() {
    let mut world = healthy(3);
    world.silence(2, Silence::TimedOut);
    world.server(0).replicas.retain(|replica| *replica != host(2));
    plans(Event::LeaderElected, world, expect![""]);
}

#[test]
fn nothing_is_forgotten_while_the_master_still_lists_it() {
    let mut cluster = without_unit_3();
    cluster.server(0).replicas.push(host(3));
    let kept = cluster.keeps_strangers(0, 0);
    assert!(matches!(kept, Some(Obstacle::StillReplicating { .. })), "{kept:?}");
}

#[test]
fn nothing_is_forgotten_that_would_come_back_because_it_still_answers() {
    let mut cluster = without_unit_3();
    let stranger = Stranger { kind: Kind::Sentinel, host: host(3), port: 26379 };
    cluster.strangers.insert(stranger, Answer::Said("sentinel-3".to_owned()));
    let kept = cluster.keeps_strangers(0, 0);
    assert!(matches!(kept, Some(Obstacle::StrangerAnswers { .. })), "{kept:?}");
}

#[test]
fn nothing_is_forgotten_while_a_planned_unit_could_not_be_learned_again() {
    let mut cluster = without_unit_3();
    cluster.silence(2, Silence::TimedOut);
    let kept = cluster.keeps_strangers(0, 0);
    assert!(matches!(kept, Some(Obstacle::WouldBeForgotten { .. })), "{kept:?}");
}

#[test]
fn an_entry_under_another_name_of_a_planned_unit_goes_when_the_right_name_is_known() {
    let alias = || Entry {
        host: "10.9.9.9".to_owned(),
        port: 26379,
        run_id: String::new(),
        down: false,
        eligible: false,
    };
    let stranger = Stranger { kind: Kind::Sentinel, host: "10.9.9.9".to_owned(), port: 26379 };
    let mut cluster = cluster(3);
    cluster.view(0).sentinels.push(alias());
    cluster.strangers.insert(stranger, Answer::Said("sentinel-2".to_owned()));
    assert_eq!(cluster.stale_sentinels(), [0]);
    assert_eq!(cluster.keeps_strangers(0, 0), None);

    cluster.view(0).sentinels.retain(|entry| entry.host != host(2));
    let kept = cluster.keeps_strangers(0, 0);
    assert!(matches!(kept, Some(Obstacle::KnownByOtherName { .. })), "{kept:?}");
}

#[test]
fn one_sentinel_learns_everybody_again_before_the_next_is_touched() {
    let mut seen = without_unit_3();
    let mut procedure = ForgetUnits::default();
    for unit in 0..3 {
        assert_eq!(procedure.next(&seen, true), Next::Send(unit, SHORTER));
        assert_eq!(procedure.next(&seen, true), Next::Send(unit, Command::Reset));
        go_blind(&mut seen, unit);
        assert_eq!(procedure.next(&seen, true), Next::Look);
        assert_eq!(procedure.next(&seen, true), Next::Look);
        let healthy = cluster(3);
        seen.view(unit).sentinels = healthy.sentinel(unit).unwrap().sentinels.clone();
        assert_eq!(procedure.next(&seen, true), Next::Look);
        seen.view(unit).replicas = healthy.sentinel(unit).unwrap().replicas.clone();
        assert_eq!(procedure.next(&seen, true), Next::Send(unit, USUAL));
    }
    assert_eq!(procedure.next(&seen, true), Next::Done(Outcome::Finished));
    assert_eq!(procedure.reset(), [0, 1, 2]);
}

#[test]
fn no_sentinel_is_reset_while_an_earlier_runs_reset_leaves_another_blind() {
    let mut seen = without_unit_3();
    go_blind(&mut seen, 0);
    let kept = seen.keeps_strangers(1, 0);
    assert!(matches!(kept, Some(Obstacle::StillBlind { .. })), "{kept:?}");
    let done = ForgetUnits::default().next(&seen, true);
    assert!(matches!(done, Next::Done(Outcome::Held(Obstacle::StillBlind { .. }))), "{done:?}");
    *seen.view(0) = cluster(3).sentinel(0).unwrap().clone();
    assert_eq!(seen.keeps_strangers(1, 0), None);
}

#[test]
fn a_sentinel_whose_view_is_exact_is_left_alone() {
    let mut seen = without_unit_3();
    learn_again(&mut seen, 0);
    learn_again(&mut seen, 2);
    let mut procedure = ForgetUnits::default();
    assert_eq!(procedure.next(&seen, true), Next::Send(1, SHORTER));
}

#[test]
fn when_the_master_dies_in_between_no_further_sentinel_is_reset() {
    let mut seen = without_unit_3();
    let mut procedure = ForgetUnits::default();
    procedure.next(&seen, true);
    procedure.next(&seen, true);
    learn_again(&mut seen, 0);
    seen.silence(0, Silence::TimedOut);
    assert_eq!(procedure.next(&seen, true), Next::Look, "its own view is not back yet");
    let mut seen = without_unit_3();
    learn_again(&mut seen, 0);
    seen.member(0).redis = Answer::Silent(Silence::TimedOut);
    assert_eq!(procedure.next(&seen, true), Next::Send(0, USUAL));
    let done = procedure.next(&seen, true);
    assert!(
        matches!(done, Next::Done(Outcome::Held(Obstacle::MasterUnconfirmed { .. }))),
        "{done:?}"
    );
}

#[test]
fn a_failover_that_begins_before_the_reset_stops_it() {
    let mut seen = without_unit_3();
    let mut procedure = ForgetUnits::default();
    assert_eq!(procedure.next(&seen, true), Next::Send(0, SHORTER));
    seen.view(1).leads_failover = true;
    assert_eq!(procedure.next(&seen, true), Next::Send(0, USUAL));
    assert!(matches!(procedure.next(&seen, true), Next::Done(Outcome::Held(_))));
    assert!(procedure.reset().is_empty());
}

#[test]
fn when_the_time_is_up_the_info_period_is_put_back_first() {
    let mut seen = without_unit_3();
    let mut procedure = ForgetUnits::default();
    procedure.next(&seen, true);
    procedure.next(&seen, true);
    go_blind(&mut seen, 0);
    assert_eq!(procedure.next(&seen, false), Next::Send(0, USUAL));
    assert_eq!(procedure.next(&seen, false), Next::Done(Outcome::OutOfTime));
}

#[test]
fn a_replica_that_became_master_meanwhile_counts_as_known() {
    let mut seen = without_unit_3();
    let mut procedure = ForgetUnits::default();
    procedure.next(&seen, true);
    procedure.next(&seen, true);
    go_blind(&mut seen, 0);
    assert_eq!(procedure.next(&seen, true), Next::Look);
    seen.fail_over_to(1, 4);
    let healthy = cluster(3);
    seen.view(0).sentinels = healthy.sentinel(0).unwrap().sentinels.clone();
    assert_eq!(procedure.next(&seen, true), Next::Send(0, USUAL));
}

#[test]
fn no_sentinel_is_reset_while_one_holds_the_master_for_down() {
    let mut cluster = without_unit_3();
    cluster.view(1).master_down = true;
    for sentinel in [0, 1, 2] {
        let kept = cluster.keeps_strangers(sentinel, 0);
        assert!(matches!(kept, Some(Obstacle::HeldForDown { .. })), "{kept:?}");
    }
}

#[test]
fn a_unit_that_falls_silent_just_before_the_reset_stops_it() {
    let mut seen = without_unit_3();
    let mut procedure = ForgetUnits::default();
    assert_eq!(procedure.next(&seen, true), Next::Send(0, SHORTER));
    seen.silence(2, Silence::TimedOut);
    assert_eq!(procedure.next(&seen, true), Next::Send(0, USUAL));
    assert!(matches!(procedure.next(&seen, true), Next::Done(Outcome::Held(_))));
    assert!(procedure.reset().is_empty());
}

/// Three units of which two have left, the master among them: unit 0 has known them, and is alone.
fn left_alone() -> World {
    let mut world = healthy(3);
    world.fail_over_to(2, 4);
    world.remove(1);
    world.remove(2);
    let view = world.view(0);
    view.quorum = 1;
    view.master_silence = 16_000;
    let gone = world.cluster_mut().gone_master().unwrap();
    world.cluster_mut().strangers.insert(gone, Answer::Silent(Silence::NotResolved));
    world
}

#[test]
fn a_master_that_has_left_with_the_majority_is_replaced_by_asking_one_sentinel() {
    plans(
        Event::UpdateStatus,
        left_alone(),
        expect![[r#"
            record that units 1,2 leave -- every unit is to know
            ask the Sentinel of redis-k8s/0 for a failover -- the master redis-k8s/2 is gone
            wait for the failover to finish -- elected master redis-k8s/2 has left
        "#]],
    );
}

#[test]
fn no_failover_is_asked_for_while_one_runs_or_the_master_leaves_or_still_answers() {
    let mut running = left_alone();
    running.view(0).leads_failover = true;
    let mut acting = left_alone();
    acting.view(0).master_silence = 6_000;
    let mut leaving = healthy(3);
    leaving.member(0).leaving = true;
    leaving.silence(0, Silence::TimedOut);
    // Its unit is dead to Juju; its pod has yet to end.
    let mut alive = left_alone();
    alive.view(0).master_silence = 300;
    // Juju knows a unit no more some seconds before its pod ends.
    let mut still_there = left_alone();
    let gone = still_there.cluster_mut().gone_master().unwrap();
    still_there.cluster_mut().strangers.insert(gone, Answer::Said("a run id".to_owned()));
    for world in [running, acting, leaving, alive, still_there] {
        let event = Event::UpdateStatus;
        let plan = decide(&Situation { event: &event, world: &world, may_wait: false });
        let asks = plan.effects().any(|(effect, _)| matches!(effect, Effect::AskFailover { .. }));
        assert!(!asks, "{plan}");
    }
}
