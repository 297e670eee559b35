//! Containers that are killed, a Redis that slept, all at once; and passwords of any characters.

use std::time::Duration;

use redis_k8s::render::places;
use testbed::layout::Layout;

use crate::stage::FAILOVER;
use crate::stage::SOON;
use crate::stage::Stage;

fn keys_everywhere(stage: &Stage, count: u64) {
    for unit in stage.units() {
        stage.wait("a unit has all keys", SOON, || (stage.keys(unit) == Some(count)).then_some(()));
    }
}

#[test]
fn the_master_of_a_container_that_was_killed_comes_back_as_a_replica_with_all_keys() {
    let stage = Stage::running(3);
    stage.write_keys(0, 300);
    keys_everywhere(&stage, 300);
    let pod = stage.bed.pod(0).unwrap().pod().unwrap();
    pod.kill_container("redis").unwrap();
    pod.start_container("redis").unwrap();
    stage.start_redis(0);
    stage.says(0, "the named master ended uncleanly");
    let master = stage.settle(&[0, 1, 2]);
    assert_ne!(master, 0, "{}", stage.logs());
    keys_everywhere(&stage, 300);
}

#[test]
fn units_that_all_stop_and_start_again_keep_their_master_and_their_keys() {
    let stage = Stage::running(3);
    stage.write_keys(0, 300);
    keys_everywhere(&stage, 300);
    for unit in [2, 1, 0] {
        stage.stop(unit, "redis");
    }
    for unit in [2, 1, 0] {
        stage.start_redis(unit);
    }
    stage.settle(&[0, 1, 2]);
    keys_everywhere(&stage, 300);
}

#[test]
fn units_whose_redis_is_killed_at_once_come_back_with_their_keys() {
    let stage = Stage::running(3);
    stage.write_keys(0, 300);
    keys_everywhere(&stage, 300);
    // What is acknowledged is on disk within a second.
    for unit in stage.units() {
        stage.wait("the keys are on disk", SOON, || {
            let info = stage.bed.pod(unit).unwrap().redis("INFO persistence").ok()?.text();
            info.contains("aof_pending_bio_fsync:0").then_some(())
        });
    }
    for unit in [0, 1, 2] {
        stage.kill(unit, "redis", "redis-server");
    }
    stage.settle(&[0, 1, 2]);
    keys_everywhere(&stage, 300);
}

#[test]
fn a_master_that_slept_through_an_election_follows_the_new_one() {
    let stage = Stage::running(3);
    let pod = stage.bed.pod(0).unwrap();
    pod.freeze_redis();
    stage.bed.failed_over(0, &[1, 2], FAILOVER).unwrap();
    let process = stage.processes(0, "redis", "redis-server")[0];
    stage.script(0, "redis", &format!("kill -CONT {process}"), "");
    stage.says(0, "it is the elected master");
    assert_ne!(stage.settle(&[0, 1, 2]), 0);
    assert_eq!(stage.processes(0, "redis", "redis-server"), [process]);
}

#[test]
fn a_master_that_was_voted_out_by_hand_follows_the_new_one_long_before_sentinel_tells_it() {
    let stage = Stage::running(3);
    // It hears of a replica that may be promoted up to ten seconds late.
    stage.wait("a Sentinel takes a failover", SOON, || {
        stage.bed.pod(1).unwrap().sentinel("SENTINEL FAILOVER redis-k8s").ok()
    });
    // Sentinel waits for eight seconds before it tells a master that it is none any more.
    stage.says(0, "it is the elected master");
    assert_ne!(stage.settle(&[0, 1, 2]), 0);
    // Sentinel has asked each Redis to write its file anew, which others could read then.
    for unit in stage.units() {
        let files = format!("stat -c '%a %U' {0} && ls {1}", places::REDIS_CONF, places::FOLDER);
        let files = stage.script(unit, "redis", &files, "");
        assert_eq!(
            files,
            "640 redis\nkeeper.json\nkeeper.lock\nredis-keeper\nredis.conf\nreport.json"
        );
    }
}

#[test]
fn servers_take_passwords_of_any_characters_and_none() {
    let odd = " \"quoted\" \\x41 #'ä\n\t$(id) ".to_owned();
    for password in [Some(odd), None] {
        let layout = Layout {
            units: 2,
            redis_password: password.clone(),
            sentinel_password: password,
            ..Layout::default()
        };
        let stage = Stage::with(layout);
        stage.bootstrap();
        assert!(stage.is_master(0), "{}", stage.logs());
    }
}

#[test]
fn a_stop_takes_less_time_than_pebble_gives() {
    let stage = Stage::running(3);
    stage.write_keys(0, 300);
    stage.stop(0, "redis");
    assert!(stage.said(0).contains("Redis has ended"), "{}", stage.said(0));
    let master = stage.bed.failed_over(0, &[1, 2], Duration::from_secs(30)).unwrap();
    assert_eq!(stage.keys(master), Some(300));
}
