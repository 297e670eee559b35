//! A master that is stopped hands over first.

use std::time::Duration;

use redis_k8s::render::inputs::Inputs;

use crate::clients;
use crate::pods;
use crate::probes;
use crate::stage::FAILOVER;
use crate::stage::SOON;
use crate::stage::Stage;

#[test]
fn a_master_that_is_stopped_hands_over_and_loses_nothing() {
    let stage = Stage::running(3);
    let writers = clients::start(&stage, 2, 0, 0);
    pods::stop(&stage, &[0]);
    assert!(stage.said(0).contains("handed over to"), "{}", stage.logs());
    let master = stage.bed.failed_over(0, &[1, 2], FAILOVER).unwrap();
    assert!(stage.is_master(master), "{}", stage.logs());
    let gap = clients::end(&stage, 2, writers);
    assert!(gap < Duration::from_secs(3), "{gap:?}\n{}", stage.logs());
}

#[test]
fn a_keeper_that_was_killed_is_back_in_time_for_a_stop_and_hands_over() {
    let stage = Stage::running(3);
    let writers = clients::start(&stage, 2, 0, 0);
    let before = stage.processes(0, "redis", "redis-keeper");
    stage.kill(0, "redis", "redis-keeper");
    stage.wait("another keeper runs", SOON, || {
        let now = stage.processes(0, "redis", "redis-keeper");
        (!now.is_empty() && now != before).then_some(())
    });
    pods::stop(&stage, &[0]);
    let master = stage.bed.failed_over(0, &[1, 2], FAILOVER).unwrap();
    assert!(stage.said(0).contains("handed over to"), "{}", stage.logs());
    assert!(stage.is_master(master), "{}", stage.logs());
    let gap = clients::end(&stage, 2, writers);
    assert!(gap < Duration::from_secs(3), "{gap:?}\n{}", stage.logs());
}

#[test]
fn a_master_hands_over_without_a_resolver_and_without_its_own_sentinel() {
    let stage = Stage::running(3);
    let writers = clients::start(&stage, 2, 0, 0);
    stage.bed.silence_dns(0).unwrap();
    stage.stop(0, "sentinel");
    pods::stop(&stage, &[0]);
    assert!(stage.said(0).contains("handed over to"), "{}", stage.logs());
    let gap = clients::end(&stage, 2, writers);
    assert!(gap < Duration::from_secs(3), "{gap:?}\n{}", stage.logs());
}

/// What a keeper was told last may be from before the last change of the units: another unit is master
/// after the stop, and nothing is lost. Gives what the keeper said.
fn stopped_with_old_inputs(change: impl FnOnce(&Stage, &mut Inputs)) -> String {
    let stage = Stage::running(3);
    stage.wait("the Sentinels know that both replicas may be promoted", SOON, || {
        [1, 2].iter().all(|unit| knows_both(&stage, *unit)).then_some(())
    });
    let writers = clients::start(&stage, 2, 0, 0);
    stage.tell(0, |inputs| change(&stage, inputs));
    pods::stop(&stage, &[0]);
    let master = stage.bed.failed_over(0, &[1, 2], FAILOVER).unwrap();
    assert!(stage.is_master(master), "{}", stage.logs());
    clients::end(&stage, 2, writers);
    stage.said(0)
}

fn knows_both(stage: &Stage, unit: u32) -> bool {
    let Ok(view) = stage.bed.pod(unit).unwrap().sentinel_view() else { return false };
    let known = view.replicas.iter().filter(|entry| entry.text("slave-priority") == "100");
    known.count() == 2
}

#[test]
fn a_master_that_is_told_of_a_unit_that_is_not_there_hands_over() {
    let said = stopped_with_old_inputs(|_, inputs| {
        inputs.planned.insert(3);
    });
    assert!(said.contains("handed over to"), "{said}");
}

#[test]
fn a_master_that_is_told_of_an_earlier_master_hands_over() {
    let said = stopped_with_old_inputs(|stage, inputs| {
        inputs.recorded_master = Some(stage.bed.host(1));
    });
    assert!(said.contains("handed over to"), "{said}");
}

/// It does not look at a unit that it was not told of, and Sentinel might choose that one: so it may end
/// without asking for a failover, which the Sentinels then begin by themselves.
#[test]
fn a_master_that_is_not_told_of_a_new_unit_yet_ends_in_time_and_loses_nothing() {
    let said = stopped_with_old_inputs(|_, inputs| {
        inputs.planned.remove(&2);
    });
    assert!(said.contains("Redis has ended after"), "{said}");
}

#[test]
fn of_two_units_that_stop_at_once_neither_hands_over_to_the_other() {
    let stage = Stage::running(3);
    for round in 0..3 {
        let master = stage.settle(&[0, 1, 2]);
        let [other, stays] =
            if round == 1 { [2, 1] } else { [1, 2] }.map(|step| (master + step) % 3);
        let writers = clients::start(&stage, stays, master, 0);
        pods::stop(&stage, &[master, other]);
        stage.wait("the one that stays is master", FAILOVER, || {
            stage.is_master(stays).then_some(())
        });
        let said = stage.said(master);
        let last = said.rsplit("stopped by SIGTERM").next().unwrap();
        assert!(last.contains(&format!("handed over to redis-k8s/{stays}")), "{}", stage.logs());
        // Alone of three it takes no writes until one is back.
        pods::start(&stage, master, stays);
        pods::start(&stage, other, stays);
        clients::end(&stage, stays, writers);
    }
}

#[test]
fn units_that_all_stop_at_once_end_soon_with_all_that_was_acknowledged() {
    let stage = Stage::running(3);
    stage.write_keys(0, 2_000);
    pods::stop(&stage, &[0, 1, 2]);
    for unit in [0, 1, 2] {
        assert!(stage.said(unit).contains("Redis has ended after"), "{}", stage.logs());
    }
    for unit in [0, 1, 2] {
        pods::start(&stage, unit, 0);
    }
    let master = stage.settle(&[0, 1, 2]);
    for unit in [0, 1, 2] {
        assert_eq!(stage.keys(unit), Some(2_000), "master {master}\n{}", stage.logs());
    }
}

#[test]
fn two_never_take_writes_at_the_same_time() {
    let stage = Stage::running(3);
    for _ in 0..3 {
        let old = stage.settle(&[0, 1, 2]);
        let new = probes::never_two(&stage, old, || {
            pods::stop(&stage, &[old]);
            stage.wait("another is master", FAILOVER, || {
                [0, 1, 2].into_iter().find(|unit| *unit != old && stage.is_master(*unit))
            })
        });
        pods::start(&stage, old, new);
        stage.settle(&[0, 1, 2]);
        probes::forget(&stage, new);
    }
}

#[test]
fn a_master_that_reaches_nobody_ends_by_itself_with_its_data_on_disk() {
    let stage = Stage::running(2);
    stage.write_keys(0, 1_000);
    stage.wait("the replica has the keys", SOON, || (stage.keys(1) == Some(1_000)).then_some(()));
    stage.bed.cut(0, 1).unwrap();
    stage.write_keys(0, 2_000);
    pods::stop(&stage, &[0]);
    assert!(stage.said(0).contains("not handed over"), "{}", stage.logs());
    assert!(!stage.said(0).contains("it is killed"), "{}", stage.logs());
    stage.bed.heal().unwrap();
    pods::start(&stage, 0, 0);
    stage.wait("all keys are there", FAILOVER, || (stage.keys(0) == Some(2_000)).then_some(()));
}
