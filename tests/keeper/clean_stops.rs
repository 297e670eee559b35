//! What a start makes of how Redis ended: from its dump after a clean stop, else from its append-only file.

use std::time::Duration;

use redis_k8s::render::places;

use crate::pods;
use crate::stage::SOON;
use crate::stage::Stage;

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
        pods::stop(&stage, &[unit]);
        let master = stage.wait("one is master", SOON, || {
            [1 - unit, 2].into_iter().find(|other| stage.is_master(*other))
        });
        stage.write_keys(master, 5_000);
        let before = full_resyncs(&stage, master);
        pods::start(&stage, unit, master);
        assert_eq!(stage.settle(&[0, 1, 2]), master, "{}", stage.logs());
        assert_eq!(full_resyncs(&stage, master), before, "{}", stage.logs());
        assert_eq!(stage.setting(unit, "appendonly"), "yes");
    }
    // What is in memory is on the disk too, and each unit's own: none may get it from another first.
    for unit in [0, 1, 2] {
        assert_eq!(keys_in_files(&stage, unit), "5000", "unit {unit}\n{}", stage.logs());
    }
    std::thread::scope(|scope| {
        for unit in [0, 1, 2] {
            let stage = &stage;
            scope.spawn(move || stage.kill(unit, "redis", "redis-server"));
        }
    });
    for unit in [0, 1, 2] {
        stage.says(unit, "Redis has ended uncleanly");
    }
    stage.settle(&[0, 1, 2]);
    for unit in [0, 1, 2] {
        assert_eq!(stage.keys(unit), Some(5_000), "{}", stage.logs());
    }
}

/// How many keys another Redis finds in a copy of a unit's append-only file.
fn keys_in_files(stage: &Stage, unit: u32) -> String {
    let script = format!(
        "rm -rf /tmp/copy && mkdir /tmp/copy && cp -a {}/appendonlydir /tmp/copy/ && cd /tmp/copy && \
         redis-server --port 7777 --dir /tmp/copy --appendonly yes --daemonize yes >/dev/null && \
         until redis-cli -p 7777 DBSIZE | grep -x '[0-9][0-9]*'; do sleep 0.1; done && \
         redis-cli -p 7777 SHUTDOWN NOSAVE",
        places::DATA
    );
    stage.script(unit, "redis", &script, "")
}

/// A replica, unit 1, has ended cleanly with a dump; its master has got more keys since, so that the
/// dump is not all.
fn stopped_replica() -> Stage {
    let stage = Stage::running(3);
    stage.write_keys(0, 3_000);
    stage.wait("the replica has them", SOON, || (stage.keys(1) == Some(3_000)).then_some(()));
    stage.stop(1, "redis");
    let note = stage.note(1).unwrap();
    assert!(note.stopped_cleanly && note.dump.is_some(), "{note:?}\n{}", stage.logs());
    stage.write_keys(0, 5_000);
    stage
}

/// Unit 1 has started from its append-only file, with which it cannot go on where it was.
fn started_from_append_only_file(stage: &Stage, full_resyncs_before: u64) {
    assert_eq!(stage.settle(&[0, 1, 2]), 0, "{}", stage.logs());
    assert_eq!(full_resyncs(stage, 0), full_resyncs_before + 1, "{}", stage.logs());
    assert_eq!(stage.setting(1, "appendonly"), "yes");
    assert_eq!(stage.keys(1), Some(5_000), "{}", stage.logs());
}

#[test]
fn a_dump_that_is_not_the_one_of_the_clean_stop_is_not_started_from() {
    let stage = stopped_replica();
    let before = full_resyncs(&stage, 0);
    stage.script(1, "redis", &format!("printf x >>{}/dump.rdb", places::DATA), "");
    stage.start_redis(1);
    started_from_append_only_file(&stage, before);
}

#[test]
fn after_an_unclean_end_a_note_that_was_left_over_does_not_make_the_dump_win() {
    let stage = stopped_replica();
    let left = format!("mkdir -p /tmp/left && cd {} && cp -a dump.rdb lineage.json", places::DATA);
    stage.script(1, "redis", &format!("{left} /tmp/left/"), "");
    let before = full_resyncs(&stage, 0);
    stage.start_redis(1);
    stage.settle(&[0, 1, 2]);
    assert_eq!(full_resyncs(&stage, 0), before, "it started from its dump\n{}", stage.logs());
    // Neither ends well, and the note and its dump are there again.
    let processes = ["redis-keeper", "redis-server"].map(|it| stage.processes(1, "redis", it)[0]);
    let [keeper, redis] = processes;
    let back = format!(
        "kill -STOP {keeper} && kill -9 {redis} && cp -a /tmp/left/* {}/ && kill -9 {keeper}",
        places::DATA
    );
    stage.script(1, "redis", &back, "");
    stage.says(1, "Redis is process");
    started_from_append_only_file(&stage, before);
}

#[test]
fn a_redis_that_does_not_end_in_time_is_killed_before_pebble_would_kill_its_keeper() {
    let stage = Stage::running(1);
    stage.write_keys(0, 1_000);
    let pod = stage.bed.pod(0).unwrap();
    pod.freeze_redis();
    pod.pod().unwrap().terminate();
    stage.wait("it is killed", PEBBLE_WAITS, || {
        stage.said(0).contains("Redis does not end in time: it is killed").then_some(())
    });
    pods::ended_well(&stage, 0);
    pods::start(&stage, 0, 0);
    stage.wait("all keys are there", SOON, || (stage.keys(0) == Some(1_000)).then_some(()));
}

/// How long Pebble waits for the keeper before it kills it.
const PEBBLE_WAITS: Duration = Duration::from_secs(25);
