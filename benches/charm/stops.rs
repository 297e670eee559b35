//! Planned stops: the master's pod is told to end, and all pods are rolled, while clients write.

use std::time::Duration;
use std::time::Instant;

use serde_json::json;
use testbed::wait;

use crate::Outcome;
use crate::bar::Measured;
use crate::deaths::bar;
use crate::deaths::line;
use crate::deaths::samples;
use crate::deployment::Deployment;
use crate::figures::seconds;
use crate::programs::Programs;

/// Stops and one roll in one deployment of three units.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let deployment = Deployment::of(programs, 3)?;
    let mut told = Vec::new();
    let mut stops = Vec::new();
    for _ in 0..STOPS {
        stops.push(deployment.strike(3, |it, master| {
            told.push(stop(it, master)?);
            Ok(())
        })?);
    }
    deployment.active()?;
    // In a pod that is rolled the clients would see no more than half of it.
    deployment.lab.deploy(deployment.charm.path(), OUTSIDER, 1)?;
    deployment.lab.wait_for_active(OUTSIDER, LIMIT)?;
    let roll = deployment.strike_seen_from(&format!("{OUTSIDER}/0"), 3, |it, _| {
        it.lab.refresh(&it.names.application, it.charm.path())?;
        it.active()
    })?;
    let mut details = vec![
        format!(
            "{STOPS} times, in one deployment of three units; two clients as above. The roll is a \
             refresh to the same charm: pod after pod, the highest first. It took {}, and nobody could \
             write for {} at most.",
            seconds(roll.whole),
            seconds(roll.gap)
        ),
        String::new(),
        format!("- pod stopped: {}", line(&stops)),
        String::new(),
        "What the last stopped master's keeper said, with the seconds since the order:".to_owned(),
        String::new(),
    ];
    details.extend(told.last().into_iter().flatten().map(|said| format!("- {said}")));
    Ok(Measured {
        bars: vec![
            bar("the master's pod stopped, until writes are acknowledged", "≤ 2 s", &stops, 2.0),
            bar("all pods rolled, longest time without a write", "≤ 2 s", &[roll], 2.0),
        ],
        details,
        samples: json!({ "stops": samples(&stops), "roll": samples(&[roll]), "keeper": told }),
    })
}

/// Stops a pod, and gives what its keeper says from then on, with the time.
fn stop(deployment: &Deployment, unit: u32) -> Outcome<Vec<String>> {
    let name = deployment.names.unit(unit);
    let pod = deployment.lab.pod(&name)?;
    let mut read = pod.log("redis").len();
    let begun = Instant::now();
    let mut said = Vec::new();
    deployment.lab.delete_pod(&name)?;
    wait::until("another pod takes its place", LIMIT, || {
        let log = pod.log("redis");
        let news = log.get(read..).unwrap_or_default();
        let whole = news.rfind('\n').map_or(0, |end| end + 1);
        read += whole;
        let lines = news.get(..whole).unwrap_or_default().lines();
        for line in lines.filter_map(|line| Some(line.split_once(" [redis] ")?.1)) {
            said.push(format!("{} {line}", seconds(begun.elapsed())));
        }
        let is_new = deployment.lab.pod(&name).is_ok_and(|it| it.address() != pod.address());
        is_new.then_some(())
    })?;
    Ok(said)
}

/// An application that is not rolled.
const OUTSIDER: &str = "outsider";

const STOPS: usize = 4;

/// A pod has 30 s to end.
const LIMIT: Duration = Duration::from_mins(1);
