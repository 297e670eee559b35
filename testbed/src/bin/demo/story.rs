//! The story, step by step.

use std::path::Path;
use std::time::Instant;

use testbed::lab::Lab;
use testbed::lab::target::Target;
use testbed::redis::answers::Role;
use testbed::trace::entry::Entry;
use testbed::trace::entry::What;

use crate::Outcome;
use crate::screen::Screen;
use crate::show;
use crate::stage::Stage;
use crate::stage::Written;
use crate::stage::ensure;
use crate::summary;
use crate::summary::Findings;

/// Plays it from the deploy to the last summary.
pub(crate) fn tell(screen: &mut Screen, dispatch: &Path) -> Outcome<()> {
    let begun = Instant::now();
    let shown = dispatch.display().to_string();
    let dispatch = dispatch
        .canonicalize()
        .map_err(|error| format!("cannot find {shown}: {error}; `make demo` builds it"))?;
    let size = dispatch.metadata()?.len();
    screen.title("Charmed Redis in Rust: deployed, struck twice, scaled up and down, stopped");
    screen.remark(&format!(
        "{shown} ({:.2} MB), Redis, Sentinel and all hook tools below are processes of this run. \
         Juju and Kubernetes are the test bed's: their rules on this machine, pods as containers. \
         Every hook comes when Juju would run it; told of are those that wrote the databag or \
         restarted their own Sentinel.",
        size_in_megabytes(size)
    ));
    let mut findings = Findings::default();
    let mut stage = deployed(screen, &dispatch)?;
    pod_is_killed(screen, &mut stage, &mut findings)?;
    redis_is_killed(screen, &mut stage, &mut findings)?;
    grows(screen, &mut stage, &mut findings)?;
    shrinks(screen, &mut stage, &mut findings)?;
    pod_is_stopped(screen, &mut stage, &mut findings)?;
    summary::tell(screen, &stage, &findings, begun.elapsed())
}

fn deployed(screen: &mut Screen, dispatch: &Path) -> Outcome<Stage> {
    screen.step("juju deploy redis-k8s -n 3");
    let mut stage = Stage::deploy(dispatch, 3)?;
    screen.remark(&format!("A host's … is {}", show::shared_part(&stage.names)));
    let names = stage.names.clone();
    stage.until(screen, "every unit has started", |lab| {
        let ended = |unit| has_ended(&lab.trace().entries(), &names.unit(unit), "start");
        ALL.into_iter().all(ended).then_some(())
    })?;
    ensure(stage.databag().contains_key("leader-host"), "no master was recorded")?;
    let master = stage.until_whole(screen, &ALL)?;
    stage.until(screen, "every pebble-ready has been answered", |lab| {
        let entries = lab.trace().entries();
        let ready = |unit, event| has_ended(&entries, &names.unit(unit), event);
        let all = ALL.into_iter().all(|it| READY.into_iter().all(|event| ready(it, event)));
        all.then_some(())
    })?;
    ensure(stage.databag().get("leader-host") == Some(&names.host(master)), "another is recorded")?;
    ensure(!stage.databag().contains_key("bootstrap"), "the first start has not ended")?;
    stage.redis(master, &format!("SET {KEY} {VALUE}"))?;
    let copies = stage.redis(master, "WAIT 2 5000")?;
    ensure(copies == "2", "the key did not reach both replicas")?;
    stage.show_sentinels(screen, &ALL);
    show::hooks(screen, &stage.since());
    screen.passed("three units are active, every Sentinel knows all; a key is on three Redis");
    Ok(stage)
}

fn pod_is_killed(screen: &mut Screen, stage: &mut Stage, findings: &mut Findings) -> Outcome<()> {
    screen.step("The master's pod is killed, while clients write");
    let old = master(stage, &ALL)?;
    let unit = stage.names.unit(old);
    let written = strike(screen, stage, old, |lab| lab.kill(&unit, &Target::Pod))?;
    ensure_kept(stage, &written)?;
    findings.gaps.push(("pod killed", written.gap));
    screen.passed("another unit is master and recorded; the pod is back as its replica");
    Ok(())
}

fn redis_is_killed(screen: &mut Screen, stage: &mut Stage, findings: &mut Findings) -> Outcome<()> {
    screen.step("The master's redis-server is killed");
    let old = master(stage, &ALL)?;
    let unit = stage.names.unit(old);
    let redis = Target::process("redis", "redis-server");
    let written = strike(screen, stage, old, |lab| lab.kill(&unit, &redis))?;
    ensure_kept(stage, &written)?;
    findings.gaps.push(("redis-server killed", written.gap));
    screen.passed("its keeper asked one Sentinel for a failover before it started Redis again");
    Ok(())
}

fn grows(screen: &mut Screen, stage: &mut Stage, findings: &mut Findings) -> Outcome<()> {
    screen.step("juju scale-application redis-k8s 5");
    let old = master(stage, &ALL)?;
    let writers = stage.writers(old, &ALL)?;
    stage.begin();
    stage.lab.scale(&stage.names.application, 5)?;
    let now = stage.until_whole(screen, &FIVE)?;
    ensure(now == old, "the master has changed")?;
    let written = stage.stop(screen, writers)?;
    stage.show_sentinels(screen, &FIVE);
    show::hooks(screen, &stage.since());
    for unit in FIVE {
        ensure(stage.redis(unit, &format!("GET {KEY}"))? == VALUE, "a unit has not the key")?;
    }
    ensure_kept(stage, &written)?;
    findings.gaps.push(("two units more", written.gap));
    screen.passed("two units more have the data; the quorum follows, the master stays");
    Ok(())
}

fn shrinks(screen: &mut Screen, stage: &mut Stage, findings: &mut Findings) -> Outcome<()> {
    screen.step("juju scale-application redis-k8s 3");
    let old = master(stage, &FIVE)?;
    let writers = stage.writers(0, &ALL)?;
    stage.begin();
    stage.lab.scale(&stage.names.application, 3)?;
    let now = stage.until_whole(screen, &ALL)?;
    ensure(!ALL.contains(&old) || now == old, "the master has changed")?;
    let names = stage.names.clone();
    stage.until(screen, "nobody is noted as leaving", |lab| {
        (!lab.databag(&names.application).contains_key("leaving")).then_some(())
    })?;
    let written = stage.stop(screen, writers)?;
    stage.show_sentinels(screen, &ALL);
    show::hooks(screen, &stage.since());
    ensure_kept(stage, &written)?;
    ensure(stage.resets() == 0, "a Sentinel was reset")?;
    findings.gaps.push(("two units less", written.gap));
    screen.passed("each Sentinel has forgotten the two in its own pod; none was RESET");
    Ok(())
}

fn pod_is_stopped(screen: &mut Screen, stage: &mut Stage, findings: &mut Findings) -> Outcome<()> {
    screen.step("kubectl delete pod: the master's is told to end");
    let old = master(stage, &ALL)?;
    let unit = stage.names.unit(old);
    let written = strike(screen, stage, old, |lab| lab.delete_pod(&unit))?;
    ensure_kept(stage, &written)?;
    findings.gaps.push(("pod stopped", written.gap));
    screen.passed("it handed over before it ended; another unit is master and recorded");
    Ok(())
}

/// Something befalls the master while clients write in another pod; until all is well again, with
/// another master, which is recorded.
fn strike<E: std::error::Error + 'static>(
    screen: &mut Screen,
    stage: &mut Stage,
    old: u32,
    blow: impl FnOnce(&Lab) -> Result<(), E>,
) -> Outcome<Written> {
    let others: Vec<u32> = ALL.into_iter().filter(|unit| *unit != old).collect();
    let at = *others.first().ok_or("there is no other unit")?;
    let writers = stage.writers(at, &others)?;
    stage.begin();
    blow(&stage.lab)?;
    let names = stage.names.clone();
    let new = stage.until(screen, "another Redis is master", |lab| {
        let is_master =
            |unit: &&u32| matches!(lab.redis_role(&names.unit(**unit)), Ok(Role::Master { .. }));
        others.iter().find(is_master).copied()
    })?;
    let recorded = stage.names.host(new);
    let application = stage.names.application.clone();
    stage.until(screen, "the record follows", |lab| {
        (lab.databag(&application).get("leader-host") == Some(&recorded)).then_some(())
    })?;
    // A container that is new is answered for by its pebble-ready, some seconds later.
    if stage.since().iter().any(|entry| matches!(entry.what, What::Pod { .. })) {
        let begun = stage.lab.trace().len() - stage.since().len();
        stage.until(screen, "every pebble-ready has been answered", |lab| {
            let entries = lab.trace().entries_from(begun);
            let ready = |event| has_ended(&entries, &names.unit(old), event);
            READY.into_iter().all(ready).then_some(())
        })?;
    }
    let master = stage.until_whole(screen, &ALL)?;
    ensure(master == new, "the master has changed once more")?;
    let written = stage.stop(screen, writers)?;
    stage.show_sentinels(screen, &ALL);
    show::hooks(screen, &stage.since());
    Ok(written)
}

fn master(stage: &Stage, units: &[u32]) -> Outcome<u32> {
    Ok(stage.lab.whole(&stage.names.application, units)?)
}

fn ensure_kept(stage: &Stage, written: &Written) -> Outcome<()> {
    ensure(written.lost == 0, &format!("{} acknowledged writes are lost", written.lost))?;
    for unit in ALL {
        ensure(stage.redis(unit, &format!("GET {KEY}"))? == VALUE, "the key is lost")?;
    }
    Ok(())
}

fn has_ended(entries: &[Entry], of: &str, name: &str) -> bool {
    entries.iter().any(|entry| {
        matches!(&entry.what, What::EventEnded { unit, event, .. } if unit == of && event == name)
    })
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn size_in_megabytes(size: u64) -> f64 {
    size as f64 / 1e6
}

const ALL: [u32; 3] = [0, 1, 2];
const FIVE: [u32; 5] = [0, 1, 2, 3, 4];
const READY: [&str; 2] = ["redis-pebble-ready", "sentinel-pebble-ready"];
const KEY: &str = "greeting";
const VALUE: &str = "hello";
