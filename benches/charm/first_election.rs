//! A first election: hook tools, and wall time in pairs with the bare program.

use std::env;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use testbed::juju::controller::Controller;
use testbed::juju::hook::Hook;
use testbed::juju::model::Model;
use testbed::juju::run::HookRun;

use crate::Outcome;
use crate::bar::Bar;
use crate::bar::Measured;
use crate::figures::Spread;
use crate::figures::all_milliseconds;
use crate::figures::milliseconds;
use crate::programs::Programs;
use crate::programs::list_of_tools;
use crate::scene::APPLICATION;
use crate::scene::ended_well;
use crate::scene::tools;
use crate::scene::unit;

/// Every run finds the same model: three units, an empty databag, unit 0 leader. No pod is needed,
/// as nobody is asked: both programs are started on the machine itself.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let model = Model::application(APPLICATION, 3);
    let controller = Controller::new(model.clone())?;
    let elect = |command: Command| -> Outcome<HookRun> {
        controller.edit(|changed| changed.clone_from(&model));
        controller.set_leader(&unit(0));
        let run = controller.start(Hook::new(&unit(0), "leader-elected"), command)?;
        ended_well(run.finish(LIMIT)?)
    };
    let first = elect(Command::new(&programs.dispatch))?;
    let list = list_of_tools(&first, &env::temp_dir())?;
    let charm = || Command::new(&programs.dispatch);
    let bare_hook = || {
        let mut command = Command::new(&programs.bare_hook);
        command.arg(list.path());
        command
    };
    let mut of_charm = Vec::new();
    let mut of_bare = Vec::new();
    for pair in 0..PAIRS {
        // Who goes first changes, so that neither always finds the caches warm.
        if pair % 2 == 0 {
            of_charm.push(elect(charm())?.elapsed);
            of_bare.push(elect(bare_hook())?.elapsed);
        } else {
            of_bare.push(elect(bare_hook())?.elapsed);
            of_charm.push(elect(charm())?.elapsed);
        }
    }
    let same_tools = tools(&elect(bare_hook())?) == tools(&first);
    if !same_tools {
        return Err("the bare program did not run the same tools".into());
    }
    let (charm, floor) = (Spread::of(&of_charm), Spread::of(&of_bare));
    let ratio = milliseconds(charm.median) / milliseconds(floor.median);
    let names = tools(&first);
    let sets = names.iter().filter(|name| **name == "relation-set").count();
    let bars = vec![
        Bar {
            what: "hook tools run by a first election".into(),
            promise: "≤ 7, exactly one relation-set",
            measured: format!("{}, {sets} relation-set", names.len()),
            floor: names.len().to_string(),
            python: "18",
            holds: Some(names.len() <= 7 && sets == 1),
        },
        Bar {
            what: "wall time of a first election".into(),
            promise: "≤ 1.5 × the bare program",
            measured: format!("{}: {ratio:.2} ×", charm.text()),
            floor: floor.text(),
            python: "0.5-0.6 s",
            holds: Some(ratio <= 1.5),
        },
    ];
    Ok(Measured {
        bars,
        details: vec![
            format!("Tools: {}.", names.join(", ")),
            format!(
                "Wall time: {PAIRS} pairs, turn about, from the start of the process to its end, \
                 hook tools of the test bed included; median (least to most)."
            ),
        ],
        samples: json!({
            "tools": names,
            "dispatch_ms": all_milliseconds(&of_charm),
            "bare_hook_ms": all_milliseconds(&of_bare),
        }),
    })
}

const PAIRS: usize = 100;

const LIMIT: Duration = Duration::from_secs(30);
