//! The story, step by step.

use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use testbed::redis::answers::Role;
use testbed::wait;

use crate::Outcome;
use crate::paint::Paint;
use crate::screen::Screen;
use crate::show;
use crate::stage::Stage;
use crate::stage::count;
use crate::stage::ensure;
use crate::summary;
use crate::summary::Findings;
use crate::watch::Watch;
use crate::workload;

/// Plays it from the first election to the last summary.
pub(crate) fn tell(screen: &mut Screen, dispatch: &Path) -> Outcome<()> {
    let begun = Instant::now();
    let shown = dispatch.display().to_string();
    let dispatch = dispatch
        .canonicalize()
        .map_err(|error| format!("cannot find {shown}: {error}; `make demo` builds it"))?;
    let size = dispatch.metadata()?.len();
    screen.title("Charmed Redis in Rust: one application of three units, through a failover");
    screen.remark(&format!(
        "{shown} ({:.2} MB), Redis, Sentinel and all hook tools below are processes of this run. \
         Juju and the pods are the test bed's: containers on this machine.",
        size_in_megabytes(size)
    ));
    let mut stage = Stage::set(&dispatch, UNITS)?;
    let names = stage.bed.layout().names.clone();
    screen.remark(&format!("A host's … is {}", show::shared_part(&names)));

    let mut findings = Findings::default();
    first_election(screen, &mut stage)?;
    workload_starts(screen, &stage)?;
    first_start_ends(screen, &mut stage)?;
    master_is_killed(screen, &stage, &mut findings)?;
    new_leader(screen, &mut stage)?;
    killed_pod_returns(screen, &mut stage)?;
    unit_is_removed(screen, &mut stage, &mut findings)?;
    summary::tell(screen, &stage, &findings, begun.elapsed())
}

fn first_election(screen: &mut Screen, stage: &mut Stage) -> Outcome<()> {
    screen.step("A first election");
    screen.remark("Three pods without servers, an empty databag; Juju makes unit 0 leader.");
    stage.controller.set_leader(&stage.unit(0));
    let run = stage.hook(screen, 0, "leader-elected")?;
    ensure(count(&run, "relation-set") == 1, "there was not exactly one relation-set")?;
    ensure(stage.recorded("leader-host")? == stage.bed.host(0), "leader-host is not unit 0")?;
    ensure(stage.recorded("bootstrap")? == stage.bed.host(0), "bootstrap is not unit 0")?;
    ensure(
        stage.recorded("redis-password")? != stage.recorded("sentinel-password")?,
        "both passwords are the same",
    )?;
    screen.passed("passwords, leader-host and bootstrap in one relation-set");
    Ok(())
}

fn workload_starts(screen: &mut Screen, stage: &Stage) -> Outcome<()> {
    screen.step("Three pods come up");
    screen.remark(
        "The test bed plays the workload's part, which is not the charm's yet: it renders \
         redis.conf and sentinel.conf from the databag (host names, down-after 5000, \
         failover-timeout 10000, sentinel-pass, a stable myid, every unit known), starts both \
         through the Pebbles of their containers, and prefers unit 2 last as master.",
    );
    workload::start(stage, &ALL)?;
    let master = stage.bed.settle(&ALL, SETTLE)?;
    stage.show_sentinels(screen);
    ensure(master == 0, "the master is not unit 0")?;
    stage.bed.pod(0)?.redis(&format!("SET {KEY} {VALUE}"))?;
    let copies = stage.bed.pod(0)?.redis("WAIT 2 5000")?.text();
    ensure(copies == "2", "the key did not reach both replicas")?;
    screen.passed("every Sentinel knows every unit; a key is on all three Redis");
    Ok(())
}

fn first_start_ends(screen: &mut Screen, stage: &mut Stage) -> Outcome<()> {
    screen.step("The first start ends");
    stage.hook(screen, 0, "start")?;
    ensure(!stage.databag().contains_key("bootstrap"), "bootstrap is still in the databag")?;
    ensure(stage.recorded("master-epoch")? == "0", "master-epoch is not 0")?;
    ensure_active(stage, 0)?;
    screen.passed("the vote is recorded with its epoch; from now on Sentinel decides");
    Ok(())
}

fn master_is_killed(screen: &mut Screen, stage: &Stage, findings: &mut Findings) -> Outcome<()> {
    screen.step("The master's pod is killed");
    let mut watch = Watch::begin(&stage.bed, &[1, 2])?;
    stage.bed.remove(0)?;
    screen.row("0.0 s", Paint::Red, "the pod of redis-k8s/0 is gone, with its address and name");
    let (master, took) = watch.until_failed_over(screen, &stage.bed, 0)?;
    stage.show_sentinels(screen);
    ensure(master == 1, "the new master is not unit 1")?;
    let pod = stage.bed.pod(1)?;
    wait::until("Redis of unit 1 is master", SETTLE, || {
        matches!(pod.redis_role(), Ok(Role::Master { .. })).then_some(())
    })?;
    let kept = pod.redis(&format!("GET {KEY}"))?.text();
    ensure(kept == VALUE, "the key is lost")?;
    ensure(stage.recorded("leader-host")? == stage.bed.host(0), "the databag has changed")?;
    findings.failed_over_in = took;
    screen.passed("Sentinel has made unit 1 master, the key is there; the databag is behind");
    Ok(())
}

fn new_leader(screen: &mut Screen, stage: &mut Stage) -> Outcome<()> {
    screen.step("Juju makes redis-k8s/1 leader");
    stage.controller.set_leader(&stage.unit(1));
    let run = stage.hook(screen, 1, "leader-elected")?;
    stage.show_sentinels(screen);
    ensure(stage.recorded("leader-host")? == stage.bed.host(1), "leader-host is not unit 1")?;
    ensure(stage.recorded("master-epoch")? != "0", "master-epoch is still 0")?;
    ensure(count(&run, "relation-set") == 1, "there was not exactly one relation-set")?;
    ensure(stage.resets() == 0, "a Sentinel was reset")?;
    screen.passed("the databag names the master that was voted; no Sentinel was reset");
    Ok(())
}

fn killed_pod_returns(screen: &mut Screen, stage: &mut Stage) -> Outcome<()> {
    screen.step("The killed pod comes back");
    let pod = stage.bed.add(0)?;
    screen.remark(&format!(
        "At a new address, {}, with its volume. The test bed renders its files anew from the \
         databag: a replica of the recorded master.",
        pod.address()?
    ));
    workload::start(stage, &[0])?;
    let master = stage.bed.settle(&ALL, SETTLE)?;
    stage.show_sentinels(screen);
    ensure(master == 1, "the master is not unit 1 any more")?;
    stage.hook(screen, 0, "start")?;
    ensure_active(stage, 0)?;
    screen.passed("unit 0 is a replica, every Sentinel knows every unit again");
    Ok(())
}

fn unit_is_removed(screen: &mut Screen, stage: &mut Stage, findings: &mut Findings) -> Outcome<()> {
    screen.step("redis-k8s/2 is removed");
    stage.controller.edit(|model| model.remove_unit("redis-k8s/2"));
    stage.bed.remove(2)?;
    let pod = stage.bed.pod(1)?;
    wait::until("the master lists unit 2 no more", SETTLE, || {
        let left = Role::Master { replicas: vec![stage.bed.host(0)] };
        (pod.redis_role().ok() == Some(left)).then_some(())
    })?;
    screen.remark("Its pod is gone. The Sentinels of units 0 and 1 still count it:");
    stage.show_sentinels(screen);
    for _ in 0..RUNS_TO_FORGET {
        let run = stage.hook(screen, 1, "update-status")?;
        findings.forgot_in += run.elapsed;
        // A charm that is done says so, and then its Sentinels' views are exact.
        if stage.status(1).is_some_and(|it| it.status == "active") {
            break;
        }
        screen.remark("Not all is forgotten yet; the next event goes on.");
    }
    let master = stage.bed.settle(&STAYING, BRIEF)?;
    stage.show_sentinels(screen);
    ensure(master == 1, "the master is not unit 1 any more")?;
    findings.resets = stage.resets();
    ensure(findings.resets == 2, "not exactly the two stale Sentinels were reset")?;
    screen.passed("both Sentinels have forgotten unit 2, one after the other, and nobody else");
    Ok(())
}

fn ensure_active(stage: &Stage, unit: u32) -> Outcome<()> {
    let status = stage.status(unit).map(|it| it.status).unwrap_or_default();
    ensure(status == "active", &format!("unit {unit} is {status}, not active"))
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn size_in_megabytes(size: u64) -> f64 {
    size as f64 / 1e6
}

const UNITS: u32 = 3;
const ALL: [u32; 3] = [0, 1, 2];
const STAYING: [u32; 2] = [0, 1];
const KEY: &str = "greeting";
const VALUE: &str = "hello";

/// Sentinels learn of one another by hellos and INFO, every 2 s and every 10 s.
const SETTLE: Duration = Duration::from_secs(25);

/// For what should be so already.
const BRIEF: Duration = Duration::from_secs(3);

/// How many events of the leader may take part in forgetting.
const RUNS_TO_FORGET: usize = 3;
