//! Things that die.
#![expect(clippy::print_stdout, reason = "a story tells what it measured")]

use std::time::Duration;

use testbed::lab::target::Target;

use crate::chance::times;
use crate::stage::Story;
use crate::stage::host;
use crate::stage::name;
use crate::writers::Writers;

#[test]
fn masters_whose_redis_is_killed_on_slow_disks_are_replaced_and_nothing_is_lost() {
    let story = Story::of(3);
    let mut master = story.may_lose_any(3);
    for unit in 0..3 {
        story.lab.slow_disk(&name(unit), "redis", SLOW).unwrap();
    }
    let writers = Writers::start(&story, 0, &[0, 1, 2], 1);
    let times = times(2);
    for _ in 0..times {
        let killed = master;
        story.lab.kill(&name(killed), &Target::process("redis", "redis-server")).unwrap();
        story.until("another is master", || story.witness(3).ok().filter(|now| *now != killed));
        master = story.may_lose_any(3);
    }
    let gap = writers.end(&story, &format!("redis-server of the master killed, {times} times"));
    if gap > KILLED_REDIS {
        story.fail(&format!("a gap of {gap:?}"));
    }
    story.until("the record follows", || {
        (story.databag()["leader-host"] == host(master)).then_some(())
    });
}

#[test]
fn a_master_that_is_killed_a_moment_after_the_deploy_loses_no_write_that_a_replica_has() {
    for _ in 0..times(1) {
        let story = Story::of(3);
        let master = story.whole(3);
        for unit in 0..3 {
            story.lab.slow_disk(&name(unit), "redis", SLOW).unwrap();
        }
        let writers = Writers::start(&story, 0, &[0, 1, 2], 1);
        // Sentinels do not know yet that a replica may be promoted.
        story.lab.kill(&name(master), &Target::process("redis", "redis-server")).unwrap();
        writers.write_again(&story);
        story.whole(3);
        writers.end(&story, "redis-server of the master killed a moment after the deploy");
    }
}

#[test]
fn masters_whose_pods_are_killed_are_replaced_and_come_back_as_replicas() {
    let story = Story::of(3);
    let mut taken = Vec::new();
    for _ in 0..times(2) {
        let killed = story.whole(3);
        let others: Vec<u32> = (0..3).filter(|unit| *unit != killed).collect();
        let writers = Writers::start(&story, others[0], &others, 1);
        // The next pod comes at once here; without a controller its agent cannot begin.
        story.lab.controller_away().unwrap();
        let begun = story.lab.trace().age();
        story.lab.kill(&name(killed), &Target::Pod).unwrap();
        let named = story.until("every Sentinel names another master", || {
            let named = story.named(others[0]).filter(|named| *named != host(killed))?;
            (story.named(others[1]).as_ref() == Some(&named)).then_some(named)
        });
        taken.push(story.lab.trace().age().saturating_sub(begun));
        story.lab.controller_back().unwrap();
        let elected = story.whole(3);
        assert_eq!(named, host(elected));
        story.until("the record follows", || {
            (story.databag()["leader-host"] == named).then_some(())
        });
        writers.end(&story, "pod of the master killed");
    }
    taken.sort();
    println!("pods of masters killed: every Sentinel named another after {taken:.2?}");
    // A single one may be late where the machine is busy.
    let median = taken[taken.len() / 2];
    assert!(median <= KILLED_POD, "{taken:?}");
}

#[test]
fn a_keeper_that_is_killed_leaves_its_redis_undisturbed() {
    let story = Story::of(3);
    let master = story.whole(3);
    let before = story.servers(3);
    let writers = Writers::start(&story, 0, &[0, 1, 2], 1);
    let keeper = story.processes(master, "redis", "redis-keeper");
    story.lab.kill(&name(master), &Target::process("redis", "redis-keeper")).unwrap();
    story.until("another keeper runs", || {
        let now = story.processes(master, "redis", "redis-keeper");
        (now.len() == 1 && now != keeper).then_some(())
    });
    story.until("it has adopted Redis", || {
        let log = story.lab.container_log(&name(master), "redis").ok()?;
        log.contains("adopted the Redis that runs here").then_some(())
    });
    assert_eq!(story.whole(3), master);
    let is_other = |(one, other): (&_, &_)| one != other;
    let changed = before.iter().zip(&story.servers(3)).filter(|pair| is_other(*pair)).count();
    assert_eq!(changed, 1, "only the keeper is another: {:?}", story.servers(3));
    let gap = writers.end(&story, "keeper of the master killed");
    assert!(gap < Duration::from_secs(1), "{gap:?}");
}

#[test]
fn containers_that_are_killed_come_back_by_themselves() {
    let story = Story::of(3);
    let master = story.whole(3);
    let writers = Writers::start(&story, master, &[0, 1, 2], 1);
    for container in ["sentinel", "redis"] {
        let replica = (master + 1) % 3;
        story.lab.kill(&name(replica), &Target::container(container)).unwrap();
        story.until("the container runs again", || {
            let program = if container == "redis" { "redis-keeper" } else { "redis-server" };
            story.processes_or_none(replica, container, program)
        });
        assert_eq!(story.whole(3), master);
    }
    writers.end(&story, "containers of a replica killed");
}

/// The limit after a master's Redis was killed.
const KILLED_REDIS: Duration = Duration::from_secs(3);

/// The limit after a master's pod was killed: what it may be silent for, and 1.5 s.
const KILLED_POD: Duration = Duration::from_millis(6_500);

/// What each `fdatasync` takes on a slow disk.
const SLOW: Duration = Duration::from_millis(1_500);
