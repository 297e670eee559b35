//! Pods that are cut off, and servers that hang: they are there, and do not answer.
#![expect(clippy::print_stdout, reason = "a story tells what it measured")]

use std::time::Duration;

use testbed::lab::target::Target;
use testbed::wait;

use crate::stage::Story;
use crate::stage::host;
use crate::stage::name;
use crate::writers::Writers;

#[test]
fn masters_that_are_cut_off_or_frozen_are_replaced_and_come_back_as_replicas() {
    let story = Story::of(3);
    for is_cut in [true, false] {
        let what = if is_cut { "cut off" } else { "frozen" };
        let master = story.may_lose_any(3);
        let others: Vec<u32> = (0..3).filter(|unit| *unit != master).collect();
        let writers = Writers::start(&story, others[0], &others, 1);
        let begun = story.lab.trace().age();
        if is_cut {
            story.lab.isolate(&name(master)).unwrap();
        } else {
            story.lab.freeze(&name(master), &Target::Pod).unwrap();
        }
        let elected = story.until("the others name another master", || {
            let named = story.named(others[0]).filter(|named| *named != host(master))?;
            (story.named(others[1]).as_ref() == Some(&named)).then_some(named)
        });
        let taken = story.lab.trace().age().saturating_sub(begun);
        println!("master {what}: the others name another after {taken:.2?}");
        replaced(&story, &others);
        if is_cut {
            story.lab.rejoin(&name(master)).unwrap();
        } else {
            story.lab.thaw(&name(master), &Target::Pod).unwrap();
        }
        assert_eq!(host(story.whole(3)), elected);
        writers.end(&story, &format!("master {what}"));
    }
}

/// Waits until one of two follows the other: a master that comes back before that finds a replica, and what
/// it takes with that one's word is lost when the replica turns away.
fn replaced(story: &Story, others: &[u32]) {
    let follows = |one: u32, other: u32| {
        let role = story.redis(one, "ROLE").ok()?;
        let lines: Vec<&str> = role.lines().collect();
        matches!(lines.as_slice(), ["slave", host_, _, "connected", ..] if *host_ == host(other))
            .then_some(())
    };
    story.until("one follows the other", || {
        follows(others[0], others[1]).or_else(|| follows(others[1], others[0]))
    });
}

#[test]
fn a_redis_of_a_master_that_hangs_is_replaced_and_nothing_is_restarted() {
    let story = Story::of(3);
    let master = story.may_lose_any(3);
    let others: Vec<u32> = (0..3).filter(|unit| *unit != master).collect();
    let before = story.servers(3);
    let redis = Target::process("redis", "redis-server");
    let writers = Writers::start(&story, others[0], &others, 1);
    story.lab.freeze(&name(master), &redis).unwrap();
    replaced(&story, &others);
    story.lab.thaw(&name(master), &redis).unwrap();
    assert_ne!(story.whole(3), master);
    writers.end(&story, "redis-server of the master hangs");
    assert_eq!(story.servers(3), before);
}

#[test]
fn a_redis_that_does_not_run_makes_its_pod_unready_and_no_container_is_restarted() {
    let story = Story::of(1);
    let keeper = Target::process("redis", "redis-keeper");
    story.lab.freeze(&name(0), &keeper).unwrap();
    story.lab.kill(&name(0), &Target::process("redis", "redis-server")).unwrap();
    let is_ready = |wanted: bool| story.lab.pods().iter().all(|pod| pod.is_ready == wanted);
    story.until("its pod is not ready", || is_ready(false).then_some(()));
    wait::steadily("it stays so", Duration::from_secs(5), || is_ready(false))
        .unwrap_or_else(|error| story.fail(&error.to_string()));
    story.lab.thaw(&name(0), &keeper).unwrap();
    story.until("its pod is ready", || is_ready(true).then_some(()));
    let containers = story.lab.pods().into_iter().flat_map(|pod| pod.containers);
    assert_eq!(containers.map(|it| it.restarts).sum::<u32>(), 0);
}
