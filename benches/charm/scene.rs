//! Pods with real servers, a Juju model beside them, and hooks run in them.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::NamedTempFile;
use testbed::bed::Bed;
use testbed::juju::cloud::Place;
use testbed::juju::controller::Controller;
use testbed::juju::hook::Hook;
use testbed::juju::model::Bag;
use testbed::juju::model::Model;
use testbed::juju::run::Exit;
use testbed::juju::run::HookRun;
use testbed::layout::Layout;

use crate::Outcome;
use crate::programs::Programs;
use crate::programs::Took;

/// A bed, and the model that its databag belongs to.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) bed: Bed,
    pub(crate) controller: Controller,
}

impl Scene {
    /// Healthy pods that know one another; the databag names unit 0, which leads and is master.
    pub(crate) fn healthy(programs: &Programs, units: u32) -> Outcome<Self> {
        Self::of(programs, Layout { units, ..Layout::default() })
    }

    /// The same with another layout.
    pub(crate) fn of(programs: &Programs, layout: Layout) -> Outcome<Self> {
        let layout = Layout { shown: programs.folders(), ..layout };
        let controller = Controller::new(Model::application(APPLICATION, layout.units))?;
        let bed = Bed::start(layout)?;
        for pod in bed.pods() {
            controller.set_place(&unit(pod.unit()), pod.pod()?);
        }
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

    /// A command that runs a program as the charm of a unit, in its pod.
    pub(crate) fn command(&self, number: u32, program: &Path) -> Outcome<Command> {
        Ok(self.controller.command(&unit(number), program)?)
    }

    /// Runs a hook by its name, which has to end with 0, and measures the program alone: what it
    /// takes to get into the container is not the charm's.
    pub(crate) fn measure(
        &self,
        number: u32,
        name: &str,
        programs: &Programs,
        argv: &[&Path],
    ) -> Outcome<(HookRun, Took)> {
        let file = NamedTempFile::new_in(self.juju_directory(number)?)?;
        let mut command = self.command(number, &programs.measure_run)?;
        command.arg(inside(file.path())).args(argv);
        let run = ended_well(self.run(number, Hook::new(&unit(number), name), command)?)?;
        Ok((run, Took::read(file.path())?))
    }

    /// The folder of the machine that a unit's charm has as `/var/lib/juju`.
    pub(crate) fn juju_directory(&self, number: u32) -> Outcome<PathBuf> {
        Ok(self.bed.pod(number)?.pod()?.juju_directory())
    }
}

/// The path of a file in the folder that is `/var/lib/juju` in a charm container, as it is there.
pub(crate) fn inside(file: &Path) -> PathBuf {
    Path::new("/var/lib/juju").join(file.file_name().unwrap_or_default())
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

/// Twenty-five pods on two busy processors take their time.
const SETTLE: Duration = Duration::from_mins(3);

/// Longer than any hook may take.
const LONGEST: Duration = Duration::from_secs(40);
