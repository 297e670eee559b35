//! How Redis starts: for the first time, as a replica, with which settings.
#![expect(clippy::print_stdout, reason = "a test tells what it measured")]

use redis_k8s::render::places;

use crate::stage::SOON;
use crate::stage::Stage;

#[test]
fn a_single_unit_with_an_empty_volume_starts_within_a_second() {
    let stage = Stage::new(1);
    let host = stage.bed.host(0);
    stage.tell(0, |inputs| {
        inputs.recorded_master = Some(host.clone());
        inputs.bootstrap = Some(host);
    });
    let taken = stage.time_to_answer(0);
    println!("a first start took {taken:.3} s");
    assert!(taken < 1.0, "it took {taken} s\n{}", stage.logs());
    stage.wait("it may be promoted", SOON, || {
        (stage.setting(0, "replica-priority") == "100").then_some(())
    });
    assert_eq!(stage.setting(0, "min-replicas-to-write"), "0");
    stage.write_keys(0, 100);
    stage.stop(0, "redis");
    assert!(stage.said(0).contains("Redis has ended"), "{}", stage.said(0));
    // No Sentinel has ever been there, and nothing is told to be a first start any more.
    stage.tell(0, |inputs| inputs.bootstrap = None);
    let taken = stage.time_to_answer(0);
    println!("a second start took {taken:.3} s");
    assert_eq!(stage.keys(0), Some(100));
    assert!(taken < 1.0, "it took {taken} s\n{}", stage.logs());
}

#[test]
fn three_units_start_for_the_first_time_and_their_settings_follow_the_planned_units() {
    let stage = Stage::new(3);
    stage.bootstrap();
    assert!(stage.is_master(0), "{}", stage.logs());
    for unit in stage.units() {
        assert_eq!(stage.setting(unit, "min-replicas-to-write"), "1");
        let conf =
            stage.script(unit, "redis", &format!("stat -c '%a %U' {}", places::REDIS_CONF), "");
        assert_eq!(conf, "640 redis");
        let user =
            stage.script(unit, "redis", "stat -c %U /proc/$(cat /var/lib/redis/redis.pid)", "");
        assert_eq!(user, "redis");
    }
    for unit in [0, 1] {
        stage.tell(unit, |inputs| {
            inputs.planned = [0, 1].into();
            inputs.leaving = [2].into();
        });
        stage.wait("a master of two takes writes without a replica", SOON, || {
            (stage.setting(unit, "min-replicas-to-write") == "0").then_some(())
        });
    }
    stage.tell(2, |inputs| inputs.planned = [0, 1].into());
    stage.wait("a unit that leaves is not promoted", SOON, || {
        (stage.setting(2, "replica-priority") == "0").then_some(())
    });
    assert_eq!(stage.bed.leaks(), Vec::<String>::new());
}

#[test]
fn a_replica_may_be_promoted_only_when_it_has_all_data() {
    let stage = Stage::new(2);
    let first = stage.bed.host(0);
    for unit in [0, 1] {
        stage.tell(unit, |inputs| inputs.bootstrap = Some(first.clone()));
    }
    stage.start_redis(1);
    stage.says(1, "start as a replica of");
    stage.wait("the replica answers", SOON, || stage.keys(1));
    assert_eq!(stage.setting(1, "replica-priority"), "0");
    stage.start_redis(0);
    stage.wait("the replica may be promoted", SOON, || {
        (stage.setting(1, "replica-priority") == "100").then_some(())
    });
    let said = stage.said(1);
    let synced = said.find("Redis follows").or(said.find("its data are complete"));
    assert!(synced.is_some(), "{said}");
}

#[test]
fn a_volume_of_another_user_with_a_dump_and_no_append_only_file_loses_nothing() {
    let stage = Stage::running(1);
    stage.write_keys(0, 100);
    stage.bed.pod(0).unwrap().redis("SAVE").unwrap();
    stage.stop(0, "redis");
    let script = format!("rm -r {0}/appendonlydir && chown -R 12345:12345 {0}", places::DATA);
    stage.script(0, "redis", &script, "");
    stage.start_redis(0);
    assert_eq!(stage.wait("Redis answers", SOON, || stage.keys(0)), 100);
    stage.says(0, "set appendonly to yes");
    stage.wait("it may be promoted", SOON, || {
        (stage.setting(0, "replica-priority") == "100").then_some(())
    });
    // From now on the append-only file alone is read.
    stage.script(0, "redis", &format!("rm {}/dump.rdb", places::DATA), "");
    stage.kill(0, "redis", "redis-server");
    stage.says(0, "Redis has ended uncleanly");
    assert_eq!(stage.wait("Redis answers", SOON, || stage.keys(0)), 100);
}
