//! The cluster by itself: pods that start, scale, roll, and come back, with nobody in them.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use testbed::juju::cloud::Cloud;
use testbed::juju::cloud::Container;
use testbed::juju::cloud::Mount;
use testbed::juju::cloud::StatefulSet;
use testbed::juju::cloud::Storage;
use testbed::juju::cloud::Template;
use testbed::kubernetes::cluster::Cluster;
use testbed::kubernetes::cluster::PodView;
use testbed::kubernetes::cluster::Setting;
use testbed::trace::entry::PodChange;
use testbed::trace::entry::What;
use testbed::trace::sink::Sink;
use testbed::wait;

#[test]
fn pods_come_with_their_volumes_and_go_when_they_are_too_many() {
    let stage = Stage::new();
    stage.apply(3, 1);
    stage.rolled_out();
    let pod = stage.cluster.pod("app", 2).expect("it is there");
    fs::write(pod.container_root("work").join("data/kept"), "kept").expect("a volume");
    assert!(pod.container_root("charm").join("var/lib/data/kept").exists());

    stage.apply(1, 1);
    stage.until("one pod is left", |pods| pods.len() == 1);
    assert_eq!(stage.cluster.pods()[0].ordinal, 0);

    stage.apply(3, 1);
    stage.rolled_out();
    let pod = stage.cluster.pod("app", 2).expect("it is there again");
    let kept = fs::read_to_string(pod.container_root("work").join("data/kept"));
    assert_eq!(kept.expect("the old volume"), "kept");
}

#[test]
fn an_update_replaces_one_pod_at_a_time_from_the_highest_down() {
    let stage = Stage::new();
    stage.apply(3, 1);
    stage.rolled_out();
    let before = stage.trace.len();
    stage.apply(3, 2);
    stage.rolled_out();
    assert!(stage.cluster.pods().iter().all(|pod| pod.version == 2));
    let changes = stage.trace.entries_from(before).into_iter().filter_map(|entry| {
        let What::Pod { unit, change } = entry.what else { return None };
        match change {
            PodChange::Created { .. } => Some(format!("{unit} created")),
            PodChange::Ready => Some(format!("{unit} ready")),
            PodChange::Terminating => Some(format!("{unit} terminating")),
            PodChange::Unready | PodChange::Killed | PodChange::Gone => None,
        }
    });
    let changes: Vec<_> = changes.collect();
    let wanted: Vec<_> = [2, 1, 0]
        .iter()
        .flat_map(|ordinal| {
            ["terminating", "created", "ready"].map(|word| format!("app/{ordinal} {word}"))
        })
        .collect();
    assert_eq!(changes, wanted);
}

#[test]
fn pods_below_the_partition_wait_until_it_falls() {
    let stage = Stage::new();
    stage.apply(2, 1);
    stage.rolled_out();
    stage.cluster.set_partition("app", 1);
    stage.apply(2, 2);
    stage.until("pod 1 is new and ready", |pods| {
        pods.iter().any(|pod| pod.ordinal == 1 && pod.version == 2 && pod.is_ready)
    });
    assert!(stage.cluster.kill_pod("app", 0), "there is one");
    let old = stage.cluster.pod("app", 0).expect("it is there").address();
    stage.until("pod 0 is back and ready", |pods| {
        pods.iter().any(|pod| {
            pod.ordinal == 0 && pod.is_ready && pod.version == 1 && pod.address != old.to_string()
        })
    });
    stage.cluster.set_partition("app", 0);
    stage.rolled_out();
}

#[test]
fn a_container_that_ends_is_started_again_in_the_same_pod_and_later_each_time() {
    let stage = Stage::new();
    stage.apply(1, 1);
    stage.rolled_out();
    let pod = stage.cluster.pod("app", 0).expect("it is there");
    fs::write(pod.container_root("work").join("srv/lost"), "lost").expect("a root");
    fs::write(pod.container_root("work").join("data/kept"), "kept").expect("a volume");
    for restarts in 1..=2 {
        pod.kill_container("work").expect("it runs");
        stage.until("it is ready again", |pods| {
            pods[0].restarts.get("work") == Some(&restarts) && pods[0].is_ready
        });
    }
    assert!(!pod.container_root("work").join("srv/lost").exists());
    assert!(pod.container_root("work").join("data/kept").exists());
    let pause = stage.pause_before_the_last_start();
    assert!(pause >= Duration::from_secs(10) / SPEED, "only {pause:?}");
}

#[test]
fn a_container_that_no_longer_answers_is_killed_and_started_again() {
    let stage = Stage::new();
    stage.apply(1, 1);
    stage.rolled_out();
    stage.cluster.pod("app", 0).expect("it is there").freeze_container("work").expect("it runs");
    stage.until("it is not ready", |pods| !pods[0].is_ready);
    stage.until("it runs anew", |pods| pods[0].restarts.get("work") == Some(&1));
    stage.rolled_out();
}

#[test]
fn a_pod_that_cannot_be_made_says_why_and_gives_way_to_one_that_can() {
    let stage = Stage::new();
    let mut set = Stage::set(1, 1);
    set.template.storages[0].charm_location = "/proc/nowhere".into();
    stage.cluster.apply(&set).expect("it is taken in");
    stage.until("it says why", |pods| {
        pods[0].trouble.as_deref().is_some_and(|text| text.contains("/proc/nowhere"))
    });
    stage.apply(1, 2);
    stage.rolled_out();
}

struct Stage {
    cluster: Cluster,
    trace: Sink,
}

impl Stage {
    fn new() -> Self {
        let trace = Sink::new();
        let setting = Setting {
            clock: testbed::juju::clock::Clock::at_speed(f64::from(SPEED)),
            grace: Duration::from_secs(5),
            ..Setting::new("lab", trace.clone())
        };
        let cluster = Cluster::start(setting).expect("a cluster");
        Self { cluster, trace }
    }

    fn set(replicas: u32, version: u32) -> StatefulSet {
        let mount = Mount { storage: "data".into(), location: "/data".into() };
        let containers =
            vec![Container { name: "work".into(), mounts: vec![mount], memory_limit: None }];
        let location = Path::new("/var/lib/data").to_owned();
        let storages = vec![Storage { name: "data".into(), charm_location: location }];
        let template =
            Template { version, charm: PathBuf::new(), containers, storages, trust: false };
        StatefulSet { application: "app".into(), replicas, template }
    }

    fn apply(&self, replicas: u32, version: u32) {
        self.cluster.apply(&Self::set(replicas, version)).expect("it is taken in");
    }

    fn rolled_out(&self) {
        self.until("all pods are new and ready", |_| self.cluster.is_rolled_out("app"));
    }

    fn until(&self, what: &str, check: impl Fn(&[PodView]) -> bool) {
        let looked = wait::until(what, LIMIT, || check(&self.cluster.pods()).then_some(()));
        if let Err(error) = looked {
            panic!("{}", error.with("pods", &format!("{:#?}", self.cluster.pods())));
        }
    }

    /// From the last end of the container to its start.
    fn pause_before_the_last_start(&self) -> Duration {
        let mut changes = self.trace.entries().into_iter().rev().filter_map(|entry| {
            let What::Container { change, .. } = entry.what else { return None };
            Some((entry.at, change))
        });
        let start = changes.find(|(_, change)| change == "started again").expect("a start").0;
        let end = changes.find(|(_, change)| change.starts_with("ended")).expect("an end").0;
        start.saturating_sub(end)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.cluster.end();
    }
}

const SPEED: u32 = 5;

const LIMIT: Duration = Duration::from_mins(1);
