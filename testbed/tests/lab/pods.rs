//! Pods and containers that go and come back, seen by the charm.

use std::fs;
use std::time::Duration;

use testbed::lab::Lab;
use testbed::lab::Options;
use testbed::lab::target::Target;
use testbed::trace::entry::PodChange;
use testbed::trace::entry::What;

use super::stage::LIMIT;
use super::stage::Result;
use super::stage::events;
use super::stage::lab_at;
use super::stage::recorder;
use super::stage::recorder_of;
use super::stage::serve;
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

#[test]
fn a_pod_whose_service_will_not_end_is_killed_when_its_time_is_up() -> Result {
    let grace = Duration::from_secs(3);
    let lab = Lab::start_with(Options { speed: 5.0, grace, ..Options::default() })?;
    lab.deploy(&recorder(), "recorder", 1)?;
    lab.wait_for_active("recorder", LIMIT)?;
    let stubborn =
        "sh -c \"trap '' TERM; touch /var/lib/records/up; sleep 1000 & wait; sleep 1000\"";
    serve(&lab, "recorder/0", stubborn, "60s")?;
    let up = lab.volume("recorder/0", "records").folder().join("up");
    lab.wait_until("the service is up", LIMIT, |_| up.exists().then_some(()))?;
    lab.delete_pod("recorder/0")?;
    let time_of = |lab: &Lab, wanted: PodChange| {
        lab.trace().entries().into_iter().find_map(|entry| {
            let is_it = matches!(&entry.what, What::Pod { change, .. } if *change == wanted);
            is_it.then_some(entry.at)
        })
    };
    let killed = lab.wait_until("it is killed", LIMIT, |lab| time_of(lab, PodChange::Killed))?;
    let told = time_of(&lab, PodChange::Terminating).ok_or("it was told")?;
    assert!(killed.saturating_sub(told) >= grace, "{told:?} {killed:?}");
    assert!(events(&lab, "recorder/0").contains(&"stop".to_owned()));
    lab.wait_for_active("recorder", LIMIT)?;
    Ok(())
}

#[test]
fn a_unit_that_does_not_get_to_start_is_not_ready_for_long() -> Result {
    let charm = recorder_of(7)?;
    let dispatch = charm.path().join("dispatch");
    let text = fs::read_to_string(&dispatch)?;
    fs::write(&dispatch, text.replace("case $event in", "case $event in\nstart) exit 1 ;;"))?;
    let lab = lab_at(20.0)?;
    lab.deploy(charm.path(), "recorder", 1)?;
    lab.wait_until("the pod is ready", LIMIT, |lab| lab.pods().first()?.is_ready.then_some(()))?;
    lab.wait_until("it is no longer", LIMIT, |lab| {
        let pods = lab.pods();
        let pod = pods.first()?;
        let unready = pod.containers.iter().filter(|container| !container.is_ready);
        let unready: Vec<_> = unready.map(|container| container.name.as_str()).collect();
        (unready == ["charm"]).then_some(())
    })?;
    assert_eq!(lab.status().applications[0].units[0].workload.word, "error");
    Ok(())
}

#[test]
fn an_action_that_runs_when_the_charm_container_ends_fails_and_the_unit_goes_on() -> Result {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "recorder", 1)?;
    lab.wait_for_active("recorder", LIMIT)?;
    let task = lab.begin_action("recorder/0", "wait-for", &[("path", "/never")])?;
    wait_for_events(&lab, "recorder/0", 0, &["wait-for"])?;
    let before = events(&lab, "recorder/0").len();
    lab.kill("recorder/0", &Target::container("charm"))?;
    assert_eq!(lab.outcome(task, LIMIT)?.status, "failed");
    wait_for_events(&lab, "recorder/0", before, &["start"])?;
    lab.wait_for_active("recorder", LIMIT)?;
    Ok(())
}
