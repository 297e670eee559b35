//! The starter of Sentinel: a restart forgets who has left, and nobody else.

use redis_k8s::render::places;
use serde_json::json;

use crate::stage::FAILOVER;
use crate::stage::SOON;
use crate::stage::Stage;

fn restart_sentinel(stage: &Stage, unit: u32) {
    let restart = json!({"action": "restart", "services": ["sentinel"]});
    stage.pebble(unit, "sentinel", "/v1/services", &restart);
}

/// The replicas and the Sentinels that a unit's Sentinel knows, if it answers.
fn known(stage: &Stage, unit: u32) -> Option<(Vec<String>, Vec<String>)> {
    let view = stage.bed.pod(unit).unwrap().sentinel_view().ok()?;
    let names = |hosts: Vec<&str>| hosts.into_iter().map(str::to_owned).collect();
    Some((names(view.replica_hosts()), names(view.sentinel_hosts())))
}

#[test]
fn a_restart_of_sentinel_forgets_a_unit_that_has_left_and_knows_all_others_at_once() {
    let stage = Stage::running(3);
    stage.bed.remove(2).unwrap();
    let gone = stage.bed.host(2);
    stage.wait("the master does not list the unit that left", FAILOVER, || {
        let info = stage.bed.pod(0).unwrap().redis("INFO replication").ok()?;
        (!info.text().contains(&gone)).then_some(())
    });
    for unit in [0, 1] {
        stage.members(unit, &[0, 1]);
        restart_sentinel(&stage, unit);
        stage.wait("Sentinel has been started anew", SOON, || {
            let log = stage.bed.pod(unit).unwrap().pod().unwrap().log("sentinel");
            log.contains("2 entries of units that have gone were taken out").then_some(())
        });
    }
    for (unit, other) in [(0, 1), (1, 0)] {
        let exact = (vec![stage.bed.host(1)], vec![stage.bed.host(other)]);
        stage.wait("a Sentinel's view is exact", SOON, || {
            (known(&stage, unit)? == exact).then_some(())
        });
    }
    stage.settle(&[0, 1]);
    let mode = stage.script(0, "sentinel", &format!("stat -c %a {}", places::SENTINEL_FOLDER), "");
    assert_eq!(mode, "700", "what Sentinel rewrites everybody could read");
}

#[test]
fn a_restart_of_sentinel_without_a_list_changes_nothing() {
    let stage = Stage::running(2);
    stage.script(0, "sentinel", &format!("rm {}", places::SENTINEL_MEMBERS), "");
    let before = known(&stage, 0).unwrap();
    restart_sentinel(&stage, 0);
    stage.wait("Sentinel says that nobody is forgotten", SOON, || {
        let log = stage.bed.pod(0).unwrap().pod().unwrap().log("sentinel");
        log.contains("nobody is forgotten").then_some(())
    });
    stage.settle(&[0, 1]);
    assert_eq!(known(&stage, 0), Some(before));
}
