//! Pods and containers that go and come back, seen by the charm.

use testbed::lab::target::Target;

use super::stage::LIMIT;
use super::stage::Result;
use super::stage::events;
use super::stage::lab_at;
use super::stage::recorder;
use super::stage::wait_for_events;

const COMES_BACK: [&str; 4] = ["upgrade-charm", "config-changed", "start", "work-pebble-ready"];

#[test]
fn a_deleted_pod_stops_in_order_and_comes_back_at_another_address() -> Result {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "recorder", 2)?;
    lab.wait_for_active("recorder", LIMIT)?;
    wait_for_events(&lab, "recorder/1", 0, &["start", "work-pebble-ready"])?;
    lab.wait_for_idle(LIMIT)?;

    let old = lab.pod("recorder/1")?.address();
    let before = events(&lab, "recorder/1").len();
    lab.delete_pod("recorder/1")?;
    wait_for_events(&lab, "recorder/1", before, &["stop"])?;
    wait_for_events(&lab, "recorder/1", before, &COMES_BACK)?;
    lab.wait_for_active("recorder", LIMIT)?;
    assert_ne!(lab.pod("recorder/1")?.address(), old);
    assert!(!events(&lab, "recorder/1")[before..].contains(&"install".to_owned()));
    Ok(())
}

#[test]
fn a_pod_that_is_lost_comes_back_without_a_stop() -> Result {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "recorder", 1)?;
    lab.wait_for_active("recorder", LIMIT)?;
    wait_for_events(&lab, "recorder/0", 0, &["start", "work-pebble-ready"])?;
    lab.wait_for_idle(LIMIT)?;
    let before = events(&lab, "recorder/0").len();
    lab.kill("recorder/0", &Target::Pod)?;
    wait_for_events(&lab, "recorder/0", before, &COMES_BACK)?;
    assert!(!events(&lab, "recorder/0")[before..].contains(&"stop".to_owned()));
    Ok(())
}

#[test]
fn a_workload_container_that_comes_back_is_told_of_and_nothing_else() -> Result {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "recorder", 1)?;
    lab.wait_for_active("recorder", LIMIT)?;
    wait_for_events(&lab, "recorder/0", 0, &["start", "work-pebble-ready"])?;
    lab.wait_for_idle(LIMIT)?;
    let before = events(&lab, "recorder/0").len();
    lab.kill("recorder/0", &Target::container("work"))?;
    wait_for_events(&lab, "recorder/0", before, &["work-pebble-ready"])?;
    let mut later = events(&lab, "recorder/0").split_off(before);
    later.retain(|event| event != "update-status");
    assert_eq!(later, ["work-pebble-ready"]);
    Ok(())
}

#[test]
fn a_charm_container_that_comes_back_starts_its_agent_anew() -> Result {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "recorder", 1)?;
    lab.wait_for_active("recorder", LIMIT)?;
    wait_for_events(&lab, "recorder/0", 0, &["start", "work-pebble-ready"])?;
    lab.wait_for_idle(LIMIT)?;
    let before = events(&lab, "recorder/0").len();
    lab.kill("recorder/0", &Target::container("charm"))?;
    wait_for_events(&lab, "recorder/0", before, &["start", "work-pebble-ready"])?;
    assert!(!events(&lab, "recorder/0")[before..].contains(&"upgrade-charm".to_owned()));
    Ok(())
}
