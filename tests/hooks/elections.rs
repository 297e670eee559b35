//! leader-elected in a group that is at rest, and before there is one.

use std::time::Duration;

use testbed::juju::hook::Hook;
use testbed::juju::run::Commit;
use testbed::redis::sampler::Sampler;
use testbed::redis::sampler::Summary;
use testbed::redis::server::SENTINEL_PORT;

use crate::matrix::containers_are_away;
use crate::scene::APPLICATION;
use crate::scene::Scene;
use crate::scene::count;
use crate::scene::tools;
use crate::scene::unit;

const PASSWORD_LENGTH: usize = 32;

/// What a sampler may miss between two answers.
const LARGEST_GAP: Duration = Duration::from_millis(100);

const ATTEMPTS: u32 = 10;

#[test]
fn a_first_election_commits_passwords_record_and_bootstrap_in_one_relation_set() {
    let scene = Scene::before_the_first_election(3);
    let run = scene.run(0, "leader-elected");

    assert!(tools(&run).len() <= 7, "{:?}", tools(&run));
    assert_eq!(count(&run, "relation-set"), 1);
    assert_eq!(run.commit, Commit::Committed);
    let bag = scene.databag();
    let keys: Vec<&str> = bag.keys().map(String::as_str).collect();
    assert_eq!(keys, ["bootstrap", "leader-host", "redis-password", "sentinel-password"]);
    assert_eq!(bag["leader-host"], "redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local");
    assert_eq!(bag["bootstrap"], bag["leader-host"]);
    for key in ["redis-password", "sentinel-password"] {
        let password = &bag[key];
        assert_eq!(password.len(), PASSWORD_LENGTH);
        assert!(password.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
    assert_ne!(bag["redis-password"], bag["sentinel-password"]);
    assert_eq!(scene.status(0).1, "waiting for Redis and Sentinel");

    let again = scene.run(0, "leader-elected");
    assert_eq!(count(&again, "relation-set"), 0);
    assert_eq!(scene.databag(), bag);
    assert_eq!(scene.status(0), containers_are_away());
}

#[test]
fn a_first_deployment_waits_for_no_server_and_ends_its_first_start_once_they_run() {
    let scene = Scene::before_the_first_election(3);
    let first = scene.run(0, "leader-elected");
    assert_eq!(count(&first, "goal-state"), 0, "there is nobody to ask yet");
    let second = scene.run(0, "leader-elected");
    for run in [&first, &second] {
        let waited = run.log.iter().any(|line| line.message.contains("wait for the failover"));
        assert!(!waited, "{:?}", run.log);
    }
    assert_eq!(scene.status(0), containers_are_away());

    let bag = scene.databag();
    start_servers(&scene, &bag["redis-password"], &bag["sentinel-password"]);
    let run = scene.run_hook(0, Hook::pebble_ready(&unit(0), "sentinel"));
    assert_eq!(count(&run, "relation-set"), 1);
    let settled = scene.databag();
    assert_eq!(settled["master-epoch"], "0");
    assert!(!settled.contains_key("bootstrap"), "the Sentinels have agreed once");
    for key in ["leader-host", "redis-password", "sentinel-password"] {
        assert_eq!(settled[key], bag[key]);
    }
    assert_eq!(scene.deferred(0), None);
    assert_eq!(scene.status(0), ("active".into(), String::new()));
}

/// Plays the workload's part: Redis and Sentinel in every pod with the databag's passwords, unit 0
/// as master.
fn start_servers(scene: &Scene, redis_password: &str, sentinel_password: &str) {
    let units: Vec<u32> = scene.bed.pods().iter().map(|pod| pod.unit()).collect();
    for pod in scene.bed.pods() {
        let master = (pod.unit() != 0).then_some(0);
        let mut redis = pod.redis_config(master);
        redis.password = Some(redis_password.to_owned());
        pod.start_redis(&redis).unwrap();
        let mut sentinel = pod.sentinel_config(0, &units);
        sentinel.redis_password = Some(redis_password.to_owned());
        sentinel.sentinel_password = Some(sentinel_password.to_owned());
        pod.start_sentinel(&sentinel).unwrap();
    }
    scene.bed.settle(&units, Duration::from_secs(40)).unwrap();
}

#[test]
fn a_password_that_is_there_stays_and_only_the_other_is_added() {
    for (kept, added) in
        [("redis-password", "sentinel-password"), ("sentinel-password", "redis-password")]
    {
        let scene = Scene::before_the_first_election(1);
        scene.record(&[(kept, "ThePasswordThatWasThere"), ("leader-host", &scene.bed.host(0))]);
        let run = scene.run(0, "leader-elected");
        assert_eq!(count(&run, "relation-set"), 1);
        let bag = scene.databag();
        assert_eq!(bag[kept], "ThePasswordThatWasThere");
        assert_eq!(bag[added].len(), PASSWORD_LENGTH);
        assert_eq!(bag.len(), 3, "{:?}", bag.keys());
    }
}

#[test]
fn a_minion_and_the_leader_of_an_unrelated_moment_write_nothing() {
    let scene = Scene::before_the_first_election(2);
    let run = scene.run(1, "leader-elected");
    assert_eq!(count(&run, "relation-set"), 0);
    assert!(scene.databag().is_empty());
    assert_eq!(scene.status(1).1, "waiting for the leader to create the passwords");
    assert_eq!(scene.deferred(1), None);
}

#[test]
fn a_wrong_record_is_corrected_and_gets_its_epoch() {
    let scene = Scene::healthy(3);
    scene.record(&[("leader-host", &scene.bed.host(2)), ("master-epoch", "")]);
    let run = scene.run(0, "leader-elected");
    assert_eq!(count(&run, "relation-set"), 1);
    assert_eq!(scene.databag()["leader-host"], scene.bed.host(0));
    assert_eq!(scene.databag()["master-epoch"], "0");
    assert_eq!(scene.status(0), ("active".to_owned(), String::new()));
    for pod in scene.bed.pods() {
        let log = pod.sentinel_log();
        assert!(!log.contains("+reset-master") && !log.contains("+set master"), "{log}");
    }
}

#[test]
fn a_healthy_election_writes_nothing_and_no_sentinel_forgets_a_replica_for_an_instant() {
    let scene = Scene::healthy(3);
    let before = scene.databag();
    // A sampler that a busy machine kept waiting has not seen enough: then it is done once more.
    let gapless = (0..ATTEMPTS).any(|_| {
        let samplers = samplers(&scene);
        scene.controller.set_leader(&unit(0));
        let run = scene.run(1, "update-status");
        assert_eq!(count(&run, "relation-set"), 0);
        scene.controller.set_leader(&unit(1));
        let run = scene.run(1, "leader-elected");
        assert!(tools(&run).len() <= 9, "{:?}", tools(&run));
        assert_eq!(count(&run, "relation-set"), 0);
        assert_eq!(count(&run, "state-set"), 0);
        assert_eq!(scene.databag(), before);
        assert_eq!(scene.status(1), ("active".to_owned(), String::new()));
        let sampled: Vec<Summary> = samplers.iter().map(Sampler::summary).collect();
        for summary in &sampled {
            assert_eq!((summary.fewest_replicas, summary.failures), (Some(2), 0), "{summary:?}");
        }
        sampled.iter().all(|summary| summary.largest_gap < LARGEST_GAP)
    });
    assert!(gapless, "no sampler asked often enough in {ATTEMPTS} attempts");
    for pod in scene.bed.pods() {
        assert!(!pod.sentinel_log().contains("+reset-master"), "a Sentinel was reset");
    }
}

/// One sampler at each Sentinel.
fn samplers(scene: &Scene) -> Vec<Sampler> {
    let password = scene.bed.layout().sentinel_password.as_deref();
    let pods = scene.bed.pods();
    let namespaces = pods.iter().map(|pod| pod.pod().unwrap());
    namespaces
        .map(|pod| Sampler::start(&pod, SENTINEL_PORT, APPLICATION, password).unwrap())
        .collect()
}

#[test]
fn only_the_sentinel_with_a_wrong_quorum_is_told() {
    let scene = Scene::healthy(3);
    scene.bed.pod(1).unwrap().sentinel("SENTINEL SET redis-k8s quorum 1").unwrap();
    scene.run(0, "leader-elected");
    for pod in scene.bed.pods() {
        let told = pod.sentinel_log().matches("+set master").count();
        let by_the_charm = if pod.unit() == 1 { told - 1 } else { told };
        assert_eq!(by_the_charm, usize::from(pod.unit() == 1), "{}", pod.sentinel_log());
        assert_eq!(pod.sentinel_view().unwrap().master.text("quorum"), "2");
    }
}

#[test]
fn a_lost_leader_elected_is_made_up_for_by_the_next_start_config_changed_or_update_status() {
    for name in ["start", "config-changed", "update-status"] {
        let scene = Scene::before_the_first_election(1);
        scene.run(0, name);
        assert_eq!(scene.databag().len(), 4, "{name}");
    }
}

#[test]
fn an_event_without_rules_asks_juju_one_question_and_writes_nothing() {
    let scene = Scene::before_the_first_election(1);
    let run = scene.run(0, "install");
    assert_eq!(tools(&run), ["state-get"]);
    assert!(run.stdout.contains("install: nothing of its own to do"), "{}", run.stdout);
    for name in ["stop", "remove"] {
        assert_eq!(tools(&scene.run(0, name)), [""; 0]);
    }
}

#[test]
fn an_action_without_a_handler_fails_with_a_message_and_prints_nothing() {
    let scene = Scene::before_the_first_election(1);
    let run = scene.run_hook(0, Hook::action(&unit(0), "make-coffee", "7"));
    let result = run.action_result.unwrap();
    assert_eq!(result.status, "failed");
    assert!(result.message.contains("make-coffee"), "{}", result.message);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert!(scene.databag().is_empty());
}
