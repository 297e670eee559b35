//! A keeper that is killed leaves its Redis, and the next one takes it over.

use redis_k8s::render::places;

use crate::stage::SOON;
use crate::stage::Stage;

#[test]
fn the_redis_of_a_keeper_that_was_killed_is_adopted_undisturbed_and_stopped_in_order() {
    let stage = Stage::running(1);
    stage.write_keys(0, 50);
    let before = stage.processes(0, "redis", "redis-server");
    stage.kill(0, "redis", "redis-keeper");
    stage.says(0, "adopted the Redis that runs here");
    assert_eq!(stage.processes(0, "redis", "redis-server"), before);
    // It is still kept right.
    stage.bed.pod(0).unwrap().redis("CONFIG SET min-replicas-to-write 7").unwrap();
    stage.wait("a wrong setting is put right", SOON, || {
        (stage.setting(0, "min-replicas-to-write") == "0").then_some(())
    });
    stage.stop(0, "redis");
    assert_eq!(stage.processes(0, "redis", "redis-server"), Vec::<u32>::new());
    stage.start_redis(0);
    assert_eq!(stage.wait("Redis answers", SOON, || stage.keys(0)), 50);
}

#[test]
fn a_redis_that_has_not_written_its_process_number_yet_is_adopted_too() {
    let stage = Stage::running(1);
    let before = stage.processes(0, "redis", "redis-server");
    stage.script(0, "redis", &format!("rm {}", places::PID_FILE), "");
    stage.kill(0, "redis", "redis-keeper");
    stage.says(0, "adopted the Redis that runs here");
    assert_eq!(stage.processes(0, "redis", "redis-server"), before);
}

#[test]
fn keepers_that_are_killed_while_a_master_is_replaced_lose_nothing() {
    let stage = Stage::running(3);
    stage.write_keys(0, 300);
    for unit in [1, 2] {
        stage
            .wait("a replica has the keys", SOON, || (stage.keys(unit) == Some(300)).then_some(()));
    }
    stage.kill(0, "redis", "redis-server");
    for _ in 0..4 {
        for unit in [0, 1, 2] {
            for keeper in stage.processes(unit, "redis", "redis-keeper") {
                stage.script(unit, "redis", &format!("kill -9 {keeper} || true"), "");
            }
        }
        stage.wait("a keeper runs", SOON, || {
            (!stage.processes(0, "redis", "redis-keeper").is_empty()).then_some(())
        });
    }
    let master = stage.settle(&[0, 1, 2]);
    assert_ne!(master, 0, "{}", stage.logs());
    for unit in [0, 1, 2] {
        assert_eq!(stage.keys(unit), Some(300), "{}", stage.logs());
        assert_eq!(stage.processes(unit, "redis", "redis-server").len(), 1);
    }
}

#[test]
fn the_end_of_an_adopted_redis_is_noticed() {
    let stage = Stage::running(1);
    stage.kill(0, "redis", "redis-keeper");
    stage.says(0, "adopted the Redis that runs here");
    let before = stage.processes(0, "redis", "redis-server");
    stage.kill(0, "redis", "redis-server");
    stage.says(0, "Redis has ended uncleanly");
    stage.wait("Redis answers", SOON, || stage.keys(0));
    assert_ne!(stage.processes(0, "redis", "redis-server"), before);
}

#[test]
fn a_second_keeper_is_refused() {
    let stage = Stage::running(1);
    let before = stage.processes(0, "redis", "redis-server");
    let said = stage.script(0, "redis", &format!("{} && exit 1 || true", places::KEEPER), "");
    assert!(said.contains("another keeper runs"), "{said}");
    assert_eq!(stage.processes(0, "redis", "redis-server"), before);
}
