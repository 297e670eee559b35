//! Things that die.

use std::time::Duration;

use testbed::lab::target::Target;

use crate::stage::Story;
use crate::stage::name;
use crate::writers::Writers;

#[test]
fn a_master_whose_redis_is_killed_is_replaced_and_nothing_is_lost() {
    let story = Story::of(3);
    let master = story.whole(3);
    let witness = (master + 1) % 3;
    let writers = Writers::start(&story, witness, &[witness, (master + 2) % 3], 1);
    for unit in 0..3 {
        story.lab.slow_disk(&name(unit), "redis", Duration::from_millis(300)).unwrap();
    }
    story.lab.kill(&name(master), &Target::process("redis", "redis-server")).unwrap();
    story.until("another is master", || story.witness(3).ok().filter(|now| *now != master));
    let gap = writers.end(&story, "redis-server of the master killed");
    assert!(gap < KILLED_REDIS, "{gap:?}");
    let elected = story.whole(3);
    story.until("the record follows", || {
        (story.databag()["leader-host"] == crate::stage::host(elected)).then_some(())
    });
}

#[test]
fn a_master_whose_pod_is_killed_is_replaced_and_its_pod_comes_back_as_a_replica() {
    let story = Story::of(3);
    let master = story.whole(3);
    let witness = (master + 1) % 3;
    let writers = Writers::start(&story, witness, &[witness, (master + 2) % 3], 1);
    story.lab.kill(&name(master), &Target::Pod).unwrap();
    let elected =
        story.until("another is master", || story.witness(3).ok().filter(|now| *now != master));
    assert_eq!(story.whole(3), elected);
    writers.end(&story, "pod of the master killed");
    story.until("the record follows", || {
        (story.databag()["leader-host"] == crate::stage::host(elected)).then_some(())
    });
}

#[test]
fn a_keeper_that_is_killed_leaves_its_redis_undisturbed() {
    let story = Story::of(1);
    let before = story.processes(0, "redis", "redis-server");
    let keeper = story.processes(0, "redis", "redis-keeper");
    story.lab.kill(&name(0), &Target::process("redis", "redis-keeper")).unwrap();
    story.until("another keeper runs", || {
        let now = story.processes(0, "redis", "redis-keeper");
        (now.len() == 1 && now != keeper).then_some(())
    });
    story.until("it has adopted Redis", || {
        let log = story.lab.container_log(&name(0), "redis").ok()?;
        log.contains("adopted the Redis that runs here").then_some(())
    });
    assert_eq!(story.processes(0, "redis", "redis-server"), before);
}

#[test]
fn containers_that_are_killed_come_back_by_themselves() {
    let story = Story::of(3);
    let master = story.whole(3);
    for container in ["sentinel", "redis"] {
        let replica = (master + 1) % 3;
        story.lab.kill(&name(replica), &Target::container(container)).unwrap();
        story.until("the container runs again", || {
            let program = if container == "redis" { "redis-keeper" } else { "redis-server" };
            story.processes_or_none(replica, container, program)
        });
        assert_eq!(story.whole(3), master);
    }
}

/// The limit after a master's Redis was killed.
const KILLED_REDIS: Duration = Duration::from_secs(3);
