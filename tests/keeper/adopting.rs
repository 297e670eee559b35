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
