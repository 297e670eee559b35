//! A failover that another pod's Sentinel leads: finished within the wait, or kept for a later event.

#![expect(
    clippy::disallowed_methods,
    reason = "a run ends within a second of SIGTERM: that is timed"
)]

use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use testbed::juju::hook::Happening;
use testbed::juju::hook::Hook;
use testbed::juju::run::Commit;
use testbed::juju::run::Exit;
use testbed::redis::server::SENTINEL_PORT;

use crate::asked::Asked;
use crate::held::HeldFailover;
use crate::scene::HOOK_LIMIT;
use crate::scene::Scene;
use crate::scene::count;
use crate::scene::eventually;
use crate::scene::tools;
use crate::scene::unit;

/// Looks that only a run that waits has; ten seconds hold some ninety of them.
const MANY: u64 = 5;

const LED_BY_2: &str = "failover in progress, led by redis-k8s/2";

/// The deferred leader-elected of a unit.
fn entry(scene: &Scene, number: u32) -> Value {
    serde_json::from_str(&scene.deferred(number).unwrap()).unwrap()
}

#[test]
fn a_failover_that_ends_within_the_wait_is_finished_in_the_same_run() {
    let scene = HeldFailover::scene();
    let failover = HeldFailover::begin(&scene, 2);
    let looks = Asked::from_now(scene.bed.pod(0).unwrap(), SENTINEL_PORT);
    let hook = scene.start(0, Hook::new(&unit(0), "leader-elected"));
    eventually("the hook waits", || (looks.so_far() >= 3).then_some(()));
    failover.release(&scene);
    let run = hook.finish(HOOK_LIMIT).unwrap();

    assert_eq!((run.exit, &run.commit), (Exit::Code(0), &Commit::Committed), "{run:#?}");
    assert_eq!(scene.databag()["leader-host"], scene.bed.host(failover.promoted));
    let view = scene.bed.pod(0).unwrap().sentinel_view().unwrap();
    assert_eq!(scene.databag()["master-epoch"], view.epoch().unwrap().to_string());
    assert_eq!(count(&run, "relation-set"), 1);
    assert_eq!(count(&run, "state-set"), 0);
    assert_eq!(scene.deferred(0), None);
    assert_eq!(scene.status(0).0, "active", "{:?}", scene.status(0));
}

#[test]
fn a_failover_that_stays_open_is_deferred_and_the_next_event_after_its_end_finishes_it() {
    let scene = HeldFailover::scene();
    let failover = HeldFailover::begin(&scene, 2);
    let looks = Asked::from_now(scene.bed.pod(0).unwrap(), SENTINEL_PORT);

    let before = looks.so_far();
    scene.run(0, "leader-elected");
    assert!(looks.so_far() - before >= MANY, "leader-elected waits");
    let first = entry(&scene, 0);
    assert_eq!((&first["tries"], &first["why"]), (&1.into(), &LED_BY_2.into()));
    assert_eq!(scene.status(0), ("waiting".to_owned(), LED_BY_2.to_owned()));

    let elected = scene.bed.host(failover.promoted);
    assert_eq!(scene.databag()["leader-host"], elected, "the record follows the vote meanwhile");

    for name in ["stop", "remove"] {
        assert_eq!(tools(&scene.run(0, name)), [""; 0]);
    }
    scene.run_hook(0, Hook::action(&unit(0), "check-service", "1"));
    assert_eq!(entry(&scene, 0), first, "actions, stop and remove leave it");

    scene.controller.wipe_charm_directory(&unit(0)).unwrap();
    let before = looks.so_far();
    scene.run_hook(0, Hook::pebble_ready(&unit(0), "redis"));
    assert_eq!(looks.so_far() - before, 1, "any other event looks once and does not wait");
    let second = entry(&scene, 0);
    assert_eq!((&second["tries"], &second["why"]), (&2.into(), &LED_BY_2.into()));
    assert_eq!(second["since"], first["since"]);
    assert_eq!(scene.status(0), ("waiting".to_owned(), LED_BY_2.to_owned()));

    failover.release(&scene);
    failover.is_over(&scene);
    let changed = Happening::Changed { unit: unit(1) };
    let run = scene.run_hook(0, Hook::relation(&unit(0), 0, changed));
    assert_eq!((run.exit, &run.commit), (Exit::Code(0), &Commit::Committed), "{run:#?}");
    assert_eq!(scene.databag()["leader-host"], elected);
    assert_eq!(scene.deferred(0), None);
    assert_eq!(scene.status(0), ("active".to_owned(), String::new()));
    for pod in scene.bed.pods() {
        assert!(!pod.sentinel_log().contains("+reset-master"), "a Sentinel was reset");
    }
}

#[test]
fn a_wait_that_sigterm_ends_is_deferred_within_a_second() {
    let scene = HeldFailover::scene();
    HeldFailover::begin(&scene, 2);
    let looks = Asked::from_now(scene.bed.pod(0).unwrap(), SENTINEL_PORT);
    let hook = scene.start(0, Hook::new(&unit(0), "leader-elected"));
    eventually("the hook waits", || (looks.so_far() >= 3).then_some(()));
    let sent = Instant::now();
    hook.terminate().unwrap();
    assert_eq!(hook.wait_for_exit(HOOK_LIMIT).unwrap(), Exit::Code(0));
    let late = sent.elapsed();
    assert!(late < Duration::from_secs(1), "{late:?}");
    let run = hook.finish(HOOK_LIMIT).unwrap();

    assert_eq!(run.commit, Commit::Committed);
    let kept = entry(&scene, 0);
    assert_eq!((&kept["tries"], &kept["why"]), (&1.into(), &"stopped by SIGTERM".into()));
}

/// A hook of every shape that Juju has after `install`, but the three kinds that replay nothing.
fn every_kind(of: &str) -> Vec<Hook> {
    let other = || unit(1);
    let mut hooks: Vec<Hook> = [
        "leader-elected",
        "start",
        "config-changed",
        "update-status",
        "upgrade-charm",
        "leader-settings-changed",
        "secret-changed",
        "database-storage-attached",
        "a-hook-of-a-later-juju",
    ]
    .into_iter()
    .map(|name| Hook::new(of, name))
    .collect();
    hooks.push(Hook::pebble_ready(of, "sentinel"));
    let happenings = [
        Happening::Created,
        Happening::Joined { unit: other() },
        Happening::Changed { unit: other() },
        Happening::ApplicationChanged,
        Happening::Departed { unit: other(), departing: other() },
    ];
    hooks.extend(happenings.map(|happening| Hook::relation(of, 0, happening)));
    hooks
}

/// Defers leader-elected, as an earlier hook of that unit would have.
fn defer(scene: &Scene, number: u32) {
    let entry = r#"{"since":1700000000,"tries":3,"why":"failover in progress"}"#;
    scene.controller.edit(|model| {
        let state = &mut model.unit_mut(&unit(number)).unwrap().state;
        state.insert("deferred".to_owned(), entry.to_owned());
    });
}

#[test]
fn a_deferred_leader_elected_is_done_at_the_next_event_of_every_kind() {
    let scene = Scene::healthy(1);
    for hook in every_kind(&unit(0)) {
        defer(&scene, 0);
        scene.record(&[("leader-host", &scene.bed.host(7)), ("master-epoch", "")]);
        let run = scene.run_hook(0, hook.clone());
        assert_eq!((run.exit, &run.commit), (Exit::Code(0), &Commit::Committed), "{hook:?}");
        assert_eq!(scene.deferred(0), None, "{hook:?}");
        assert_eq!(scene.databag()["leader-host"], scene.bed.host(0), "{hook:?}");
        assert_eq!(scene.databag()["master-epoch"], "0", "{hook:?}");
    }
}

#[test]
fn a_unit_that_leads_no_more_drops_it_at_every_kind_of_event_and_writes_nothing_else() {
    let scene = Scene::healthy(2);
    scene.record(&[("leader-host", &scene.bed.host(1))]);
    let before = scene.databag();
    scene.controller.set_leader(&unit(1));
    for hook in every_kind(&unit(0)) {
        defer(&scene, 0);
        let run = scene.run_hook(0, hook.clone());
        assert_eq!((run.exit, &run.commit), (Exit::Code(0), &Commit::Committed), "{hook:?}");
        assert_eq!(scene.deferred(0), None, "{hook:?}");
        assert_eq!(count(&run, "relation-set"), 0, "{hook:?}");
    }
    assert_eq!(scene.databag(), before);
}
