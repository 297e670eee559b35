//! Pods with real servers, a Juju model beside them, and hooks run in them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testbed::bed::Bed;
use testbed::juju::controller::Controller;
use testbed::juju::hook::Hook;
use testbed::juju::model::Bag;
use testbed::juju::model::Model;
use testbed::juju::run::Exit;
use testbed::juju::run::HookRun;
use testbed::layout::Layout;

use crate::Outcome;

/// A bed, and the model that its databag belongs to.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) bed: Bed,
    pub(crate) controller: Controller,
}

impl Scene {
    /// Healthy pods that know one another; the databag names unit 0, which leads and is master.
    pub(crate) fn healthy(units: u32) -> Outcome<Self> {
        Self::of(Layout { units, ..Layout::default() })
    }

    /// The same with another layout.
    pub(crate) fn of(layout: Layout) -> Outcome<Self> {
        let controller = Controller::new(Model::application(APPLICATION, layout.units))?;
        let bed = Bed::start(layout)?;
        controller.set_leader(&unit(0));
        let layout = bed.layout();
        let mut bag = Bag::from([
            ("leader-host".to_owned(), bed.host(0)),
            ("master-epoch".to_owned(), "0".to_owned()),
        ]);
        for (key, password) in [
            ("redis-password", &layout.redis_password),
            ("sentinel-password", &layout.sentinel_password),
        ] {
            bag.extend(password.iter().map(|password| (key.to_owned(), password.clone())));
        }
        controller.edit(|model| {
            for relation in &mut model.relations {
                relation.application_data.insert(APPLICATION.to_owned(), bag.clone());
            }
        });
        let units: Vec<u32> = (0..layout.units).collect();
        bed.settle(&units, SETTLE)?;
        Ok(Self { bed, controller })
    }

    /// Runs a hook by that program in its unit's pod.
    pub(crate) fn run(&self, number: u32, hook: Hook, command: Command) -> Outcome<HookRun> {
        let run = self.controller.start(hook, command)?.finish(LONGEST);
        run.map_err(|error| format!("unit {number}: {error}").into())
    }

    /// Runs a hook by its name, which has to end with 0.
    pub(crate) fn hook(&self, number: u32, name: &str, program: &Path) -> Outcome<HookRun> {
        let command = self.bed.pod(number)?.command(program)?;
        ended_well(self.run(number, Hook::new(&unit(number), name), command)?)
    }
}

/// The run again, if it ended with 0.
pub(crate) fn ended_well(run: HookRun) -> Outcome<HookRun> {
    if run.exit == Exit::Code(0) {
        return Ok(run);
    }
    Err(format!("a hook ended with {:?}: {}{}", run.exit, run.stdout, run.stderr).into())
}

/// The names of the tools that a hook ran, in order.
pub(crate) fn tools(run: &HookRun) -> Vec<&str> {
    run.calls.iter().filter_map(|call| call.argv.first()).map(String::as_str).collect()
}

/// A unit's name.
pub(crate) fn unit(number: u32) -> String {
    format!("{APPLICATION}/{number}")
}

/// The application of all scenes.
pub(crate) const APPLICATION: &str = "redis-k8s";

/// Twenty-five pods on two processors take their time.
const SETTLE: Duration = Duration::from_secs(90);

/// Longer than any hook may take.
const LONGEST: Duration = Duration::from_secs(40);
