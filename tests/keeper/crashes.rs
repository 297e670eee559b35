//! A Redis that dies.
#![expect(clippy::print_stdout, reason = "a test tells what it measured")]

use crate::stage::Stage;
use crate::writer::Writer;

#[test]
fn a_master_that_is_killed_is_replaced_at_once_and_comes_back_as_a_replica() {
    let stage = Stage::running(3);
    let writer = Writer::start(&stage, 2);
    stage.kill(0, "redis", "redis-server");
    stage.says(0, "ended uncleanly");
    let master = stage.settle(&[0, 1, 2]);
    writer.has_written(&stage, 20);
    let written = writer.stop(&stage);
    println!("{} writes, longest gap {:.2} s", written.acknowledged.len(), written.gap);
    assert_ne!(master, 0, "{}", stage.logs());
    assert_eq!(written.lost(&stage, master), Vec::<u64>::new(), "{}", stage.logs());
    // Sentinels alone take more than five seconds before they even begin.
    assert!(written.gap < 5.0, "the gap was {} s\n{}", written.gap, stage.logs());
    let asked: Vec<_> = stage.said(0).matches("asked the Sentinel of").map(str::to_owned).collect();
    assert_eq!(asked.len(), 1, "{}", stage.said(0));
    assert!(stage.rings(0, "redis.charm/master-changed") > 0, "{}", stage.said(0));
}

#[test]
fn a_replica_that_is_killed_starts_again_and_the_master_stays() {
    let stage = Stage::running(3);
    stage.kill(2, "redis", "redis-server");
    stage.says(2, "Redis has ended uncleanly");
    assert_eq!(stage.settle(&[0, 1, 2]), 0, "{}", stage.logs());
}
