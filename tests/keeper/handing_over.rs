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

/// Stops both containers' services of a unit at the same moment, as a pod does.
fn stop_unit(stage: &Stage, unit: u32) {
    std::thread::scope(|scope| {
        scope.spawn(|| stage.stop(unit, "sentinel"));
        stage.stop(unit, "redis");
    });
}

#[test]
fn a_master_that_is_stopped_hands_over_and_loses_nothing() {
    let stage = Stage::running(3);
    let writers = writers(&stage, 2, 0);
    stop_unit(&stage, 0);
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
        stop_unit(&stage, unit);
        let master = stage.wait("one is master", SOON, || {
            [1 - unit, 2].into_iter().find(|other| stage.is_master(*other))
        });
        stage.write_keys(master, 5_000);
        let before = full_resyncs(&stage, master);
        stage.start_redis(unit);
        stage.start_sentinel(unit, master);
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
