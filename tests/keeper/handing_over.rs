//! A master that is stopped hands over first.

#![expect(clippy::print_stdout, reason = "a test tells what it measured")]

use std::time::Duration;

use testbed::writer::Writer;
use testbed::writer::plan::Habit;
use testbed::writer::plan::Plan;

use crate::stage::FAILOVER;
use crate::stage::SOON;
use crate::stage::Stage;

/// Clients beside a unit that lives on, which ask the Sentinels of those that do.
fn writers(stage: &Stage, at: u32, gone: u32) -> Vec<Writer> {
    let pod = stage.bed.pod(at).unwrap().pod().unwrap();
    let habits = [("asks", Habit::AsksEachTime), ("stays", Habit::KeepsConnection)];
    let start = |(name, habit)| {
        let mut plan = Plan::of(stage.bed.layout(), name, habit);
        plan.sentinels.retain(|(host, _)| *host != stage.bed.host(gone));
        Writer::start(&pod, plan).unwrap()
    };
    habits.map(start).into()
}

/// Ends the writers when they write again: nothing is lost. Gives the longest gap.
fn end(stage: &Stage, at: u32, writers: Vec<Writer>) -> Duration {
    let pod = stage.bed.pod(at).unwrap().pod().unwrap();
    let gaps = writers.into_iter().map(|writer| {
        let before = writer.so_far().acknowledged();
        stage.wait("a client writes again", SOON, || {
            (writer.so_far().acknowledged() > before + 20).then_some(())
        });
        let written = writer.stop().unwrap();
        assert_eq!(written.missing(&pod).unwrap(), Vec::<u64>::new(), "{}", stage.logs());
        println!("{} writes, longest gap {:?}", written.acknowledged(), written.worst_gap());
        written.worst_gap()
    });
    gaps.max().unwrap()
}

/// Pods are told to end, all at the same moment: all containers of each, Pebble first.
fn stop_pods(stage: &Stage, units: &[u32]) {
    let pods: Vec<_> =
        units.iter().map(|unit| stage.bed.pod(*unit).unwrap().pod().unwrap()).collect();
    for pod in &pods {
        pod.terminate();
    }
    for pod in &pods {
        let end = pod.wait_for_end("redis", GRACE);
        assert!(end.is_some_and(|status| status.success()), "{end:?}\n{}", stage.logs());
    }
}

/// A pod whose containers have ended comes back, as the charm starts it.
fn start_pod(stage: &Stage, unit: u32, master: u32) {
    let pod = stage.bed.pod(unit).unwrap().pod().unwrap();
    for container in ["redis", "sentinel"] {
        pod.start_container(container).unwrap();
    }
    stage.start_redis(unit);
    stage.start_sentinel(unit, master);
}

#[test]
fn a_master_that_is_stopped_hands_over_and_loses_nothing() {
    let stage = Stage::running(3);
    let writers = writers(&stage, 2, 0);
    stop_pods(&stage, &[0]);
    assert!(stage.said(0).contains("handed over to"), "{}", stage.logs());
    let master = stage.bed.failed_over(0, &[1, 2], FAILOVER).unwrap();
    assert!(stage.is_master(master), "{}", stage.logs());
    let gap = end(&stage, 2, writers);
    assert!(gap < Duration::from_secs(3), "{gap:?}\n{}", stage.logs());
}

/// How many full resyncs a unit's Redis has served since it started.
fn full_resyncs(stage: &Stage, unit: u32) -> u64 {
    let info = stage.bed.pod(unit).unwrap().redis("INFO stats").unwrap().text();
    let count = info.lines().find_map(|line| line.strip_prefix("sync_full:")).unwrap();
    count.trim().parse().unwrap()
}

#[test]
fn units_that_were_stopped_come_back_by_a_partial_resync_with_all_keys_also_in_their_files() {
    let stage = Stage::running(3);
    stage.write_keys(0, 3_000);
    for unit in [1, 0] {
        stop_pods(&stage, &[unit]);
        let master = stage.wait("one is master", SOON, || {
            [1 - unit, 2].into_iter().find(|other| stage.is_master(*other))
        });
        stage.write_keys(master, 5_000);
        let before = full_resyncs(&stage, master);
        start_pod(&stage, unit, master);
        assert_eq!(stage.settle(&[0, 1, 2]), master, "{}", stage.logs());
        assert_eq!(full_resyncs(&stage, master), before, "{}", stage.logs());
        assert_eq!(stage.setting(unit, "appendonly"), "yes");
    }
    // What is in memory is on the disk too.
    stage.kill(0, "redis", "redis-server");
    stage.settle(&[0, 1, 2]);
    for unit in [0, 1, 2] {
        assert_eq!(stage.keys(unit), Some(5_000), "{}", stage.logs());
    }
}

#[test]
fn a_keeper_that_was_killed_is_back_in_time_for_a_stop_and_hands_over() {
    let stage = Stage::running(3);
    let writers = writers(&stage, 2, 0);
    let before = stage.processes(0, "redis", "redis-keeper");
    stage.kill(0, "redis", "redis-keeper");
    stage.wait("another keeper runs", SOON, || {
        let now = stage.processes(0, "redis", "redis-keeper");
        (!now.is_empty() && now != before).then_some(())
    });
    stop_pods(&stage, &[0]);
    let master = stage.bed.failed_over(0, &[1, 2], FAILOVER).unwrap();
    assert!(stage.said(0).contains("handed over to"), "{}", stage.logs());
    assert!(stage.is_master(master), "{}", stage.logs());
    let gap = end(&stage, 2, writers);
    assert!(gap < Duration::from_secs(3), "{gap:?}\n{}", stage.logs());
}

#[test]
fn a_master_hands_over_without_a_resolver_and_without_its_own_sentinel() {
    let stage = Stage::running(3);
    let writers = writers(&stage, 2, 0);
    stage.bed.silence_dns(0).unwrap();
    stage.stop(0, "sentinel");
    stop_pods(&stage, &[0]);
    assert!(stage.said(0).contains("handed over to"), "{}", stage.logs());
    let gap = end(&stage, 2, writers);
    assert!(gap < Duration::from_secs(3), "{gap:?}\n{}", stage.logs());
}

#[test]
fn of_two_units_that_stop_at_once_neither_hands_over_to_the_other() {
    let stage = Stage::running(3);
    for round in 0..3 {
        let master = stage.settle(&[0, 1, 2]);
        let [other, stays] =
            if round == 1 { [2, 1] } else { [1, 2] }.map(|step| (master + step) % 3);
        let writers = writers(&stage, stays, master);
        stop_pods(&stage, &[master, other]);
        stage.wait("the one that stays is master", FAILOVER, || {
            stage.is_master(stays).then_some(())
        });
        let said = stage.said(master);
        let last = said.rsplit("stopped by SIGTERM").next().unwrap();
        assert!(last.contains(&format!("handed over to redis-k8s/{stays}")), "{}", stage.logs());
        // Alone of three it takes no writes until one is back.
        start_pod(&stage, master, stays);
        start_pod(&stage, other, stays);
        end(&stage, stays, writers);
    }
}

#[test]
fn units_that_all_stop_at_once_end_soon_with_all_that_was_acknowledged() {
    let stage = Stage::running(3);
    stage.write_keys(0, 2_000);
    stop_pods(&stage, &[0, 1, 2]);
    for unit in [0, 1, 2] {
        assert!(stage.said(unit).contains("Redis has ended after"), "{}", stage.logs());
    }
    for unit in [0, 1, 2] {
        start_pod(&stage, unit, 0);
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
        let at = (old + 1) % 3;
        let (new, taken) = std::thread::scope(|scope| {
            let probes = [0, 1, 2].map(|unit| {
                scope.spawn({
                    let stage = &stage;
                    move || probe(stage, at, unit)
                })
            });
            stage.wait("the probes write", SOON, || {
                let key = format!("EXISTS probe:{}", stage.bed.host(old));
                (stage.bed.pod(old).unwrap().redis(&key).ok()?.text() == "1").then_some(())
            });
            stop_pods(&stage, &[old]);
            let new = stage.wait("another is master", FAILOVER, || {
                [0, 1, 2].into_iter().find(|unit| *unit != old && stage.is_master(*unit))
            });
            (new, probes.map(|probe| probe.join().unwrap()))
        });
        let [before, after] = [old, new].map(|unit| taken[unit as usize].as_slice());
        let last = before.iter().map(|(_, taken)| taken).max().unwrap();
        let first = after.iter().map(|(sent, _)| sent).min().unwrap();
        println!("{} and {} writes, {} us between", before.len(), after.len(), first - last);
        assert!(last < first, "{last} {first}\n{}", stage.logs());
        let others = [0, 1, 2].into_iter().filter(|unit| *unit != old && *unit != new);
        for unit in others {
            assert_eq!(taken[unit as usize], [], "{}", stage.logs());
        }
        start_pod(&stage, old, new);
        let key = format!("DEL probe:{}", stage.bed.host(new));
        stage.settle(&[0, 1, 2]);
        stage.bed.pod(new).unwrap().redis(&key).unwrap();
    }
}

/// The writes that a unit's Redis takes from a client in another's pod: when each was sent and when it
/// was acknowledged, in microseconds.
fn probe(stage: &Stage, at: u32, unit: u32) -> Vec<(u64, u64)> {
    let password = stage.bed.layout().redis_password.clone().unwrap_or_default();
    let script = PROBE.replace("HOST", &stage.bed.host(unit));
    let taken = stage.script(at, "redis", &script, &format!("{password}\n"));
    let number = |text: &str| text.parse::<u64>().unwrap();
    let pairs = taken.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(sent, taken)| (number(sent), number(taken))).collect()
}

/// The password comes by standard input. A write that is held is not given up.
const PROBE: &str = r#"exec bash -c '
read -r REDISCLI_AUTH
export REDISCLI_AUTH
end=$((SECONDS + 8))
while ((SECONDS < end)); do
    sent=${EPOCHREALTIME/./}
    [[ $(timeout 9 redis-cli -h HOST SET probe:HOST x 2>/dev/null) == OK ]] &&
        echo "$sent ${EPOCHREALTIME/./}"
    sleep 0.02
done
true'"#;

/// What a pod has to end.
const GRACE: Duration = Duration::from_secs(30);

#[test]
fn a_master_whose_replicas_are_not_in_sync_in_time_ends_by_itself_with_its_data_on_disk() {
    let stage = Stage::running(2);
    stage.write_keys(0, 1_000);
    stage.wait("the replica has the keys", SOON, || (stage.keys(1) == Some(1_000)).then_some(()));
    // It answers, and gets nothing any more.
    stage.bed.pod(1).unwrap().redis("CONFIG SET replica-priority 0").unwrap();
    stage.kill(1, "redis", "redis-keeper");
    stage.bed.cut(0, 1).unwrap();
    stage.write_keys(0, 2_000);
    stop_pods(&stage, &[0]);
    assert!(stage.said(0).contains("not handed over"), "{}", stage.logs());
    assert!(!stage.said(0).contains("it is killed"), "{}", stage.logs());
    stage.bed.heal().unwrap();
    start_pod(&stage, 0, 0);
    stage.wait("all keys are there", FAILOVER, || (stage.keys(0) == Some(2_000)).then_some(()));
}
