//! A master that is stopped while its replicas are still getting their data.

use std::time::Duration;

use testbed::wait::pace;

use crate::clients;
use crate::pods;
use crate::stage::FAILOVER;
use crate::stage::SOON;
use crate::stage::Stage;

/// Both replicas have asked unit 0 for all data, and wait for them as long as they are let.
fn waiting_replicas(stage: &Stage) {
    pods::lose_replicas(stage, A_MINUTE);
    stage.wait("both replicas wait for their data", SOON, || {
        let info = stage.bed.pod(0).unwrap().redis("INFO replication").ok()?.text();
        let is_lone = stage.setting(0, "min-replicas-to-write") == "0";
        (is_lone && info.matches("state=wait_bgsave").count() == 2).then_some(())
    });
}

#[test]
fn a_master_waits_for_replicas_that_are_in_sync_soon_and_hands_over() {
    let stage = Stage::running(3);
    let writers = clients::start(&stage, 2, 0, 0);
    waiting_replicas(&stage);
    let pod = stage.bed.pod(0).unwrap().pod().unwrap();
    pod.terminate();
    stage.says(0, "stopped by SIGTERM");
    // Their data come so late after that.
    pace(Duration::from_secs(5));
    assert!(!stage.said(0).contains("handed over"), "{}", stage.logs());
    pods::let_wait(&stage, 0, 0);
    pods::ended_well(&stage, 0);
    assert!(stage.said(0).contains("handed over to"), "{}", stage.logs());
    let master = stage.bed.failed_over(0, &[1, 2], FAILOVER).unwrap();
    assert!(stage.is_master(master), "{}", stage.logs());
    clients::end(&stage, 2, writers);
}

#[test]
fn a_master_whose_replicas_are_not_in_sync_in_time_ends_by_itself_with_its_data_on_disk() {
    let stage = Stage::running(3);
    waiting_replicas(&stage);
    stage.write_keys(0, 2_000);
    pods::stop(&stage, &[0]);
    let said = stage.said(0);
    let (_, took) = said
        .split_once("not handed over: no other unit was in sync in time (")
        .unwrap_or_else(|| panic!("{}", stage.logs()));
    let took: f64 = took.split_once(" s)").unwrap().0.parse().unwrap();
    // The limit, and what a look takes on a busy machine.
    assert!((12.0..16.0).contains(&took), "{took} s\n{}", stage.logs());
    assert!(!said.contains("it is killed"), "{}", stage.logs());
    pods::start(&stage, 0, 0);
    assert_eq!(stage.settle(&[0, 1, 2]), 0, "{}", stage.logs());
    for unit in [0, 1, 2] {
        stage.wait("a unit has all keys", SOON, || (stage.keys(unit) == Some(2_000)).then_some(()));
    }
}

/// In seconds: longer than a stop takes.
const A_MINUTE: u32 = 60;
