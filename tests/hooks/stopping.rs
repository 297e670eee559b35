//! SIGTERM while a hook waits for something else than a tool.

use std::time::Duration;

use testbed::juju::hook::Hook;
use testbed::juju::run::Commit;
use testbed::juju::run::Exit;
use testbed::juju::run::RunningHook;

use crate::matrix::AFTER_SIGTERM;
use crate::scene::HOOK_LIMIT;
use crate::scene::Scene;
use crate::scene::count;
use crate::scene::eventually;
use crate::scene::tools;
use crate::scene::unit;

#[test]
fn sigterm_while_servers_are_asked_ends_within_a_second_and_keeps_leader_elected() {
    let scene = Scene::healthy(3);
    scene.record(&[("leader-host", &scene.bed.host(2))]);
    // Two silent Sentinels hold the round of questions open for its whole second.
    for number in [1, 2] {
        scene.bed.pod(number).unwrap().freeze_sentinel();
    }
    let running = scene.start(0, Hook::new(&unit(0), "leader-elected"));
    answered(&running, "goal-state");
    ends_well(&scene, running);
    assert_eq!(scene.databag()["leader-host"], scene.bed.host(2));

    for number in [1, 2] {
        scene.bed.pod(number).unwrap().thaw().unwrap();
    }
    finishes(&scene, "redis-pebble-ready");
}

#[test]
fn sigterm_in_the_wait_for_a_failover_ends_within_a_second_and_keeps_leader_elected() {
    let scene = Scene::healthy(3);
    scene.record(&[("leader-host", &scene.bed.host(2))]);
    // Sentinel tolerates a second master for some eight seconds.
    scene.bed.pod(1).unwrap().redis("REPLICAOF NO ONE").unwrap();
    let running = scene.start(0, Hook::new(&unit(0), "leader-elected"));
    answered(&running, "is-leader");
    ends_well(&scene, running);

    let master = scene.bed.host(0);
    scene.bed.pod(1).unwrap().redis(&format!("REPLICAOF {master} 6379")).unwrap();
    finishes(&scene, "update-status");
}

/// Waits until a tool has had its answer.
fn answered(running: &RunningHook, tool: &str) {
    eventually(&format!("{tool} is answered"), || {
        running.calls().iter().find(|call| call.argv[0] == tool)?.exit
    });
}

fn ends_well(scene: &Scene, running: RunningHook) {
    running.terminate().unwrap();
    assert_eq!(running.wait_for_exit(AFTER_SIGTERM).unwrap(), Exit::Code(0));
    let run = running.finish(HOOK_LIMIT).unwrap();
    assert_eq!(run.commit, Commit::Committed);
    assert!(
        scene.deferred(0).is_some_and(|entry| entry.contains("stopped by SIGTERM")),
        "{run:#?}"
    );
    assert_eq!(count(&run, "status-set"), 0, "{:?}", tools(&run));
}

/// The next event ends what was kept, as soon as the group is whole again.
fn finishes(scene: &Scene, event: &str) {
    scene.bed.settle(&[0, 1, 2], WHOLE_AGAIN).unwrap();
    scene.run(0, event);
    assert_eq!(scene.databag()["leader-host"], scene.bed.host(0));
    assert_eq!(scene.deferred(0), None);
}

/// A Sentinel that was frozen for long on a busy machine trusts nothing for 30 s (TILT).
const WHOLE_AGAIN: Duration = Duration::from_mins(1);
