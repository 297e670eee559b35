//! A census of 3, 9 and 25 units in which one third drops every packet.

use std::time::Duration;

use serde_json::json;

use crate::Outcome;
use crate::bar::Bar;
use crate::bar::Measured;
use crate::figures::Spread;
use crate::figures::all_milliseconds;
use crate::figures::milliseconds;
use crate::programs::Programs;
use crate::scene::Scene;

/// leader-elected on unit 0, first with all, then without the last third.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let mut bars = Vec::new();
    let mut samples = Vec::new();
    for units in [3, 9, 25] {
        let scene = Scene::healthy(programs, units)?;
        let elections = || -> Outcome<Vec<Duration>> {
            let run = || scene.measure(0, "leader-elected", programs, &[&programs.dispatch]);
            (0..RUNS).map(|_| Ok(run()?.1.time)).collect()
        };
        let healthy = elections()?;
        let silent = units / 3;
        for unit in units - silent..units {
            scene.bed.isolate(unit)?;
        }
        let disturbed = elections()?;
        let (before, after) = (Spread::of(&healthy), Spread::of(&disturbed));
        let over = milliseconds(after.most) - milliseconds(before.median);
        bars.push(Bar {
            what: format!("leader-elected, {silent} of {units} units drop packets"),
            promise: "≤ 1.5 s over the healthy time",
            measured: format!("{}: at most {over:.0} ms over", after.text()),
            floor: format!("healthy: {}", before.text()),
            python: "about 1 s for each and command",
            holds: Some(over <= 1500.0),
        });
        samples.push(json!({
            "units": units,
            "silent": silent,
            "healthy_ms": all_milliseconds(&healthy),
            "disturbed_ms": all_milliseconds(&disturbed),
        }));
    }
    let details = vec![format!(
        "{RUNS} runs each. Beside the bare program stands the same hook with all units answering."
    )];
    Ok(Measured { bars, details, samples: json!(samples) })
}

const RUNS: usize = 5;
