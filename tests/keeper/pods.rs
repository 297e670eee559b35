//! Whole pods that end and come back.

use std::time::Duration;

use crate::stage::Stage;

/// Pods are told to end, all at the same moment: all containers of each, Pebble first.
pub(crate) fn stop(stage: &Stage, units: &[u32]) {
    let pods: Vec<_> =
        units.iter().map(|unit| stage.bed.pod(*unit).unwrap().pod().unwrap()).collect();
    for pod in &pods {
        pod.terminate();
    }
    for unit in units {
        ended_well(stage, *unit);
    }
}

/// A pod that was told to end does so by itself.
pub(crate) fn ended_well(stage: &Stage, unit: u32) {
    let pod = stage.bed.pod(unit).unwrap().pod().unwrap();
    let end = pod.wait_for_end("redis", GRACE);
    assert!(end.is_some_and(|status| status.success()), "{end:?}\n{}", stage.logs());
}

/// A pod whose containers have ended comes back, as the charm starts it.
pub(crate) fn start(stage: &Stage, unit: u32, master: u32) {
    let pod = stage.bed.pod(unit).unwrap().pod().unwrap();
    for container in ["redis", "sentinel"] {
        let end = pod.wait_for_end(container, GRACE);
        assert!(end.is_some(), "{container} does not end\n{}", stage.logs());
        pod.start_container(container).unwrap();
    }
    stage.start_redis(unit);
    stage.start_sentinel(unit, master);
}

/// Units 1 and 2 come back empty, and their master, unit 0, lets them wait for so many seconds.
pub(crate) fn lose_replicas(stage: &Stage, delay: u32) {
    let_wait(stage, 0, delay);
    for unit in [1, 2] {
        let pod = stage.bed.pod(unit).unwrap().pod().unwrap();
        pod.kill_container("redis").unwrap();
        stage.bed.pod(unit).unwrap().wipe_data().unwrap();
        pod.start_container("redis").unwrap();
        stage.start_redis(unit);
    }
}

/// A master begins to send all data so many seconds after the first replica has asked for them.
pub(crate) fn let_wait(stage: &Stage, master: u32, seconds: u32) {
    let delay = format!("CONFIG SET repl-diskless-sync-delay {seconds}");
    stage.bed.pod(master).unwrap().redis(&delay).unwrap();
}

/// What a pod has to end.
pub(crate) const GRACE: Duration = Duration::from_secs(30);
