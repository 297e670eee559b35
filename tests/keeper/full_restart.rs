//! All units restart: the freshest data are gone on with, whatever the Sentinels' files or the record say.

use std::time::Duration;

use redis_k8s::render::places;
use redis_k8s::world::lineage::Lineage;

use crate::stage::FAILOVER;
use crate::stage::SOON;
use crate::stage::Stage;

/// Longer than missing units are waited for.
const WAITED: Duration = Duration::from_mins(2);

/// Three units with keys, whose note is on the disk; all have ended, with their Sentinels or without.
fn stopped(keys: u32, with_sentinels: bool) -> Stage {
    let stage = Stage::running(3);
    stage.write_keys(0, keys);
    noted(&stage, keys);
    stop(&stage, with_sentinels);
    stage
}

/// Waits until all have so many keys, and have noted the same.
fn noted(stage: &Stage, keys: u32) {
    for unit in stage.units() {
        let all = || (stage.keys(unit) == Some(u64::from(keys))).then_some(());
        stage.wait("a unit has all keys", SOON, all);
    }
    stage.wait("all have noted it", SOON, || {
        let notes: Vec<Lineage> =
            stage.units().into_iter().filter_map(|unit| stage.note(unit)).collect();
        let place = |note: &Lineage| (note.replication_id.clone(), note.offset, note.rank);
        let first = place(notes.first()?);
        (notes.len() == 3 && notes.iter().all(|note| place(note) == first)).then_some(())
    });
}

fn stop(stage: &Stage, with_sentinels: bool) {
    for unit in stage.units() {
        if with_sentinels {
            stage.stop(unit, "sentinel");
        }
    }
    for unit in [2, 1, 0] {
        stage.stop(unit, "redis");
    }
}

fn have_keys(stage: &Stage, keys: u32) {
    for unit in stage.units() {
        let all = || (stage.keys(unit) == Some(u64::from(keys))).then_some(());
        stage.wait("a unit has all keys", SOON, all);
    }
}

/// Starts Sentinels with new files that name this unit, as the charm does once there is a master.
fn new_sentinels(stage: &Stage, master: u32) {
    for unit in stage.units() {
        let remove = format!("rm -f {}", places::SENTINEL_CONF);
        stage.script(unit, "sentinel", &remove, "");
        stage.start_sentinel(unit, master);
    }
}

fn lone_master(stage: &Stage) -> u32 {
    stage.wait("one is master", WAITED, || {
        stage.units().into_iter().find(|unit| stage.is_master(*unit))
    })
}

#[test]
fn with_no_sentinel_and_a_stale_record_the_freshest_starts() {
    let stage = Stage::running(3);
    stage.write_keys(0, 300);
    noted(&stage, 300);
    // A failover that no hook saw: the record stays at unit 0.
    stage.stop(0, "redis");
    let master = stage.bed.failed_over(0, &[1, 2], FAILOVER).unwrap();
    stage.wait("the new master takes writes", SOON, || {
        stage.write_keys(master, 500);
        (stage.keys(master) == Some(500)).then_some(())
    });
    let other = 3 - master;
    stage.wait("it is replicated and noted", SOON, || {
        let notes = [stage.note(master)?, stage.note(other)?];
        let is_noted = notes.iter().all(|note| note.rank.epoch > 0);
        (stage.keys(other) == Some(500) && is_noted && notes[0].offset == notes[1].offset)
            .then_some(())
    });
    for unit in stage.units() {
        stage.stop(unit, "sentinel");
    }
    for unit in [other, master] {
        stage.stop(unit, "redis");
    }
    for unit in stage.units() {
        stage.start_redis(unit);
    }
    let master = lone_master(&stage);
    assert_ne!(master, 0, "{}", stage.logs());
    new_sentinels(&stage, master);
    stage.settle(&[0, 1, 2]);
    have_keys(&stage, 500);
}

#[test]
fn with_no_sentinel_and_the_same_data_whoever_was_master_starts() {
    let stage = stopped(300, true);
    stage.tell_all(2);
    for unit in stage.units() {
        stage.start_redis(unit);
    }
    assert_eq!(lone_master(&stage), 0, "{}", stage.logs());
    new_sentinels(&stage, 0);
    assert_eq!(stage.settle(&[0, 1, 2]), 0);
    have_keys(&stage, 300);
}

#[test]
fn a_rolled_back_volume_on_the_recorded_master_does_not_win() {
    for with_sentinels in [true, false] {
        let stage = Stage::running(3);
        stage.write_keys(0, 100);
        noted(&stage, 100);
        stop(&stage, false);
        let keep = "rm -rf /var/lib/redis.old && cp -a /var/lib/redis /var/lib/redis.old";
        stage.script(0, "redis", keep, "");
        for unit in stage.units() {
            stage.start_redis(unit);
        }
        let master = stage.settle(&[0, 1, 2]);
        stage.write_keys(master, 400);
        noted(&stage, 400);
        stop(&stage, with_sentinels);
        let back = "cd /var/lib/redis && rm -rf appendonlydir dump.rdb lineage.json && \
            cd ../redis.old && cp -a appendonlydir lineage.json ../redis/";
        stage.script(0, "redis", back, "");
        for unit in stage.units() {
            stage.start_redis(unit);
        }
        if with_sentinels {
            let master = lone_master(&stage);
            assert_ne!(master, 0, "{}", stage.logs());
            new_sentinels(&stage, master);
        }
        stage.settle(&[0, 1, 2]);
        have_keys(&stage, 400);
    }
}

#[test]
fn a_named_master_that_does_not_come_back_is_replaced_by_the_freshest() {
    let stage = stopped(300, false);
    stage.stop(0, "sentinel");
    for unit in [1, 2] {
        stage.start_redis(unit);
    }
    stage.says(1, "redis-k8s/0 is named; not heard yet: redis-k8s/0");
    let master = stage.bed.failed_over(0, &[1, 2], WAITED).unwrap();
    assert_eq!(stage.keys(master), Some(300));
    // It comes back on an empty volume, and is a replica.
    stage.bed.pod(0).unwrap().wipe_data().unwrap();
    stage.start_redis(0);
    stage.start_sentinel(0, 0);
    stage.settle(&[0, 1, 2]);
    have_keys(&stage, 300);
}

#[test]
fn without_most_units_nobody_starts_before_their_loss_is_accepted() {
    let stage = stopped(300, true);
    stage.start_redis(1);
    let missing = "missing: redis-k8s/0, redis-k8s/2, whose data may be fresher";
    stage.wait("it is blocked", WAITED, || stage.said(1).contains(missing).then_some(()));
    let report = format!("cat {}", places::KEEPER_REPORT);
    assert_eq!(stage.script(1, "redis", &report, ""), r#"{"missing":[0,2],"epoch":0}"#);
    assert_eq!(stage.rings(1, "redis.charm/data-missing"), 1);
    assert_eq!(stage.processes(1, "redis", "redis-server"), Vec::<u32>::new());
    stage.tell(1, |inputs| inputs.accepted_loss = [0].into());
    stage.tell(1, |inputs| inputs.accepted_loss = [0, 2].into());
    assert_eq!(lone_master(&stage), 1);
    assert_eq!(stage.keys(1), Some(300));
    // Those that come back after all follow it.
    for unit in [0, 2] {
        stage.start_redis(unit);
    }
    new_sentinels(&stage, 1);
    assert_eq!(stage.settle(&[0, 1, 2]), 1);
    have_keys(&stage, 300);
}

#[test]
fn a_unit_that_comes_late_with_the_freshest_data_is_waited_for() {
    let stage = stopped(300, true);
    // Unit 0 has more than the others.
    for unit in [1, 2] {
        let note = stage.note(unit).unwrap();
        let behind = Lineage { offset: note.offset - 1, ..note }.render();
        stage.script(unit, "redis", &format!("cat >{}", places::LINEAGE), &behind);
    }
    for unit in [1, 2] {
        stage.start_redis(unit);
    }
    stage.says(1, "no Sentinel names a master; not heard yet: redis-k8s/0");
    stage.start_redis(0);
    assert_eq!(lone_master(&stage), 0, "{}", stage.logs());
    new_sentinels(&stage, 0);
    stage.settle(&[0, 1, 2]);
    have_keys(&stage, 300);
}

#[test]
fn a_keeper_tells_nothing_without_the_password() {
    let stage = Stage::running(1);
    let ask = |words: &str| {
        stage.script(0, "redis", &format!("printf '{words}' | redis-cli -p 6378 2>&1 || true"), "")
    };
    assert!(ask("LINEAGE\\n").contains("NOAUTH"), "{}", ask("LINEAGE\\n"));
    assert!(ask("AUTH wrong\\nLINEAGE\\n").contains("WRONGPASS"));
    let password = stage.bed.layout().redis_password.clone().unwrap();
    let told = ask(&format!("AUTH {password}\\nLINEAGE\\n"));
    assert!(told.contains("replication_id") && !told.contains(&password), "{told}");
    // Whoever hangs holds nobody up for long.
    let hang = "(exec 3<>/dev/tcp/127.0.0.1/6378; sleep 3) & sleep 0.1";
    stage.script(0, "redis", &format!("bash -c '{hang}'"), "");
    assert!(ask(&format!("AUTH {password}\\nLINEAGE\\n")).contains("replication_id"));
}
