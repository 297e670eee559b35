//! Pods that are stopped in a planned way: the master hands over first, and nothing is lost.

#![expect(clippy::print_stdout, reason = "a gap is reported")]

use std::time::Duration;

use crate::chance::times;
use crate::outside;
use crate::stage::Story;
use crate::stage::name;
use crate::writers::Writers;

#[test]
fn a_master_whose_pod_is_stopped_hands_over_and_nothing_is_lost() {
    let story = Story::alone(3);
    let mut master = story.whole(3);
    fill(&story, master);
    let mut gaps = Vec::new();
    let times = times(5);
    for round in 0..times {
        story.whole(3);
        let [at, other] = [(master + 1) % 3, (master + 2) % 3];
        let writers = Writers::start(&story, at, &[at, other], 0);
        story.lab.delete_pod(&name(master)).unwrap();
        let stopped = master;
        master = story.until("another is master", || {
            [at, other].into_iter().find(|unit| story.is_master(*unit))
        });
        let log = story.lab.container_log(&name(stopped), "redis").unwrap_or_default();
        writers.write_again(&story);
        let gap = writers.end(&story, &format!("stop {round} of the master's pod"));
        if gap > PLANNED_STOP {
            println!("{log}");
        }
        gaps.push(gap);
        story.until("the pod is back", || {
            story.redis(stopped, "ROLE").ok().filter(|role| role.contains("connected")).map(drop)
        });
    }
    assert_eq!(story.whole(3), master);
    gaps.sort();
    println!("the gaps of {times} stops: {gaps:.2?}");
    let worst = gaps.last().unwrap();
    assert!(*worst < PLANNED_STOP, "{worst:?}");
}

#[test]
fn a_roll_that_goes_on_as_soon_as_a_pod_is_ready_loses_nothing() {
    let story = Story::of(3);
    let _charm = outside::deploy(&story);
    let master = story.whole(3);
    fill(&story, master);
    story.whole(3);
    let writers = outside::writers(&story, 3, 0);
    for unit in [2, 1, 0] {
        // As a StatefulSet rolls: the next pod goes as soon as the last one is Ready.
        let before = address(&story, unit);
        let was_master = story.is_master(unit);
        story.lab.delete_pod(&name(unit)).unwrap();
        story.until("the pod is replaced", || {
            address(&story, unit).filter(|now| Some(now) != before.as_ref())
        });
        let title = if was_master { "the master's" } else { "a replica's" };
        println!("{title} pod {unit} is Ready again, after a gap of {:.2?}", writers.gap_so_far());
    }
    writers.write_again(&story);
    story.whole(3);
    writers.end(&story, "a roll of all pods");
}

/// The address of a unit's pod that is Ready.
fn address(story: &Story, unit: u32) -> Option<String> {
    let pods = story.lab.pods();
    let pod = pods.iter().find(|pod| pod.unit == name(unit) && pod.is_ready)?;
    Some(pod.address.clone())
}

/// Two hundred thousand keys of two hundred bytes.
fn fill(story: &Story, master: u32) {
    for part in 0..20 {
        story
            .redis(master, &format!("EVAL \"{FILL}\" 0 {part}"))
            .unwrap_or_else(|error| story.fail(&error));
    }
}

const FILL: &str = "for i = 1, 10000 do redis.call('SET', 'key:' .. ARGV[1] .. ':' .. i, string.rep('x', 200)) end";

/// Nobody may wait longer for a planned stop.
const PLANNED_STOP: Duration = Duration::from_secs(2);
