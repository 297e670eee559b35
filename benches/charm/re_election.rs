//! A healthy re-election: hook tools, resets, and what every Sentinel knew at each instant of it.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testbed::redis::sampler::Sampler;
use testbed::redis::server::SENTINEL_PORT;

use crate::Outcome;
use crate::bar::Bar;
use crate::bar::Measured;
use crate::figures::Spread;
use crate::figures::all_milliseconds;
use crate::figures::milliseconds;
use crate::programs::Programs;
use crate::programs::list_of_tools;
use crate::scene::APPLICATION;
use crate::scene::Scene;
use crate::scene::inside;
use crate::scene::tools;
use crate::scene::unit;

/// Three healthy pods; the lease goes round.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let scene = Scene::healthy(programs, 3)?;
    let password = scene.bed.layout().sentinel_password.clone();
    let mut samplers = Vec::new();
    for pod in scene.bed.pods() {
        let namespace = pod.pod()?;
        samplers.push(Sampler::start(&namespace, SENTINEL_PORT, APPLICATION, password.as_deref())?);
    }
    let mut of_charm = Vec::new();
    let mut of_bare = Vec::new();
    let mut most: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let leader = (round + 1) % 3;
        scene.controller.set_leader(&unit(leader));
        let charm: &[&Path] = &[&programs.dispatch];
        let (run, took) = scene.measure(leader, "leader-elected", programs, charm)?;
        of_charm.push(took.time);
        let names = tools(&run);
        if names.len() > most.len() {
            most = names.into_iter().map(str::to_owned).collect();
        }
        let list = list_of_tools(&run, &scene.juju_directory(leader)?)?;
        let bare: &[&Path] = &[&programs.bare_hook, &inside(list.path())];
        of_bare.push(scene.measure(leader, "leader-elected", programs, bare)?.1.time);
    }
    let summaries: Vec<_> = samplers.iter().map(Sampler::summary).collect();
    drop(samplers);
    let resets: usize = scene
        .bed
        .pods()
        .iter()
        .map(|pod| pod.sentinel_log().matches("+reset-master").count())
        .sum();
    let fewest = summaries.iter().filter_map(|it| it.fewest_replicas).min().unwrap_or(0);
    let gap = summaries.iter().map(|it| it.largest_gap).max().unwrap_or_default();
    let answers: usize = summaries.iter().map(|it| it.answers).sum();
    let failures: usize = summaries.iter().map(|it| it.failures).sum();
    let (charm, floor) = (Spread::of(&of_charm), Spread::of(&of_bare));
    let known = fewest == 2 && failures == 0 && gap < GAP;
    let bars = vec![
        Bar {
            what: "hook tools run by a healthy re-election".into(),
            promise: "≤ 9",
            measured: most.len().to_string(),
            floor: most.len().to_string(),
            python: "23",
            holds: Some(most.len() <= 9),
        },
        Bar {
            what: "Sentinels reset by a healthy re-election".into(),
            promise: "0; replicas known at every instant",
            measured: format!(
                "{resets}; never fewer than {fewest} of 2 known (largest gap between samples {:.0} ms)",
                milliseconds(gap)
            ),
            floor: "0".into(),
            python: "3 of 3; none known for 6.5 s",
            holds: Some(resets == 0 && known),
        },
        Bar {
            what: "wall time of a healthy re-election".into(),
            promise: "-",
            measured: charm.text(),
            floor: floor.text(),
            python: "-",
            holds: None,
        },
    ];
    Ok(Measured {
        bars,
        details: vec![
            format!("Tools: {}.", most.join(", ")),
            format!(
                "{ROUNDS} re-elections of three units. Each Sentinel was asked every 20 ms: {answers} \
                 answers, {failures} failures. Wall times are of the program in its container, without \
                 the way into it."
            ),
        ],
        samples: json!({
            "tools": most,
            "dispatch_ms": all_milliseconds(&of_charm),
            "bare_hook_ms": all_milliseconds(&of_bare),
            "resets": resets,
            "sampler": {
                "answers": answers,
                "failures": failures,
                "fewest_replicas": fewest,
                "largest_gap_ms": milliseconds(gap),
            },
        }),
    })
}

const ROUNDS: u32 = 30;

/// A longer gap could hide what is looked for.
const GAP: Duration = Duration::from_millis(100);
