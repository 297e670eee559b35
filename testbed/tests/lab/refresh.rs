//! Refreshes: pods roll, and for a while old and new charm live side by side.

use std::fs;

use tempfile::TempDir;

use super::stage::LIMIT;
use super::stage::Result;
use super::stage::events;
use super::stage::lab_at;
use super::stage::recorder;
use super::stage::recorder_of;
use super::stage::records;
use super::stage::wait_for_events;

#[test]
fn a_refresh_rolls_from_the_highest_unit_and_can_be_held() -> Result {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "recorder", 3)?;
    lab.wait_for_active("recorder", LIMIT)?;
    let second = recorder_of(2)?;
    lab.set_partition("recorder", 2)?;
    let before = events(&lab, "recorder/2").len();
    lab.refresh("recorder", second.path())?;
    wait_for_events(&lab, "recorder/2", before, &["stop", "upgrade-charm", "config-changed"])?;
    lab.wait_until("unit 2 runs revision 2", LIMIT, |lab| {
        let units = &lab.status().applications[0].units;
        (units[2].workload.message == "revision 2").then_some(())
    })?;
    let status = lab.status();
    let messages = status.applications[0].units.iter().map(|unit| unit.workload.message.as_str());
    assert_eq!(messages.collect::<Vec<_>>(), ["revision 1", "revision 1", "revision 2"]);

    lab.set_partition("recorder", 0)?;
    lab.wait_until("all units run revision 2", LIMIT, |lab| {
        let units = &lab.status().applications[0].units;
        units.iter().all(|unit| unit.workload.message == "revision 2").then_some(())
    })?;
    lab.wait_for_active("recorder", LIMIT)?;
    for unit in ["recorder/0", "recorder/1"] {
        let records = records(&lab, unit);
        let first = records.iter().find(|line| line.starts_with("2 ")).expect("it was refreshed");
        assert!(first.starts_with("2 upgrade-charm"), "{unit}: {first}");
    }
    Ok(())
}

#[test]
fn an_attached_resource_rolls_the_pods_with_the_same_charm() -> Result {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "recorder", 1)?;
    lab.wait_for_active("recorder", LIMIT)?;
    let folder = TempDir::new()?;
    let file = folder.path().join("any-name");
    fs::write(&file, "words")?;
    let before = events(&lab, "recorder/0").len();
    lab.attach_resource("recorder", "words", &file)?;
    wait_for_events(&lab, "recorder/0", before, &["stop", "upgrade-charm", "config-changed"])?;
    lab.wait_for_active("recorder", LIMIT)?;
    let outcome = lab.exec("recorder/0", "cat \"$(resource-get words)\"; echo")?;
    assert_eq!(outcome.results["stdout"], "words\n");
    Ok(())
}
