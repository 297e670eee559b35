//! Where the story is played: pods, a Juju model beside them, and the program that answers its hooks.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use testbed::bed::Bed;
use testbed::juju::controller::Controller;
use testbed::juju::hook::Hook;
use testbed::juju::model::Model;
use testbed::juju::model::Status;
use testbed::juju::run::Commit;
use testbed::juju::run::Exit;
use testbed::juju::run::HookRun;
use testbed::layout::Layout;
use testbed::transcript::lines_that_leak;

use crate::Outcome;
use crate::screen::Screen;
use crate::show;

/// The application databag of the peer relation.
pub(crate) type Databag = BTreeMap<String, String>;

/// Pods, model and program.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) bed: Bed,
    pub(crate) controller: Controller,
    dispatch: PathBuf,
    /// Name, unit and result of each hook so far.
    pub(crate) hooks: Vec<(String, u32, HookRun)>,
}

impl Stage {
    /// Empty pods, and a model without a leader.
    pub(crate) fn set(dispatch: &Path, units: u32) -> Outcome<Self> {
        let shown = dispatch.parent().map(Path::to_owned).into_iter().collect();
        let layout = Layout { units, servers: false, shown, ..Layout::default() };
        let controller = Controller::new(Model::application(&layout.names.application, units))?;
        let bed = Bed::start(layout)?;
        Ok(Self { bed, controller, dispatch: dispatch.to_owned(), hooks: Vec::new() })
    }

    /// A unit's name.
    pub(crate) fn unit(&self, number: u32) -> String {
        self.bed.layout().names.unit(number)
    }

    /// The application databag, as committed.
    pub(crate) fn databag(&self) -> Databag {
        let application = &self.bed.layout().names.application;
        self.controller.read(|model| {
            let peers = model.relation(PEERS);
            peers.and_then(|it| it.application_data.get(application)).cloned().unwrap_or_default()
        })
    }

    /// One value of it.
    pub(crate) fn recorded(&self, key: &str) -> Outcome<String> {
        let found = self.databag().remove(key);
        found.ok_or_else(|| format!("the databag has no {key}").into())
    }

    /// A unit's status.
    pub(crate) fn status(&self, number: u32) -> Option<Status> {
        let unit = self.unit(number);
        self.controller.read(|model| model.unit(&unit).map(|it| it.status.clone()))
    }

    /// Runs a hook in its unit's pod and shows what it did; it has to end well.
    pub(crate) fn hook(
        &mut self,
        screen: &mut Screen,
        number: u32,
        name: &str,
    ) -> Outcome<HookRun> {
        let unit = self.unit(number);
        let before = self.databag();
        // It may be another pod than before.
        self.controller.set_place(&unit, self.bed.pod(number)?.pod()?);
        let command = self.controller.command(&unit, &self.dispatch)?;
        let run = self.controller.start(Hook::new(&unit, name), command)?.finish(LONGEST_HOOK)?;
        show::hook(screen, &unit, name, &run);
        show::databag(screen, &self.bed.layout().names, &before, &self.databag());
        show::log(screen, &self.bed.layout().names, &run);
        show::status(screen, &unit, self.status(number).as_ref());
        if run.exit != Exit::Code(0) || run.commit != Commit::Committed {
            let said = format!("{}{}", run.stdout, run.stderr);
            let why = format!("{name} on {unit} ended with {:?}, {:?}", run.exit, run.commit);
            return Err(format!("{why}; it printed:\n{said}").into());
        }
        self.hooks.push((name.to_owned(), number, run.clone()));
        Ok(run)
    }

    /// Shows what the Sentinel of each pod that is there knows.
    pub(crate) fn show_sentinels(&self, screen: &mut Screen) {
        let names = &self.bed.layout().names;
        show::sentinels_heading(screen);
        for pod in self.bed.pods() {
            show::sentinel(screen, names, pod.unit(), pod.sentinel_view().ok().as_ref());
        }
    }

    /// How often a Sentinel of a pod that is there was reset.
    pub(crate) fn resets(&self) -> usize {
        let logs = self.bed.pods().into_iter().map(|pod| pod.sentinel_log());
        logs.map(|log| log.matches("+reset-master").count()).sum()
    }

    /// Everything that was said where others may read it.
    pub(crate) fn said(&self) -> String {
        let logs = self.bed.pods().into_iter().map(|pod| pod.redis_log() + &pod.sentinel_log());
        let logs: String = logs.collect();
        [self.controller.transcript(), self.bed.argv_transcript(), logs].join("\n")
    }

    /// The lines of a text that hold a password of the databag. The search is first shown to find one.
    pub(crate) fn leaks(&self, text: &str) -> Outcome<Vec<String>> {
        let bag = self.databag();
        let secrets: Vec<&str> =
            PASSWORDS.iter().filter_map(|key| bag.get(*key)).map(String::as_str).collect();
        for secret in &secrets {
            if lines_that_leak(&format!("AUTH {secret}"), &secrets).is_empty() {
                return Err("the search for passwords finds nothing".into());
            }
        }
        Ok(lines_that_leak(text, &secrets))
    }
}

/// An error in words unless the condition holds.
pub(crate) fn ensure(holds: bool, otherwise: &str) -> Outcome<()> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// How often a hook ran a tool.
pub(crate) fn count(run: &HookRun, tool: &str) -> usize {
    run.calls.iter().filter(|call| call.argv.first().is_some_and(|name| name == tool)).count()
}

/// The keys of the databag that nobody may see.
pub(crate) const PASSWORDS: [&str; 2] = ["redis-password", "sentinel-password"];

/// The peer relation's number in the model.
const PEERS: u32 = 0;

/// A hook that runs longer has broken its promise of 20 s.
const LONGEST_HOOK: Duration = Duration::from_secs(25);
