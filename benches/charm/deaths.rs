//! The master dies while clients write: its process alone, and its whole pod.

use std::time::Duration;

use serde_json::json;
use testbed::lab::target::Target;

use crate::Outcome;
use crate::bar::Bar;
use crate::bar::Measured;
use crate::deployment::Deployment;
use crate::deployment::Struck;
use crate::figures::seconds;
use crate::programs::Programs;

/// Each several times, in one deployment of three units.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let deployment = Deployment::of(programs, 3)?;
    let kill = |target: &Target| {
        let blow =
            |it: &Deployment, master: u32| Ok(it.lab.kill(&it.names.unit(master), target)?);
        (0..TIMES).map(|_| deployment.strike(3, blow)).collect::<Outcome<Vec<Struck>>>()
    };
    let of_redis = kill(&Target::process("redis", "redis-server"))?;
    let of_pods = kill(&Target::Pod)?;
    Ok(Measured {
        bars: vec![
            bar(
                "the master's redis-server killed, until writes are acknowledged",
                "≤ 3 s",
                &of_redis,
                3.0,
            ),
            bar("the master's pod killed, until writes are acknowledged", "≤ 6.5 s", &of_pods, 6.5),
        ],
        details: vec![
            format!(
                "{TIMES} times each, in one deployment of three units, each time as soon as the units \
                 are a whole again. Two clients write every 10 ms in another pod, one asks Sentinel for \
                 each write, one only after an error; a write counts when a replica has it too. \
                 Down-after is 5 s."
            ),
            String::new(),
            format!("- redis-server killed: {}", line(&of_redis)),
            format!("- pod killed: {}", line(&of_pods)),
        ],
        samples: json!({ "redis_server": samples(&of_redis), "pod": samples(&of_pods) }),
    })
}

/// A bar of the longest time in which no write was acknowledged; nothing that was may be lost.
pub(crate) fn bar(what: &str, promise: &'static str, all: &[Struck], most: f64) -> Bar {
    let worst = all.iter().map(|it| it.gap).max().unwrap_or_default();
    let lost: usize = all.iter().map(|it| it.lost).sum();
    Bar {
        what: what.to_owned(),
        promise,
        measured: format!("worst of {}: {}, {lost} lost", all.len(), seconds(worst)),
        floor: "-".into(),
        python: "-",
        holds: Some(lost == 0 && worst <= Duration::from_secs_f64(most)),
    }
}

/// Each time without a write, and until the units were a whole.
pub(crate) fn line(all: &[Struck]) -> String {
    let each = all.iter().map(|it| {
        let Struck { old, new, gap, whole, .. } = it;
        format!("{old} → {new}: {}, whole after {}", seconds(*gap), seconds(*whole))
    });
    each.collect::<Vec<_>>().join("; ")
}

/// All of it.
pub(crate) fn samples(all: &[Struck]) -> serde_json::Value {
    let each = all.iter().map(|it| {
        json!({
            "old": it.old,
            "new": it.new,
            "gap_s": it.gap.as_secs_f64(),
            "lost": it.lost,
            "whole_s": it.whole.as_secs_f64(),
        })
    });
    each.collect()
}

const TIMES: usize = 4;
