//! A master whose replicas are all still getting their data.

use crate::pods;
use crate::stage::SOON;
use crate::stage::Stage;

fn min_replicas(stage: &Stage, wanted: &str) {
    stage.wait(&format!("min-replicas-to-write is {wanted}"), SOON, || {
        (stage.setting(0, "min-replicas-to-write") == wanted).then_some(())
    });
}

#[test]
fn it_takes_writes_until_one_is_in_sync_and_needs_one_from_then_on() {
    let stage = Stage::running(3);
    pods::lose_replicas(&stage, 8);
    min_replicas(&stage, "0");
    stage.write_keys(0, 100);
    assert_eq!(stage.keys(0), Some(100), "{}", stage.logs());
    min_replicas(&stage, "1");
    stage.settle(&[0, 1, 2]);
    for unit in [0, 1, 2] {
        stage.wait("it has the keys", SOON, || (stage.keys(unit) == Some(100)).then_some(()));
    }
}

#[test]
fn it_takes_none_when_it_is_cut_off_meanwhile() {
    let stage = Stage::running(3);
    pods::lose_replicas(&stage, 60);
    min_replicas(&stage, "0");
    stage.bed.isolate(0).unwrap();
    min_replicas(&stage, "1");
    let refused = stage.bed.pod(0).unwrap().redis("SET key value").unwrap_err();
    assert!(refused.to_string().contains("NOREPLICAS"), "{refused}");
}
