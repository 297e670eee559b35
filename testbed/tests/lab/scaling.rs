//! Scaling, and the end of an application.

use super::stage::LIMIT;
use super::stage::Result;
use super::stage::events;
use super::stage::lab_at;
use super::stage::recorder;
use super::stage::wait_for_events;

#[test]
fn units_come_and_go_and_a_unit_that_comes_again_finds_its_old_volume() -> Result {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "recorder", 1)?;
    lab.wait_for_active("recorder", LIMIT)?;

    lab.scale("recorder", 3)?;
    lab.wait_for_active("recorder", LIMIT)?;
    wait_for_events(&lab, "recorder/0", 0, &["mates-relation-joined", "mates-relation-changed"])?;
    lab.wait_for_idle(LIMIT)?;

    let before = events(&lab, "recorder/0").len();
    lab.scale("recorder", 1)?;
    lab.wait_until("one pod is left", LIMIT, |lab| (lab.pods().len() == 1).then_some(()))?;
    wait_for_events(&lab, "recorder/0", before, &["mates-relation-departed"; 2])?;
    for unit in ["recorder/1", "recorder/2"] {
        // Its containers may be seen at any time, also by a unit that is on its way out.
        let told = events(&lab, unit).into_iter().filter(|event| !event.ends_with("-pebble-ready"));
        let told: Vec<_> = told.collect();
        assert!(told.ends_with(&["stop".to_owned(), "remove".to_owned()]), "{unit}: {told:?}");
    }
    assert_eq!(lab.status().applications[0].units.len(), 1);

    lab.scale("recorder", 2)?;
    lab.wait_for_active("recorder", LIMIT)?;
    let installs = events(&lab, "recorder/1").into_iter().filter(|event| event == "install");
    assert_eq!(installs.count(), 2, "the old volume, and a new unit");
    Ok(())
}

#[test]
fn a_removed_application_leaves_nothing_in_the_model() -> Result {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "recorder", 2)?;
    lab.wait_for_active("recorder", LIMIT)?;
    lab.remove_application("recorder")?;
    lab.wait_for_removed("recorder", LIMIT)?;
    assert_eq!(events(&lab, "recorder/1").last().map(String::as_str), Some("remove"));
    Ok(())
}

#[test]
fn two_applications_are_integrated_and_taken_apart() -> Result {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "host", 1)?;
    lab.deploy(&recorder(), "guest", 1)?;
    lab.wait_for_active("host", LIMIT)?;
    lab.wait_for_active("guest", LIMIT)?;
    lab.integrate("host:greeting", "guest:greeter")?;
    wait_for_events(&lab, "host/0", 0, &["greeting-relation-created", "greeting-relation-joined"])?;
    wait_for_events(&lab, "guest/0", 0, &["greeter-relation-created", "greeter-relation-joined"])?;
    lab.remove_relation("host:greeting", "guest:greeter")?;
    wait_for_events(
        &lab,
        "host/0",
        0,
        &["greeting-relation-departed", "greeting-relation-broken"],
    )?;
    Ok(())
}
