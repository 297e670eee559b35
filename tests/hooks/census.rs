//! What silence costs: one time-out in the whole run, however many are silent.

use std::time::Duration;

use testbed::juju::run::HookRun;
use testbed::layout::Layout;
use testbed::pod::CHARM;
use testbed::redis::server::REDIS_PORT;
use testbed::redis::server::SENTINEL_PORT;

use crate::asked::Asked;
use crate::held::HeldFailover;
use crate::scene::Scene;
use crate::scene::count;

/// What a silent third may cost over the healthy time.
const COST: Duration = Duration::from_millis(1500);

/// What a hook may take in all.
const BUDGET: Duration = Duration::from_secs(20);

/// The quickest of three runs of leader-elected: a busy machine makes one slow, not all.
fn quickest(scene: &Scene) -> HookRun {
    let runs = [(); 3].map(|()| scene.run(0, "leader-elected"));
    runs.into_iter().min_by_key(|run| run.elapsed).unwrap()
}

fn a_silent_third_costs_one_time_out(units: u32) {
    let scene = Scene::settled(Layout { units, append_only: false, ..Layout::default() });
    let healthy = quickest(&scene);
    assert_eq!(scene.status(0), ("active".to_owned(), String::new()));
    let before = scene.databag();
    for silent in units - units / 3..units {
        scene.bed.isolate(silent).unwrap();
    }
    let looks = Asked::from_now(scene.bed.pod(0).unwrap(), REDIS_PORT);
    let run = quickest(&scene);
    assert_eq!(looks.so_far(), 3, "one look a run");
    assert!(run.elapsed < healthy.elapsed + COST, "{:?}, {:?}", run.elapsed, healthy.elapsed);
    assert_eq!(count(&run, "relation-set"), 0);
    assert_eq!(scene.databag(), before);
    assert_eq!(scene.deferred(0), None);
    let (word, message) = scene.status(0);
    let first = units - units / 3;
    let silent = format!("Redis of redis-k8s/{first} does not answer in time");
    assert_eq!(word, "active");
    assert!(message.ends_with(&silent), "{message}");
}

#[test]
fn one_silent_pod_of_three_costs_one_time_out() {
    a_silent_third_costs_one_time_out(3);
}

#[test]
fn three_silent_pods_of_nine_cost_one_time_out() {
    a_silent_third_costs_one_time_out(9);
}

#[test]
fn who_was_silent_is_asked_once_in_a_run_of_many_looks() {
    let scene = HeldFailover::scene();
    HeldFailover::begin(&scene, 2);
    let answering = Asked::from_now(scene.bed.pod(0).unwrap(), SENTINEL_PORT);
    let silent = Asked::from_now(scene.bed.pod(1).unwrap(), SENTINEL_PORT);
    scene.bed.pod(1).unwrap().freeze_sentinel();
    scene.run(0, "leader-elected");
    scene.bed.pod(1).unwrap().thaw().unwrap();
    assert_eq!(silent.so_far(), 1);
    assert!(answering.so_far() >= 5, "the run looks again and again");
}

#[test]
fn a_resolver_that_answers_nothing_ends_no_hook_late() {
    let scene = Scene::healthy(3);
    let before = scene.databag();
    scene.bed.silence_dns(0).unwrap();
    let run = scene.run(0, "leader-elected");
    assert!(run.elapsed < BUDGET, "{:?}", run.elapsed);
    assert_eq!(scene.databag(), before);
    let entry = scene.deferred(0).unwrap();
    assert!(entry.contains("of 3 Sentinels answer, 2 needed"), "{entry}");
    assert_eq!(scene.status(0).0, "waiting");
}

#[test]
fn the_own_servers_are_asked_also_where_the_own_name_has_no_address() {
    let scene = Scene::healthy(1);
    scene.record(&[("leader-host", &scene.bed.host(1)), ("master-epoch", "")]);
    let pod = scene.bed.pod(0).unwrap().pod().unwrap();
    pod.set_hosts("127.0.0.1 localhost\n").unwrap();
    scene.bed.unpublish(0).unwrap();
    let host = scene.bed.host(0);
    let found = pod.run(pod.command(CHARM, "getent").args(["hosts", &host]), "").unwrap();
    assert!(!found.status.success(), "the name still resolves");
    scene.run(0, "leader-elected");
    assert_eq!(scene.databag()["leader-host"], host);
    assert_eq!(scene.databag()["master-epoch"], "0");
    assert_eq!(scene.status(0).0, "active");
    assert_eq!(scene.deferred(0), None);
}
