//! A planned switch that is cut off: the keeper of a pod that is stopped is killed in the middle of it.
//!
//! Pebble, which is ending, starts no other keeper: the container ends, and Redis is killed with it.

use std::io::Write;
use std::process::Stdio;

use crate::clients;
use crate::pods;
use crate::probes;
use crate::stage::FAILOVER;
use crate::stage::Stage;

/// Stops the master's pod and kills its keeper as soon as it has said this. One other unit becomes
/// master, no two have taken writes at the same time, and all are a whole again when the pod is back;
/// no write is lost that so many replicas had.
fn cut_when_it_says(text: &str, replicas: u32) {
    let stage = Stage::running(3);
    let writers = clients::start(&stage, 2, 0, replicas);
    let pod = stage.bed.pod(0).unwrap().pod().unwrap();
    let keeper = stage.processes(0, "redis", "redis-keeper")[0];
    // It is there beforehand: to enter a container takes longer than a switch stays where it is.
    let mut killer = pod.command("redis", "sh");
    killer.args(["-c", &format!("read -r now && kill -9 {keeper}")]).stdin(Stdio::piped());
    let mut killer = pod.spawn(&mut killer).unwrap();
    let new = probes::never_two(&stage, 0, || {
        let earlier = stage.said(0).len();
        pod.terminate();
        stage.wait(&format!("it says {text:?}"), pods::GRACE, || {
            stage.said(0)[earlier..].contains(text).then_some(())
        });
        killer.stdin.take().unwrap().write_all(b"now\n").unwrap();
        assert!(pod.wait_for_end("redis", pods::GRACE).is_some(), "{}", stage.logs());
        let said = &stage.said(0)[earlier..];
        assert!(!said.contains("Redis has ended after"), "it was not cut off: {said}");
        stage.wait("another is master", FAILOVER, || {
            [1, 2].into_iter().find(|unit| stage.is_master(*unit))
        })
    });
    let _ = killer.wait();
    pods::start(&stage, 0, new);
    assert_eq!(stage.settle(&[0, 1, 2]), new, "{}", stage.logs());
    clients::end(&stage, 2, writers);
}

/// It holds no writes yet: this is a pod that was killed, and what a replica has is kept.
#[test]
fn a_switch_that_is_cut_off_before_its_fence_loses_nothing_that_a_replica_has() {
    cut_when_it_says("set replica-priority to 0: this unit stops", 1);
}

/// Writes are held, and all replicas have all that was acknowledged.
#[test]
fn a_switch_that_is_cut_off_when_a_sentinel_was_asked_loses_nothing() {
    cut_when_it_says("asked the Sentinel of", 0);
}

#[test]
fn a_switch_that_is_cut_off_when_the_old_master_follows_the_new_one_loses_nothing() {
    cut_when_it_says("follow ", 0);
}
