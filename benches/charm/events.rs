//! Every hook of a deployment that is scaled and struck: its time, memory, hook tools and Pebble calls;
//! and the keepers' memory.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use testbed::juju::cloud::Place;
use testbed::lab::target::Target;
use testbed::trace::entry::Entry;
use testbed::trace::entry::What;

use crate::Outcome;
use crate::bar::Bar;
use crate::bar::Measured;
use crate::deployment::Deployment;
use crate::figures::megabytes;
use crate::figures::milliseconds;
use crate::programs::Programs;
use crate::programs::Took;

/// Three units are deployed, become five, and three again; the master's Redis is killed, then its pod.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let deployment = Deployment::begin_measured(programs, 3)?;
    let mut places = BTreeSet::new();
    deployment.whole(3)?;
    deployment.active()?;
    let deployed = deployment.lab.trace().age();
    for unit in 0..3 {
        deployment.answered(unit, 0)?;
    }
    see(&deployment, &mut places);
    deployment.lab.scale(&deployment.names.application, 5)?;
    deployment.whole(5)?;
    deployment.active()?;
    for unit in 3..5 {
        deployment.answered(unit, 0)?;
    }
    see(&deployment, &mut places);
    let keepers_of_five = keepers(&deployment);
    deployment.lab.scale(&deployment.names.application, 3)?;
    deployment.active()?;
    let master = deployment.whole(3)?;
    let redis = Target::process("redis", "redis-server");
    deployment.lab.kill(&deployment.names.unit(master), &redis)?;
    let next = deployment.whole(3)?;
    deployment.active()?;
    let before = deployment.lab.trace().len();
    deployment.lab.kill(&deployment.names.unit(next), &Target::Pod)?;
    deployment.answered(next, before)?;
    deployment.whole(3)?;
    deployment.active()?;
    see(&deployment, &mut places);

    let samples = samples(&places)?;
    let entries = deployment.lab.trace().entries();
    let tools = tools(&entries);
    let keepers = keepers_of_five.into_iter().chain(keepers(&deployment)).max();
    let keeper = keepers.ok_or("no keeper runs")?;
    Ok(Measured {
        bars: bars(&samples, keeper, deployed, &entries)?,
        details: details(&samples, &tools),
        samples: json!({
            "hooks": samples.iter().map(Sample::json).collect::<Vec<_>>(),
            "hook_tools": tools,
            "keeper_bytes": keeper,
        }),
    })
}

fn bars(
    samples: &[Sample],
    keeper: u64,
    deployed: Duration,
    entries: &[Entry],
) -> Outcome<Vec<Bar>> {
    let longest = samples.iter().max_by_key(|it| it.took.time).ok_or("no hook was measured")?;
    let largest = samples.iter().max_by_key(|it| it.took.memory).ok_or("no hook was measured")?;
    let time = longest.took.time;
    let ready = entries.iter().filter(|entry| {
        matches!(&entry.what, What::EventBegan { event, .. } if event.ends_with("-pebble-ready"))
    });
    let ready = ready.take(6).map(|entry| entry.at).max().ok_or("no pebble-ready came")?;
    let later = deployed.saturating_sub(ready);
    Ok(vec![
        Bar {
            what: "three units deployed, until all are active and every Sentinel is exact".into(),
            promise: "≤ 30 s after the last pebble-ready",
            measured: format!(
                "{:.1} s after the deploy; the last pebble-ready came after {:.1} s",
                deployed.as_secs_f64(),
                ready.as_secs_f64()
            ),
            floor: "-".into(),
            python: "-",
            holds: Some(later <= Duration::from_secs(30)),
        },
        Bar {
            what: format!("longest of {} hooks of a deployment, scaled and struck", samples.len()),
            promise: "20 s",
            measured: format!("{:.2} s ({})", time.as_secs_f64(), longest.event),
            floor: "-".into(),
            python: "-",
            holds: Some(time <= Duration::from_secs(20)),
        },
        Bar {
            what: "memory of such a hook".into(),
            promise: "≤ 10 MB",
            measured: format!("{} at most ({})", megabytes(largest.took.memory), largest.event),
            floor: "-".into(),
            python: "31-37 MB",
            holds: Some(largest.took.memory <= 10_000_000),
        },
        Bar {
            what: "memory of the keeper, resident".into(),
            promise: "≤ 5 MB",
            measured: format!("{} at most, ever", megabytes(keeper)),
            floor: "-".into(),
            python: "-",
            holds: Some(keeper <= 5_000_000),
        },
    ])
}

fn details(samples: &[Sample], tools: &BTreeMap<String, Vec<usize>>) -> Vec<String> {
    let mut lines = vec![
        "Three units are deployed, become five, and three again; the master's Redis is killed, then \
         its pod. Each hook comes in Juju's order. Time and memory are those of the program alone; \
         calls are what it asked of the Pebbles of both workload containers. Each: median, most."
            .to_owned(),
        String::new(),
        "| event | hooks | time | hook tools | Pebble calls | memory |".to_owned(),
        "| --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    let mut events: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        events.entry(&sample.event).or_default().push(sample);
    }
    for (event, samples) in events {
        let [time, time_most] = middle_and_most(samples.iter().map(|it| it.took.time).collect());
        let [calls, calls_most] = middle_and_most(samples.iter().map(|it| it.requests).collect());
        let [tool, tool_most] = middle_and_most(tools.get(event).cloned().unwrap_or_default());
        let memory = samples.iter().map(|it| it.took.memory).max().unwrap_or_default();
        lines.push(format!(
            "| {event} | {} | {:.1}, {:.1} ms | {tool}, {tool_most} | {calls}, {calls_most} | {} |",
            samples.len(),
            milliseconds(time),
            milliseconds(time_most),
            megabytes(memory)
        ));
    }
    lines
}

fn middle_and_most<T: Ord + Copy + Default>(mut values: Vec<T>) -> [T; 2] {
    values.sort_unstable();
    let middle = values.get(values.len() / 2).copied().unwrap_or_default();
    [middle, values.last().copied().unwrap_or_default()]
}

/// What one hook took.
#[derive(Debug)]
struct Sample {
    event: String,
    took: Took,
    requests: usize,
}

impl Sample {
    fn json(&self) -> serde_json::Value {
        json!({
            "event": self.event,
            "ms": milliseconds(self.took.time),
            "bytes": self.took.memory,
            "pebble_calls": self.requests,
        })
    }
}

/// Notes the folders in which the hooks of the pods that are there leave their measurements.
fn see(deployment: &Deployment, places: &mut BTreeSet<PathBuf>) {
    for status in deployment.lab.pods() {
        if let Ok(pod) = deployment.lab.pod(&status.unit) {
            places.insert(Place::juju_directory(&*pod).join("measured"));
        }
    }
}

/// All measurements in these folders; those of a pod that is gone may be gone with it.
fn samples(places: &BTreeSet<PathBuf>) -> Outcome<Vec<Sample>> {
    let mut samples = Vec::new();
    for place in places {
        let files = fs::read_dir(place).into_iter().flatten().flatten().map(|file| file.path());
        // A hook whose pod was killed has left nothing.
        for took in files.filter(|file| file.extension().is_some_and(|it| it == "took")) {
            let Ok(requests) = fs::read_to_string(took.with_extension("requests")) else {
                continue;
            };
            let name = took.file_stem().and_then(|it| Path::new(it).file_stem());
            samples.push(Sample {
                event: name.unwrap_or_default().to_string_lossy().into_owned(),
                took: Took::read(&took)?,
                requests: requests.trim().parse()?,
            });
        }
    }
    Ok(samples)
}

/// How many hook tools each hook ran, by event.
fn tools(entries: &[Entry]) -> BTreeMap<String, Vec<usize>> {
    let mut running: BTreeMap<&str, usize> = BTreeMap::new();
    let mut tools: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for entry in entries {
        if let What::EventBegan { unit, .. } = &entry.what {
            running.insert(unit, 0);
        } else if let What::Tool { unit, .. } = &entry.what {
            *running.entry(unit).or_default() += 1;
        } else if let What::EventEnded { unit, event, .. } = &entry.what {
            let count = running.remove(unit.as_str()).unwrap_or_default();
            tools.entry(event.clone()).or_default().push(count);
        }
    }
    tools
}

/// The most memory that each keeper ever had resident.
fn keepers(deployment: &Deployment) -> Vec<u64> {
    let pods = deployment.lab.pods().into_iter();
    let pods = pods.filter_map(|status| deployment.lab.pod(&status.unit).ok());
    let processes = pods.flat_map(|pod| pod.processes("redis"));
    processes.filter_map(keeper_memory).collect()
}

fn keeper_memory(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let field = |name| {
        text.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    };
    field("Name").filter(|name| *name == "redis-keeper")?;
    let kibibytes: u64 = field("VmHWM")?.strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
