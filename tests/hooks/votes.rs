//! Who decides on the master: a majority at the highest config-epoch, and ROLE.
//!
//! Sentinels that meet adopt the higher epoch within seconds. Here they cannot meet: they watch
//! different masters, and one that lists another has no password that the other takes.

use std::time::Duration;

use testbed::juju::run::HookRun;
use testbed::layout::Layout;
use testbed::redis::server::REDIS_PORT;

use crate::asked::Asked;
use crate::scene::Scene;
use crate::scene::count;

/// What the record says before each run: a master that no Sentinel of these tests names.
const RECORDED: (&str, &str) =
    ("leader-host", "redis-k8s-1.redis-k8s-endpoints.lab.svc.cluster.local");

/// Pods without servers whose passwords are in the databag; the record names unit 1 at epoch 1.
fn rendered(units: u32) -> Scene {
    let layout = Layout { units, servers: false, append_only: false, ..Layout::default() };
    let scene = Scene::settled(layout);
    scene.record(&[RECORDED, ("master-epoch", "1")]);
    scene
}

/// Starts a Redis, a master or a replica of another unit.
fn redis(scene: &Scene, number: u32, replica_of: Option<u32>) {
    let pod = scene.bed.pod(number).unwrap();
    pod.start_redis(&pod.redis_config(replica_of)).unwrap();
}

/// Starts a Sentinel from a file that names a master at an epoch and lists these units.
fn sentinel(scene: &Scene, number: u32, master: u32, epoch: u64, units: &[u32]) {
    let pod = scene.bed.pod(number).unwrap();
    let mut config = pod.sentinel_config(master, units);
    config.config_epoch = epoch;
    config.replicas.clear();
    // A hello for a Sentinel that it lists is refused there.
    config.extra.push("sentinel sentinel-pass \"another\"".to_owned());
    pod.start_sentinel(&config).unwrap();
}

/// Two Sentinels of epoch 1 that name unit 0, which is a master; Redis of unit 1 follows it.
fn two_of_an_old_epoch(scene: &Scene) {
    redis(scene, 0, None);
    redis(scene, 1, Some(0));
    for number in [0, 1] {
        sentinel(scene, number, 0, 1, &[0, 1]);
    }
}

/// What a Sentinel votes for: unit and epoch.
fn vote(scene: &Scene, number: u32) -> (u32, u64) {
    let view = scene.bed.pod(number).unwrap().sentinel_view().unwrap();
    let master = scene.bed.layout().names.unit_of(view.master_host.as_deref().unwrap()).unwrap();
    (master, view.epoch().unwrap())
}

/// The votes of the three, which no talk among them has changed.
fn votes(scene: &Scene) -> [(u32, u64); 3] {
    [0, 1, 2].map(|number| vote(scene, number))
}

fn assert_untouched_and_deferred(scene: &Scene, run: &HookRun, why: &str) {
    assert_eq!(count(run, "relation-set"), 0);
    let bag = scene.databag();
    assert_eq!((bag["leader-host"].as_str(), bag["master-epoch"].as_str()), (RECORDED.1, "1"));
    let entry = scene.deferred(0).unwrap();
    assert!(entry.contains(why), "{entry}");
    assert_eq!(scene.status(0).0, "waiting");
}

#[test]
fn one_sentinel_of_three_does_not_decide_although_its_master_says_that_it_is_one() {
    let scene = Scene::healthy(3);
    scene.record(&[RECORDED, ("master-epoch", "1")]);
    let looks = Asked::from_now(scene.bed.pod(0).unwrap(), REDIS_PORT);
    for number in [1, 2] {
        scene.bed.pod(number).unwrap().kill_sentinel().unwrap();
    }
    let run = scene.run(0, "leader-elected");
    assert_eq!(looks.so_far(), 1, "Sentinels that do not run are not waited for");
    assert_untouched_and_deferred(&scene, &run, "1 of 3 Sentinels answer, 2 needed");
    assert_eq!(scene.status(0).1, "1 of 3 Sentinels answer, 2 needed");

    for number in [1, 2] {
        scene.bed.isolate(number).unwrap();
    }
    let run = scene.run(0, "leader-elected");
    assert_untouched_and_deferred(&scene, &run, "1 of 3 Sentinels answer, 2 needed");

    scene.bed.heal().unwrap();
    scene.bed.pod(1).unwrap().restart_sentinel().unwrap();
    scene.run(0, "update-status");
    assert_eq!(scene.databag()["leader-host"], scene.bed.host(0), "two of three decide");
}

#[test]
fn two_of_an_old_epoch_are_outranked_by_one_that_lists_no_other() {
    let scene = rendered(3);
    two_of_an_old_epoch(&scene);
    // A replica of nobody: Sentinel takes it for a master, ROLE does not.
    redis(&scene, 2, Some(9));
    sentinel(&scene, 2, 2, 2, &[2]);
    scene.run(0, "update-status");
    assert_eq!(scene.databag()["leader-host"], RECORDED.1);
    let unconfirmed = "elected master redis-k8s/2 says of itself that it is a replica";
    assert_eq!(scene.status(0), ("waiting".to_owned(), unconfirmed.to_owned()));

    scene.bed.pod(2).unwrap().redis("REPLICAOF NO ONE").unwrap();
    scene.run(0, "leader-elected");
    assert_eq!(votes(&scene), [(0, 1), (0, 1), (2, 2)]);
    assert_eq!(scene.databag()["leader-host"], scene.bed.host(2));
    assert_eq!(scene.databag()["master-epoch"], "2");
    let behind = "Sentinel of redis-k8s/0 still names another master";
    assert!(scene.deferred(0).unwrap().contains(behind), "the group is not at rest");
}

#[test]
fn two_of_an_old_epoch_do_not_decide_where_the_one_that_outranks_them_lists_others() {
    let scene = rendered(3);
    two_of_an_old_epoch(&scene);
    redis(&scene, 2, None);
    sentinel(&scene, 2, 2, 2, &[0, 1, 2]);
    let run = scene.run(0, "leader-elected");
    assert_eq!(votes(&scene), [(0, 1), (0, 1), (2, 2)]);
    let why = "Sentinels disagree on the master: 1 of 3 name one, 2 needed";
    assert_untouched_and_deferred(&scene, &run, why);
}

#[test]
fn scaling_from_one_to_three_the_one_sentinel_that_is_listed_decides() {
    let scene = rendered(3);
    redis(&scene, 0, None);
    sentinel(&scene, 0, 0, 0, &[0]);
    scene.run(0, "leader-elected");
    assert_eq!(scene.databag()["leader-host"], scene.bed.host(0));
    assert_eq!(scene.databag()["master-epoch"], "0");
    assert_eq!(scene.deferred(0), None);
    assert_eq!(quorum(&scene, 0), "1", "with two wanted it could never fail over");

    scene
        .bed
        .pod(0)
        .unwrap()
        .sentinel("SENTINEL CONFIG SET sentinel-pass SentinelPasswordOfTheBed")
        .unwrap();
    for number in [1, 2] {
        let pod = scene.bed.pod(number).unwrap();
        redis(&scene, number, Some(0));
        let mut config = pod.sentinel_config(0, &[0, 1, 2]);
        config.quorum = 1;
        pod.start_sentinel(&config).unwrap();
    }
    scene.bed.settle(&[0, 1, 2], Duration::from_secs(40)).unwrap();
    scene.run(0, "update-status");
    for number in [0, 1, 2] {
        assert_eq!(quorum(&scene, number), "2");
    }
    assert_eq!(scene.status(0), ("active".to_owned(), String::new()));
}

fn quorum(scene: &Scene, number: u32) -> String {
    scene.bed.pod(number).unwrap().sentinel_view().unwrap().master.text("quorum").to_owned()
}
