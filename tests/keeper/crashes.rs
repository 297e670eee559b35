//! A Redis that dies.

use std::time::Duration;

use testbed::layout::Layout;

use crate::clients;
use crate::stage::FAILOVER;
use crate::stage::SOON;
use crate::stage::Stage;

/// Kills the Redis of one master after the other while clients write, and gives their longest gap;
/// nothing is lost.
fn gap_of_killed_masters(stage: &Stage, times: u32) -> Duration {
    let writers = clients::start(stage, 2, 0, 1);
    let mut master = 0;
    for _ in 0..times {
        stage.kill(master, "redis", "redis-server");
        let killed = master;
        stage.bed.failed_over(killed, &[0, 1, 2], FAILOVER).unwrap();
        master = stage.settle(&[0, 1, 2]);
        assert_ne!(master, killed, "{}", stage.logs());
        stage.tell_all(master);
    }
    clients::end(stage, 2, writers)
}

#[test]
fn a_master_that_is_killed_is_replaced_at_once_and_comes_back_as_a_replica() {
    let stage = Stage::running(3);
    let gap = gap_of_killed_masters(&stage, 1);
    // Sentinels alone take more than five seconds before they even begin.
    assert!(gap < Duration::from_secs(5), "{gap:?}\n{}", stage.logs());
    let asked = stage.said(0).matches("asked the Sentinel of").count();
    assert_eq!(asked, 1, "{}", stage.said(0));
    assert!(stage.rings(0, "redis.charm/master-changed") > 0, "{}", stage.said(0));
}

#[test]
fn a_master_that_is_killed_on_a_slow_disk_loses_no_write_that_a_replica_has() {
    let layout = Layout { units: 3, can_slow_disk: true, ..Layout::default() };
    let stage = Stage::with(layout);
    stage.bootstrap();
    let pod = stage.bed.pod(0).unwrap().pod().unwrap();
    pod.slow_disk("redis", Duration::from_millis(1_500)).unwrap();
    let gap = gap_of_killed_masters(&stage, 1);
    assert!(gap < Duration::from_secs(5), "{gap:?}\n{}", stage.logs());
}

#[test]
fn masters_that_are_killed_one_after_the_other_lose_nothing() {
    let stage = Stage::running(3);
    let gap = gap_of_killed_masters(&stage, 4);
    assert!(gap < Duration::from_secs(5), "{gap:?}\n{}", stage.logs());
}

#[test]
fn a_replica_that_is_killed_starts_again_and_the_master_stays() {
    let stage = Stage::running(3);
    stage.kill(2, "redis", "redis-server");
    stage.says(2, "Redis has ended uncleanly");
    assert_eq!(stage.settle(&[0, 1, 2]), 0, "{}", stage.logs());
}

#[test]
fn of_two_units_the_other_is_made_master_by_its_own_sentinel() {
    let stage = Stage::running(2);
    stage.write_keys(0, 100);
    stage.wait("the replica has the keys", SOON, || (stage.keys(1) == Some(100)).then_some(()));
    stage.kill(0, "redis", "redis-server");
    assert_eq!(stage.bed.failed_over(0, &[0, 1], FAILOVER).unwrap(), 1);
    assert_eq!(stage.settle(&[0, 1]), 1, "{}", stage.logs());
    assert_eq!((stage.keys(0), stage.keys(1)), (Some(100), Some(100)));
}

#[test]
fn a_keeper_needs_no_resolver_to_have_its_killed_master_replaced() {
    let stage = Stage::running(3);
    let writers = clients::start(&stage, 2, 0, 1);
    stage.bed.silence_dns(0).unwrap();
    stage.kill(0, "redis", "redis-server");
    let master = stage.bed.failed_over(0, &[1, 2], FAILOVER).unwrap();
    assert!(stage.is_master(master), "{}", stage.logs());
    let gap = clients::end(&stage, 2, writers);
    assert!(gap < Duration::from_secs(5), "{gap:?}\n{}", stage.logs());
}
