//! The most memory that a run has at once.

use std::env;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::NamedTempFile;
use testbed::juju::controller::Controller;
use testbed::juju::hook::Hook;
use testbed::juju::model::Model;

use crate::Outcome;
use crate::bar::Bar;
use crate::bar::Measured;
use crate::figures::megabytes;
use crate::programs::Programs;
use crate::programs::Took;
use crate::programs::list_of_tools;
use crate::scene::APPLICATION;
use crate::scene::Scene;
use crate::scene::ended_well;
use crate::scene::unit;

/// A first election, a healthy re-election of three, and one of twenty-five of which eight are silent.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let hook = || Hook::new(&unit(0), "leader-elected");
    let file = NamedTempFile::new()?;

    let controller = Controller::new(Model::application(APPLICATION, 3))?;
    controller.set_leader(&unit(0));
    let mut command = Command::new(&programs.measure_run);
    command.arg(file.path()).arg(&programs.dispatch);
    let first = ended_well(controller.start(hook(), command)?.finish(LIMIT)?)?;
    let of_first = Took::read(file.path())?.memory;

    let list = list_of_tools(&first, &env::temp_dir())?;
    let mut command = Command::new(&programs.measure_run);
    command.arg(file.path()).arg(&programs.bare_hook).arg(list.path());
    ended_well(controller.start(hook(), command)?.finish(LIMIT)?)?;
    let of_bare = Took::read(file.path())?.memory;

    let in_pods = |scene: &Scene| -> Outcome<u64> {
        let took = scene.measure(0, "leader-elected", programs, &[&programs.dispatch])?.1;
        Ok(took.memory)
    };
    let of_three = in_pods(&Scene::healthy(programs, 3)?)?;
    let scene = Scene::healthy(programs, MANY)?;
    for unit in MANY - MANY / 3..MANY {
        scene.bed.isolate(unit)?;
    }
    let of_many = in_pods(&scene)?;

    let most = of_first.max(of_three).max(of_many);
    let bars = vec![Bar {
        what: "memory of a run".into(),
        promise: "≤ 10 MB",
        measured: format!("{} at most", megabytes(most)),
        floor: megabytes(of_bare),
        python: "31-37 MB",
        holds: Some(most <= 10_000_000),
    }];
    Ok(Measured {
        bars,
        details: vec![format!(
            "The largest resident set of the process, as the kernel counts it, pages of the file \
             included: a first election {}, a re-election of three units {}, one of {MANY} units of \
             which {} are silent {}.",
            megabytes(of_first),
            megabytes(of_three),
            MANY / 3,
            megabytes(of_many)
        )],
        samples: json!({
            "first_election_bytes": of_first,
            "three_units_bytes": of_three,
            "twenty_five_units_bytes": of_many,
            "bare_hook_bytes": of_bare,
        }),
    })
}

const MANY: u32 = 25;

const LIMIT: Duration = Duration::from_secs(30);
