//! When the keeper rings, so that Juju runs a hook.

use redis_k8s::keeper::ring;
use testbed::wait::pace;

use crate::stage::FAILOVER;
use crate::stage::SOON;
use crate::stage::Stage;

#[test]
fn it_rings_when_a_unit_that_leaves_is_gone_and_not_before() {
    let stage = Stage::running(3);
    stage.wait("all settings are as for three", SOON, || {
        (stage.setting(0, "min-replicas-to-write") == "1").then_some(())
    });
    for unit in [0, 1] {
        stage.tell(unit, |inputs| {
            inputs.planned.remove(&2);
            inputs.leaving = [2].into();
        });
        stage.says(unit, "by the number of planned units");
        assert_eq!(stage.rings(unit, ring::UNIT_GONE), 0, "{}", stage.said(unit));
    }
    stage.bed.remove(2).unwrap();
    for unit in [0, 1] {
        stage.wait("it rings that a unit is gone", FAILOVER, || {
            (stage.rings(unit, ring::UNIT_GONE) > 0).then_some(())
        });
    }
}

#[test]
fn it_rings_while_something_is_deferred_and_stops_when_that_is_done() {
    let stage = Stage::running(1);
    stage.tell(0, |inputs| inputs.deferred = true);
    stage.wait("it rings for what is deferred", SOON * 2, || {
        (stage.rings(0, ring::DEFERRED) > 0).then_some(())
    });
    assert_eq!(stage.rings(0, ring::MASTER_CHANGED), 0, "{}", stage.said(0));
    stage.tell(0, |inputs| inputs.deferred = false);
    // It reads that in a moment; a ring may be under way.
    pace(ring::EVERY / 4);
    let rung = stage.rings(0, ring::DEFERRED);
    pace(ring::EVERY * 3 / 2);
    assert_eq!(stage.rings(0, ring::DEFERRED), rung, "{}", stage.said(0));
}
