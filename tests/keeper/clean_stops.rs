//! What a start makes of how Redis ended: from its dump after a clean stop, else from its append-only file.

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
