//! A replica's pod is started again: after a clean stop, and after a kill; with three sizes of data.

use std::time::Duration;
use std::time::Instant;

use serde_json::json;
use testbed::lab::Lab;
use testbed::lab::error::LabError;
use testbed::lab::target::Target;
use testbed::wait;

use crate::Outcome;
use crate::bar::Bar;
use crate::bar::Measured;
use crate::deployment::Deployment;
use crate::figures::seconds;
use crate::programs::Programs;

/// In one deployment of three units, whose data grow.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let deployment = Deployment::of(programs, 3)?;
    let mut bars = Vec::new();
    let mut samples = Vec::new();
    for keys in [1_000, 100_000, 500_000] {
        let master = deployment.whole(3)?;
        fill(&deployment, master, keys)?;
        for (how, end) in [("stopped", stop as End), ("killed", kill as End)] {
            let again = again(&deployment, end)?;
            let Again { took, partial, size, .. } = again;
            let resync = if partial { "partial" } else { "full" };
            bars.push(Bar {
                what: format!("a replica with {keys} keys {how}, until it is in sync again"),
                promise: "-",
                measured: format!("{}, {resync} resync", seconds(took)),
                floor: "-".into(),
                python: "-",
                holds: None,
            });
            samples.push(json!({
                "keys": keys,
                "bytes": size,
                "how": how,
                "resync": resync,
                "seconds": took.as_secs_f64(),
            }));
        }
    }
    let details = vec![
        "One replica of three, from the order that ends its pod until its link to the master is up; \
         each key holds 100 bytes. Partial or full is what the master counted."
            .to_owned(),
    ];
    Ok(Measured { bars, details, samples: json!(samples) })
}

/// How a pod ends.
type End = fn(&Lab, &str) -> Result<(), LabError>;

fn stop(lab: &Lab, unit: &str) -> Result<(), LabError> {
    lab.delete_pod(unit)
}

fn kill(lab: &Lab, unit: &str) -> Result<(), LabError> {
    lab.kill(unit, &Target::Pod)
}

/// A replica that was started again.
struct Again {
    took: Duration,
    partial: bool,
    /// The memory of the master's data.
    size: u64,
}

fn again(deployment: &Deployment, end: End) -> Outcome<Again> {
    let master = deployment.whole(3)?;
    let replica = (0..3).find(|unit| *unit != master).ok_or("there is no replica")?;
    let name = deployment.names.unit(replica);
    let full_before = deployment.info(master, "sync_full")?;
    let pod = deployment.lab.pod(&name)?.address();
    let begun = Instant::now();
    end(&deployment.lab, &name)?;
    wait::until("the replica is in sync again", LIMIT, || {
        let is_new = deployment.lab.pod(&name).is_ok_and(|it| it.address() != pod);
        let text = is_new.then(|| deployment.redis(replica, "INFO replication").ok())??;
        text.contains("master_link_status:up").then_some(())
    })?;
    let took = begun.elapsed();
    let partial = deployment.info(master, "sync_full")? == full_before;
    deployment.whole(3)?;
    Ok(Again { took, partial, size: deployment.info(master, "used_memory")? })
}

/// Gives the master so many keys, and waits until its replicas have them.
fn fill(deployment: &Deployment, master: u32, keys: usize) -> Outcome<()> {
    let mut from = 0;
    while from < keys {
        let to = keys.min(from + AT_ONCE);
        let script =
            format!("for i={from},{to} do redis.call('SET','bench:'..i,string.rep('x',100)) end");
        deployment.redis(master, &format!("EVAL \"{script}\" 0"))?;
        from = to;
    }
    let copies = deployment.redis(master, "WAIT 2 1900")?;
    if copies == "2" { Ok(()) } else { Err(format!("{copies} replicas have the keys").into()) }
}

/// A script that takes longer than a client waits is of no use.
const AT_ONCE: usize = 5_000;

const LIMIT: Duration = Duration::from_mins(1);
