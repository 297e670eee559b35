//! Each fault does what it says, seen from inside.

use std::time::Duration;

use testbed::juju::faults::HookFault;
use testbed::juju::faults::NoticeFault;
use testbed::juju::hook::FaultKind;
use testbed::lab::Lab;
use testbed::lab::faults::Whose;
use testbed::lab::target::Target;
use testbed::trace::entry::Commit;
use testbed::trace::entry::Entry;
use testbed::trace::entry::What;

use super::stage::Failure;
use super::stage::LIMIT;
use super::stage::Result;
use super::stage::events;
use super::stage::lab_at;
use super::stage::recorder;
use super::stage::serve;
use super::stage::shell;
use super::stage::wait_for_events;

fn two_units() -> Result<Lab> {
    let lab = lab_at(5.0)?;
    lab.deploy(&recorder(), "recorder", 2)?;
    lab.wait_for_active("recorder", LIMIT)?;
    for unit in ["recorder/0", "recorder/1"] {
        wait_for_events(&lab, unit, 0, &["start", "work-pebble-ready"])?;
    }
    lab.wait_for_idle(LIMIT)?;
    Ok(lab)
}

/// Has a Redis in the workload of a unit.
fn serve_redis(lab: &Lab, unit: &str) -> Result {
    let command = "redis-server --protected-mode no --bind 0.0.0.0 --appendonly yes";
    serve(lab, unit, command, "5s")?;
    lab.wait_until("its Redis answers", LIMIT, |lab| {
        (shell(lab, unit, "work", "redis-cli ping").ok()? == "PONG").then_some(())
    })?;
    Ok(())
}

/// Whether a unit gets an answer from another one's port.
fn hears(lab: &Lab, from: &str, to: &str) -> Result<bool> {
    let address = lab.pod(to)?.address();
    let ask = format!("timeout 1 redis-cli -h {address} ping");
    Ok(shell(lab, from, "charm", &ask)?.contains("PONG"))
}

#[test]
fn a_link_that_is_cut_carries_nothing_until_it_is_healed() -> Result {
    let lab = two_units()?;
    for unit in ["recorder/0", "recorder/1"] {
        serve_redis(&lab, unit)?;
    }
    let heard = |wanted: bool| -> Result {
        lab.wait_until(&format!("they hear one another: {wanted}"), LIMIT, |lab| {
            let one = hears(lab, "recorder/0", "recorder/1").ok()?;
            let other = hears(lab, "recorder/1", "recorder/0").ok()?;
            (one == wanted && other == wanted).then_some(())
        })?;
        Ok(())
    };
    heard(true)?;
    lab.cut("recorder/0", "recorder/1")?;
    heard(false)?;
    lab.heal_link("recorder/0", "recorder/1")?;
    heard(true)?;
    lab.isolate("recorder/1")?;
    heard(false)?;
    lab.heal()?;
    heard(true)
}

#[test]
fn a_process_is_killed_frozen_and_thawed_by_its_name() -> Result {
    let lab = two_units()?;
    serve_redis(&lab, "recorder/0")?;
    let redis = Target::process("work", "redis-server");
    let state = |lab: &Lab| -> Result<String> {
        shell(lab, "recorder/0", "work", "grep State: /proc/$(pidof redis-server)/status")
    };
    lab.freeze("recorder/0", &redis)?;
    assert!(state(&lab)?.contains("stopped"), "{}", state(&lab)?);
    lab.thaw("recorder/0", &redis)?;
    assert!(!state(&lab)?.contains("stopped"));
    let before = shell(&lab, "recorder/0", "work", "pidof redis-server")?;
    lab.kill("recorder/0", &redis)?;
    lab.wait_until("Pebble starts it again", LIMIT, |lab| {
        let now = shell(lab, "recorder/0", "work", "pidof redis-server").ok()?;
        (!now.is_empty() && now != before).then_some(())
    })?;
    let nobody = lab.kill("recorder/0", &Target::process("work", "nobody"));
    assert!(nobody.is_err_and(|error| error.to_string().contains("nobody")));
    Ok(())
}

#[test]
fn names_are_not_known_while_the_name_server_is_silent_and_later_while_it_is_slow() -> Result {
    let lab = two_units()?;
    let name = "recorder-1.recorder-endpoints.lab.svc.cluster.local.";
    let ask = format!("timeout 2 getent hosts {name}");
    let knows = |unit: &str| Ok::<_, Failure>(!shell(&lab, unit, "charm", &ask)?.is_empty());
    assert!(knows("recorder/0")?);
    lab.silence_dns(&Whose::Unit("recorder/0".into()))?;
    assert!(!knows("recorder/0")?);
    assert!(knows("recorder/1")?);
    lab.silence_dns(&Whose::All)?;
    let other = "getent hosts recorder-0.recorder-endpoints.lab.svc.cluster.local.";
    assert_eq!(shell(&lab, "recorder/1", "charm", &format!("timeout 2 {other}"))?, "");
    lab.heal_dns()?;
    lab.slow_dns(Duration::from_millis(700))?;
    let slow =
        format!("s=$(date +%s%N); {ask} >/dev/null; echo $(( ($(date +%s%N) - s) / 1000000 ))");
    let took: u64 = shell(&lab, "recorder/0", "charm", &slow)?.parse()?;
    assert!(took >= 700, "{took} ms");
    lab.heal_dns()?;
    assert!(knows("recorder/0")?);
    Ok(())
}

#[test]
fn a_volume_is_wiped_and_rolled_back() -> Result {
    let lab = two_units()?;
    let kept = "cat /var/lib/records/kept";
    shell(&lab, "recorder/0", "work", "echo old >/var/lib/records/kept")?;
    lab.snapshot_volume("recorder/0", "records", "monday")?;
    shell(&lab, "recorder/0", "work", "echo new >/var/lib/records/kept")?;
    lab.roll_back_volume("recorder/0", "records", "monday")?;
    assert_eq!(shell(&lab, "recorder/0", "work", kept)?, "old");
    lab.wipe_volume("recorder/0", "records")?;
    assert_eq!(shell(&lab, "recorder/0", "charm", "ls /var/lib/records")?, "");
    assert!(lab.roll_back_volume("recorder/0", "records", "friday").is_err());
    Ok(())
}

#[test]
fn each_write_to_a_slow_disk_takes_its_time() -> Result {
    let lab = two_units()?;
    serve_redis(&lab, "recorder/0")?;
    shell(&lab, "recorder/0", "work", "redis-cli config set appendfsync always")?;
    let write =
        "s=$(date +%s%N); redis-cli set a b >/dev/null; echo $(( ($(date +%s%N) - s) / 1000000 ))";
    lab.slow_disk("recorder/0", "work", Duration::from_millis(400))?;
    let slow: u64 = shell(&lab, "recorder/0", "work", write)?.parse()?;
    assert!(slow >= 400, "{slow} ms");
    Ok(())
}

#[test]
fn a_frozen_pod_does_nothing_until_it_is_thawed() -> Result {
    let lab = two_units()?;
    serve_redis(&lab, "recorder/0")?;
    lab.freeze("recorder/0", &Target::Pod)?;
    assert!(!hears(&lab, "recorder/1", "recorder/0")?);
    let before = events(&lab, "recorder/0").len();
    lab.config("recorder", &[("word", "frozen")])?;
    wait_for_events(&lab, "recorder/1", 0, &["config-changed", "config-changed"])?;
    assert_eq!(events(&lab, "recorder/0").len(), before);
    lab.thaw("recorder/0", &Target::Pod)?;
    wait_for_events(&lab, "recorder/0", before, &["config-changed"])?;
    Ok(())
}

fn leader(lab: &Lab) -> Option<String> {
    let status = lab.status();
    let units = status.applications.first()?.units.iter();
    units.filter(|unit| unit.is_leader).map(|unit| unit.name.clone()).next()
}

#[test]
fn leadership_goes_to_another_unit_and_stays_away_for_a_while() -> Result {
    let lab = two_units()?;
    let old = leader(&lab).ok_or("there is a leader")?;
    let other = if old == "recorder/0" { "recorder/1" } else { "recorder/0" };
    let before = events(&lab, other).len();
    lab.make_leader(other)?;
    wait_for_events(&lab, other, before, &["leader-elected"])?;
    assert_eq!(leader(&lab).as_deref(), Some(other));
    let said = lab.exec(&old, "is-leader --format=json")?;
    assert_eq!(said.results["stdout"], "false\n");

    lab.no_leader_for("recorder", Duration::from_mins(1))?;
    assert_eq!(leader(&lab), None);
    lab.wait_until("somebody leads again", LIMIT, leader)?;
    Ok(())
}

#[test]
fn leadership_is_lost_at_a_call_or_at_the_commit() -> Result {
    let lab = two_units()?;
    let old = leader(&lab).ok_or("there is a leader")?;
    let other = if old == "recorder/0" { "recorder/1" } else { "recorder/0" };
    lab.strike_hook(other, "leader-elected", HookFault::LosesLeadershipAtCommit)?;
    lab.make_leader(other)?;
    lab.wait_until("the commit is refused", LIMIT, |lab| {
        let is_it = |entry: &Entry| {
            matches!(&entry.what, What::EventEnded { unit, event, commit: Commit::Refused(_), .. }
                if unit == other && event == "leader-elected")
        };
        lab.trace().entries().iter().any(is_it).then_some(())
    })?;

    let now = lab.wait_until("somebody leads again", LIMIT, leader)?;
    lab.wait_for_idle(LIMIT)?;
    lab.strike_hook_at(&now, "config-changed", 1, FaultKind::LoseLeadership)?;
    let before = lab.trace().len();
    lab.config("recorder", &[("word", "lost")])?;
    lab.wait_until("nobody leads", LIMIT, |lab| {
        let lost = |entry: &Entry| matches!(&entry.what, What::Leader { unit: None, .. });
        lab.trace().entries_from(before).iter().any(lost).then_some(())
    })?;
    Ok(())
}

#[test]
fn a_hook_is_struck_at_the_call_that_was_named() -> Result {
    let lab = two_units()?;
    // Its first call is config-get, its second status-set.
    lab.strike_hook_at("recorder/0", "config-changed", 1, FaultKind::KillHook)?;
    let before = events(&lab, "recorder/0").len();
    lab.config("recorder", &[("word", "killed")])?;
    wait_for_events(&lab, "recorder/0", before, &["config-changed"])?;
    lab.wait_for_idle(LIMIT)?;
    // It was killed before it recorded anything, and run again.
    let again = events(&lab, "recorder/0").split_off(before);
    assert_eq!(again.iter().filter(|event| *event == "config-changed").count(), 1);

    lab.strike_hook_at("recorder/0", "config-changed", 2, FaultKind::KillHook)?;
    let before = events(&lab, "recorder/0").len();
    lab.config("recorder", &[("word", "killed-later")])?;
    wait_for_events(&lab, "recorder/0", before, &["config-changed", "config-changed"])?;
    Ok(())
}

#[test]
fn a_failed_hook_blocks_its_unit_until_it_is_resolved() -> Result {
    let lab = two_units()?;
    let refusal = FaultKind::Exit(1, "no".into());
    lab.strike_hook_at("recorder/0", "config-changed", 2, refusal)?;
    let agent = |lab: &Lab| lab.status().applications[0].units[0].agent.clone();
    let before = events(&lab, "recorder/0").len();
    lab.config("recorder", &[("word", "failing")])?;
    wait_for_events(&lab, "recorder/0", before, &["config-changed"])?;
    lab.wait_until("the unit is well again after a retry", LIMIT, |lab| {
        let runs = events(lab, "recorder/0").split_off(before);
        (runs.len() >= 2 && agent(lab).word == "idle").then_some(())
    })?;
    Ok(())
}

#[test]
fn units_begin_anew_when_the_controller_comes_back() -> Result {
    let lab = two_units()?;
    let before = events(&lab, "recorder/0").len();
    lab.controller_away()?;
    lab.config("recorder", &[("word", "unheard")])?;
    lab.controller_back()?;
    wait_for_events(&lab, "recorder/0", before, &["start"])?;
    wait_for_events(&lab, "recorder/0", before, &["work-pebble-ready"])?;
    wait_for_events(&lab, "recorder/0", before, &["config-changed"])?;
    Ok(())
}

#[test]
fn notices_come_late_twice_or_never() -> Result {
    let lab = two_units()?;
    let notify = |key: &str| {
        shell(&lab, "recorder/0", "work", &format!("/charm/bin/pebble notify example.com/{key}"))
    };
    let seen = |lab: &Lab, key: &str| {
        let records = super::stage::records(lab, "recorder/0");
        let named = format!("work example.com/{key} ");
        records.iter().filter(|line| line.contains(&named)).count()
    };
    lab.disturb_notice("recorder/0", "work", NoticeFault::Drop)?;
    notify("dropped")?;
    notify("comes")?;
    lab.wait_until("the second comes", LIMIT, |lab| (seen(lab, "comes") == 1).then_some(()))?;
    assert_eq!(seen(&lab, "dropped"), 0);
    lab.disturb_notice("recorder/0", "work", NoticeFault::Repeat)?;
    notify("twice")?;
    lab.wait_until("it comes twice", LIMIT, |lab| (seen(lab, "twice") == 2).then_some(()))?;
    Ok(())
}
