//! First deployments.
#![expect(clippy::print_stdout, reason = "a story tells what it measured")]

use std::collections::BTreeMap;
use std::time::Duration;

use testbed::juju::switches::Switches;
use testbed::lab::Options;
use testbed::lab::target::Target;
use testbed::trace::entry::What;

use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::name;

#[test]
fn a_single_unit_with_an_empty_volume_comes_up_as_master_within_a_second_of_pebble_ready() {
    let story = Story::begin(1, Options { seed: 7, ..Options::default() });
    let first = time_to_answer(&story, 1);
    println!("first start: from pebble-ready to an answer {first:.2?}");
    assert!(first <= TO_ANSWER, "{first:?}");
    assert_eq!(story.whole(1), 0);
    let status = story.lab.status();
    let application = &status.applications[0];
    assert_eq!(application.units[0].workload.message, "no failover: a single unit");
    assert_eq!(application.status.word, "active");
    let version = story.redis(0, "INFO server").unwrap();
    assert!(version.contains(&format!("redis_version:{}", application.version)), "{version}");
    exports_metrics(&story);
    story.fill(0, 1_000);
    story.lab.kill(&name(0), &Target::Pod).unwrap();
    let second = time_to_answer(&story, 2);
    println!("in another pod: from pebble-ready to an answer {second:.2?}");
    assert!(second <= TO_ANSWER, "{second:?}");
    story.all_have(1, 1_000);
}

/// Waits until the exporter tells that it has logged in to Redis.
fn exports_metrics(story: &Story) {
    if story.exporter() != "redis_exporter" {
        println!("NOT SHOWN: metrics, for the image has only a stand-in for redis_exporter");
        return;
    }
    story.until("the exporter says that Redis is up", || {
        let told = story.shell(&name(0), "redis", METRICS, "");
        told.lines().any(|line| line == "redis_up 1").then_some(())
    });
}

/// The time from the n-th pebble-ready of the only unit's Redis to an answer; there is nobody to ask.
fn time_to_answer(story: &Story, nth: usize) -> Duration {
    story.until("Redis answers", || {
        pebble_ready(story, "redis-pebble-ready").get(nth - 1)?;
        story.redis(0, "PING").ok().filter(|answer| answer == "PONG")
    });
    let answered = story.lab.trace().age();
    answered.saturating_sub(pebble_ready(story, "redis-pebble-ready")[nth - 1])
}

/// When such hooks have begun.
fn pebble_ready(story: &Story, hook: &str) -> Vec<Duration> {
    let entries = story.lab.trace().entries().into_iter();
    let is_it =
        |what: &What| matches!(what, What::EventBegan { event, .. } if event.ends_with(hook));
    entries.filter(|entry| is_it(&entry.what)).map(|entry| entry.at).collect()
}

#[test]
fn three_units_are_active_with_every_sentinel_exact_soon_after_the_last_pebble_ready() {
    let story = Story::begin(3, Options { seed: 7, ..Options::default() });
    let begun = story.until("the last pebble-ready has begun", || {
        let begun = pebble_ready(&story, "-pebble-ready");
        (begun.len() >= 6).then_some(begun)
    });
    let is_active = || story.lab.wait_for_active(APPLICATION, Duration::ZERO).is_ok();
    story.until("every Sentinel is exact", || is_active().then(|| story.witness(3).ok()).flatten());
    let taken = story.lab.trace().age().saturating_sub(*begun.last().unwrap());
    println!("three units: active and exact {taken:.2?} after the last pebble-ready");
    assert!(taken <= TO_EXACT, "{taken:?}");
    story.until("the first start is over", || {
        (!story.databag().contains_key("bootstrap")).then_some(())
    });
    for unit in 0..3 {
        let setting = |name: &str| story.redis(unit, &format!("CONFIG GET {name}")).unwrap();
        assert_eq!(setting("min-replicas-to-write"), "min-replicas-to-write\n1");
        assert_eq!(setting("replica-priority"), "replica-priority\n100");
    }
}

#[test]
fn a_deploy_in_juju_4_is_whole_and_a_memory_limit_leaves_room_for_a_fork() {
    let options = Options { seed: 8, switches: Switches::JUJU_4, ..Options::default() };
    let limit = 512 << 20;
    let memory = BTreeMap::from([("redis".to_owned(), limit)]);
    let story = Story::with_memory(3, options, memory);
    story.whole(3);
    for unit in 0..3 {
        let setting = |name: &str| -> u64 {
            let told = story.redis(unit, &format!("CONFIG GET {name}")).unwrap();
            told.lines().last().unwrap().parse().unwrap()
        };
        let most = setting("maxmemory");
        assert!(most > limit / 2 && most < limit / 4 * 3, "{most} of {limit}");
        let backlog = setting("repl-backlog-size");
        assert!(backlog >= most / 100 && backlog <= most / 4, "a backlog of {backlog}");
    }
}

const METRICS: &str = "curl --silent --max-time 5 http://127.0.0.1:9121/metrics";

/// The limit of a deploy, from the last pebble-ready on.
const TO_EXACT: Duration = Duration::from_secs(30);

/// The limit of a start with nobody to ask.
const TO_ANSWER: Duration = Duration::from_secs(1);
