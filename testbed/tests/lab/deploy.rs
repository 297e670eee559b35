//! Models that come up.

use std::collections::BTreeSet;
use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use tempfile::TempDir;
use testbed::lab::Lab;
use testbed::lab::Options;
use testbed::lab::operator::Deployment;
use testbed::trace::timeline;

use super::stage::LIMIT;
use super::stage::Result;
use super::stage::events;
use super::stage::lab;
use super::stage::recorder;
use super::stage::records;
use super::stage::shell;

#[test]
fn three_units_of_a_small_charm_are_active_within_20_seconds() -> Result {
    let start = Instant::now();
    let lab = lab()?;
    lab.deploy(&recorder(), "recorder", 3)?;
    lab.wait_for_active("recorder", LIMIT)?;
    let took = start.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");

    let status = lab.status();
    let [application] = status.applications.as_slice() else { panic!("{status:#?}") };
    assert_eq!(application.scale, 3);
    let leaders = application.units.iter().filter(|unit| unit.is_leader).count();
    assert_eq!((application.units.len(), leaders), (3, 1));
    let addresses: BTreeSet<_> = application.units.iter().map(|unit| &unit.address).collect();
    assert_eq!(addresses.len(), 3);
    for unit in &application.units {
        assert_eq!(unit.workload.word, "active");
        assert_eq!(events(&lab, &unit.name).first().map(String::as_str), Some("install"));
        let own = shell(&lab, &unit.name, "work", "hostname")?;
        assert_eq!(own, unit.name.replace('/', "-"));
    }
    let name = "recorder-0.recorder-endpoints.lab.svc.cluster.local";
    let found = shell(&lab, "recorder/1", "charm", &format!("getent hosts {name}"))?;
    assert!(found.starts_with(&application.units[0].address), "{found}");
    Ok(())
}

#[test]
fn a_folder_that_is_shown_is_there_to_be_read_and_its_programs_are_found() -> Result {
    let folder = TempDir::new()?;
    let program = folder.path().join("bin/say-it");
    fs::create_dir(folder.path().join("bin"))?;
    fs::write(&program, "#!/bin/sh\necho found\n")?;
    fs::set_permissions(&program, Permissions::from_mode(0o755))?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    let shown = vec![folder.path().to_owned()];
    let lab = Lab::start_with(Options { shown, ..Options::default() })?;
    lab.deploy(&recorder(), "recorder", 1)?;
    lab.wait_for_active("recorder", LIMIT)?;
    let said = lab.exec("recorder/0", "say-it; touch \"$(dirname \"$(command -v say-it)\")/x\"")?;
    assert_eq!(said.results["stdout"], "found\n");
    assert!(said.results["stderr"].as_str().is_some_and(|text| text.contains("Read-only")));
    Ok(())
}

#[test]
fn ten_models_side_by_side_do_not_disturb_one_another() -> Result {
    let labs: Vec<Lab> = thread::scope(|scope| {
        let starts: Vec<_> = (0..10).map(|_| scope.spawn(lab_with_two_units)).collect();
        starts.into_iter().map(|start| start.join().expect("no panic")).collect::<Vec<_>>()
    })
    .into_iter()
    .collect::<std::result::Result<_, String>>()?;
    for (number, lab) in labs.iter().enumerate() {
        lab.config("recorder", &[("word", &format!("model-{number}"))])?;
    }
    let folders: BTreeSet<_> =
        labs.iter().map(|lab| lab.volume("recorder/0", "records").folder().to_owned()).collect();
    assert_eq!(folders.len(), labs.len());
    for (number, lab) in labs.iter().enumerate() {
        let word = format!("word=model-{number}");
        lab.wait_until(&format!("{word} is recorded by both units"), LIMIT, |lab| {
            let told = |unit| records(lab, unit).iter().any(|line| line.ends_with(&word));
            (told("recorder/0") && told("recorder/1")).then_some(())
        })?;
    }
    // What befalls one is not seen by the others.
    labs[0].delete_pod("recorder/1")?;
    labs[0].isolate("recorder/0")?;
    super::stage::wait_for_events(&labs[0], "recorder/1", 0, &["stop", "upgrade-charm"])?;
    for (number, lab) in labs.iter().enumerate() {
        let words: BTreeSet<_> = records(lab, "recorder/1")
            .iter()
            .filter_map(|line| line.split_once("word=").map(|(_, word)| word.to_owned()))
            .collect();
        let own = BTreeSet::from(["nothing".to_owned(), format!("model-{number}")]);
        assert_eq!(words, own, "model {number}");
        assert_eq!(events(lab, "recorder/1").contains(&"stop".to_owned()), number == 0);
    }
    Ok(())
}

fn lab_with_two_units() -> std::result::Result<Lab, String> {
    let start = || -> Result<Lab> {
        let lab = lab()?;
        lab.deploy(&recorder(), "recorder", 2)?;
        lab.wait_for_active("recorder", LIMIT * 2)?;
        Ok(lab)
    };
    // Errors of other threads have to be plain.
    start().map_err(|error| format!("{error:?}"))
}

#[test]
fn a_password_among_the_options_is_not_in_the_trace_even_if_the_charm_writes_it() -> Result {
    let lab = Lab::start(3)?;
    let given = [("admin-password".to_owned(), "first-of-them".to_owned())];
    lab.deploy_with(&Deployment {
        charm: recorder(),
        application: "recorder".to_owned(),
        units: 1,
        config: given.into(),
        ..Deployment::default()
    })?;
    lab.wait_for_active("recorder", LIMIT)?;
    lab.config("recorder", &[("admin-password", "second-of-them")])?;
    lab.exec("recorder/0", "status-set active \"told of first-of-them\"")?;
    lab.exec("recorder/0", "juju-log \"$(config-get admin-password) is the next\"")?;
    let told = timeline::render(&lab.trace().entries());
    assert!(told.contains("told of ***") && told.contains("*** is the next"), "{told}");
    assert!(!told.contains("of-them"), "{told}");
    Ok(())
}
