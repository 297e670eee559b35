//! The longest hook: how long leader-elected takes in bad states of the world.

use std::time::Duration;

use serde_json::json;
use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Hook;
use testbed::layout::Layout;
use testbed::wait;

use crate::Outcome;
use crate::bar::Bar;
use crate::bar::Measured;
use crate::programs::Programs;
use crate::scene::APPLICATION;
use crate::scene::Scene;
use crate::scene::unit;

/// A state of the world, and how it comes about. It gives the unit whose hook is run.
type State = (&'static str, fn(&Scene) -> Outcome<u32>);

/// Each state in a scene of its own.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let mut details = Vec::new();
    let mut samples = Vec::new();
    let mut longest = (Duration::ZERO, "");
    for (name, begin) in STATES {
        let scene =
            Scene::of(programs, Layout { failover_timeout: LONG_FAILOVER, ..Layout::default() })?;
        let number = begin(&scene)?;
        let mut hook = Hook::new(&unit(number), "leader-elected");
        if name.contains(HANGING_COMMIT) {
            hook = (AT_COMMIT..AT_COMMIT + 8)
                .fold(hook, |hook, call| hook.fault(call, FaultKind::Hang));
        } else if name.contains(HANGING_TOOL) {
            hook = hook.fault(1, FaultKind::Hang);
        }
        let command = scene.command(number, &programs.dispatch)?;
        let run = scene.run(number, hook, command)?;
        if run.elapsed > longest.0 {
            longest = (run.elapsed, name);
        }
        let seconds = run.elapsed.as_secs_f64();
        details.push(format!("- {name}: {seconds:.2} s, {:?}", run.exit));
        samples.push(json!({
            "state": name,
            "seconds": seconds,
            "exit": format!("{:?}", run.exit),
            "tools": run.calls.len(),
        }));
    }
    let (most, name) = longest;
    let bars = vec![Bar {
        what: format!("longest hook of {} bad states of the world", STATES.len()),
        promise: "20 s",
        measured: format!("{:.1} s ({name})", most.as_secs_f64()),
        floor: "-".into(),
        python: "45 s and more",
        holds: Some(most <= Duration::from_secs(20)),
    }];
    Ok(Measured { bars, details, samples: json!(samples) })
}

const STATES: [State; 8] = [
    ("every Redis and Sentinel is frozen", |scene| {
        for pod in scene.bed.pods() {
            pod.freeze()?;
        }
        Ok(0)
    }),
    ("all other pods drop packets", |scene| {
        scene.bed.isolate(0)?;
        Ok(0)
    }),
    ("the resolver answers nothing", |scene| {
        scene.bed.silence_dns(0)?;
        Ok(0)
    }),
    ("the master's pod was killed just now", |scene| {
        scene.controller.set_leader(&unit(1));
        scene.bed.remove(0)?;
        Ok(1)
    }),
    ("a failover that does not end", |scene| {
        hold_a_failover_open(scene)?;
        Ok(0)
    }),
    ("a failover that does not end, and the resolver answers nothing", |scene| {
        hold_a_failover_open(scene)?;
        scene.bed.silence_dns(0)?;
        Ok(0)
    }),
    ("a hook tool hangs (the first)", |_| Ok(0)),
    ("a failover that does not end, and every hook tool hangs from the commit on", |scene| {
        hold_a_failover_open(scene)?;
        Ok(0)
    }),
];

/// The replica that is chosen is frozen, so that it never says that it was promoted.
fn hold_a_failover_open(scene: &Scene) -> Outcome<()> {
    for unit in [1, 2] {
        scene.bed.pod(unit)?.freeze_redis();
    }
    let pod = scene.bed.pod(1)?;
    pod.sentinel(&format!("SENTINEL FAILOVER {APPLICATION}"))?;
    wait::until("a failover is in progress", Duration::from_secs(5), || {
        let view = pod.sentinel_view().ok()?;
        view.master.has_flag("failover_in_progress").then_some(())
    })?;
    Ok(())
}

const HANGING_TOOL: &str = "a hook tool hangs";
const HANGING_COMMIT: &str = "every hook tool hangs";

/// relation-set or state-set of leader-elected comes after state-get, relation-ids, relation-get,
/// goal-state and is-leader.
const AT_COMMIT: usize = 6;

/// Longer than any hook.
const LONG_FAILOVER: Duration = Duration::from_mins(1);
