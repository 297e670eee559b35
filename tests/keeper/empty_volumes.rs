//! Volumes that are empty: what is on the others is not lost.

use std::time::Duration;

use testbed::wait::steadily;

use crate::stage::SOON;
use crate::stage::Stage;

#[test]
fn a_master_that_comes_back_empty_is_replaced_before_it_starts() {
    let stage = Stage::running(3);
    stage.write_keys(0, 500);
    stage.wait("a replica has the keys", SOON, || (stage.keys(1) == Some(500)).then_some(()));
    let pod = stage.bed.pod(0).unwrap().pod().unwrap();
    pod.kill_container("redis").unwrap();
    stage.bed.pod(0).unwrap().wipe_data().unwrap();
    pod.start_container("redis").unwrap();
    stage.start_redis(0);
    stage.says(0, "the named master has an empty volume");
    let master = stage.settle(&[0, 1, 2]);
    assert_ne!(master, 0, "{}", stage.logs());
    for unit in [0, 1, 2] {
        assert_eq!(stage.keys(unit), Some(500), "unit {unit}\n{}", stage.logs());
    }
}

#[test]
fn an_empty_replica_is_never_promoted() {
    let stage = Stage::running(3);
    stage.write_keys(0, 500);
    stage.wait("a replica has the keys", SOON, || (stage.keys(1) == Some(500)).then_some(()));
    stage.stop(2, "redis");
    stage.bed.pod(2).unwrap().wipe_data().unwrap();
    stage.bed.cut(0, 2).unwrap();
    stage.start_redis(2);
    stage.wait("the empty replica answers", SOON, || stage.keys(2));
    stage.stop(1, "redis");
    stage.kill(0, "redis", "redis-keeper");
    stage.bed.pod(0).unwrap().kill().unwrap();
    steadily("the empty replica is none but a replica", Duration::from_secs(12), || {
        !stage.is_master(2)
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", stage.logs()));
    stage.bed.heal().unwrap();
    stage.start_redis(1);
    stage.start_redis(0);
    stage.start_sentinel(0, 0);
    stage.settle(&[0, 1, 2]);
    for unit in [0, 1, 2] {
        assert_eq!(stage.keys(unit), Some(500), "unit {unit}\n{}", stage.logs());
    }
}

#[test]
fn a_named_master_that_is_empty_holds_back_until_all_are_heard_and_the_freshest_is_master() {
    let stage = Stage::running(3);
    stage.write_keys(0, 500);
    for unit in [1, 2] {
        stage
            .wait("a replica has the keys", SOON, || (stage.keys(unit) == Some(500)).then_some(()));
    }
    for unit in [2, 1, 0] {
        stage.stop(unit, "redis");
    }
    stage.bed.pod(0).unwrap().wipe_data().unwrap();
    stage.start_redis(0);
    stage.says(0, "named; not heard yet: redis-k8s/1, redis-k8s/2");
    stage.start_redis(1);
    stage.says(0, "named; not heard yet: redis-k8s/2");
    assert_eq!(stage.processes(0, "redis", "redis-server"), Vec::<u32>::new());
    stage.start_redis(2);
    stage.says(0, "do not start before another is master: the named master");
    let master = stage.settle(&[0, 1, 2]);
    assert_ne!(master, 0, "{}", stage.logs());
    for unit in [0, 1, 2] {
        assert_eq!(stage.keys(unit), Some(500), "unit {unit}\n{}", stage.logs());
    }
}
