//! A scene: pods with real servers, a Juju model beside them, and the compiled `dispatch`. Every
//! scene ends with a search for leaked passwords.
//!
//! These are the tests of single hooks, disturbed at any step and in states that no deployment comes
//! to by itself. So the bed starts the servers, the charm container has no Pebble to drive them by,
//! and a hook runs when a test says so. Hooks in Juju's order, on servers that the charm runs, are in
//! `tests/stories`.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use testbed::bed::Bed;
use testbed::juju::controller::Controller;
use testbed::juju::hook::Hook;
use testbed::juju::model::Model;
use testbed::juju::run::Exit;
use testbed::juju::run::HookRun;
use testbed::juju::run::RunningHook;
use testbed::layout::Layout;
use testbed::wait::until;

use crate::secrets::leaks;
use crate::secrets::said;
use crate::secrets::secrets_of;

/// The application of every scene.
pub(crate) const APPLICATION: &str = "redis-k8s";

/// The peer relation's number in the model.
const PEERS: u32 = 0;

/// Longer than any hook may take.
pub(crate) const HOOK_LIMIT: Duration = Duration::from_secs(30);

/// Pods and the model that they belong to.
pub(crate) struct Scene {
    pub(crate) bed: Bed,
    pub(crate) controller: Controller,
}

impl Scene {
    /// Pods without servers and an empty databag; unit 0 leads.
    pub(crate) fn before_the_first_election(units: u32) -> Self {
        Self::with(Layout { units, servers: false, ..Layout::default() })
    }

    /// Healthy pods that know one another; the databag names unit 0, which leads and is master.
    pub(crate) fn healthy(units: u32) -> Self {
        Self::settled(Layout { units, ..Layout::default() })
    }

    /// The same with another layout.
    pub(crate) fn settled(layout: Layout) -> Self {
        let scene = Self::with(layout);
        let layout = scene.bed.layout();
        let host = scene.bed.host(layout.master);
        let passwords = [
            ("redis-password", layout.redis_password.clone()),
            ("sentinel-password", layout.sentinel_password.clone()),
        ];
        scene.record(&[("leader-host", &host), ("master-epoch", "0")]);
        for (key, password) in passwords {
            if let Some(password) = password {
                scene.record(&[(key, &password)]);
            }
        }
        if layout.servers {
            let units: Vec<u32> = (0..layout.units).collect();
            scene.bed.settle(&units, Duration::from_secs(30)).unwrap();
        }
        scene
    }

    /// Pods as the layout says, beside a model whose databag is empty; unit 0 leads.
    pub(crate) fn with(layout: Layout) -> Self {
        let controller = Controller::new(Model::application(APPLICATION, layout.units)).unwrap();
        let bed = Bed::start(layout).unwrap();
        for pod in bed.pods() {
            controller.set_place(&unit(pod.unit()), pod.pod().unwrap());
        }
        controller.set_leader(&unit(0));
        Self { bed, controller }
    }

    /// Writes into the application databag, as an earlier hook would have; an empty value deletes.
    pub(crate) fn record(&self, pairs: &[(&str, &str)]) {
        self.controller.edit(|model| {
            let relation = model.relation_mut(PEERS).unwrap();
            let bag = relation.application_data.entry(APPLICATION.to_owned()).or_default();
            for (key, value) in pairs {
                if value.is_empty() {
                    bag.remove(*key);
                } else {
                    bag.insert((*key).to_owned(), (*value).to_owned());
                }
            }
        });
    }

    /// The application databag as committed.
    pub(crate) fn databag(&self) -> BTreeMap<String, String> {
        self.controller
            .read(|model| model.relation(PEERS).unwrap().application_data[APPLICATION].clone())
    }

    /// A unit's deferred leader-elected, as committed.
    pub(crate) fn deferred(&self, number: u32) -> Option<String> {
        let unit = unit(number);
        self.controller.read(|model| model.unit(&unit).unwrap().state.get("deferred").cloned())
    }

    /// A unit's status: its word and its message.
    pub(crate) fn status(&self, number: u32) -> (String, String) {
        let unit = unit(number);
        self.controller.read(|model| {
            let status = &model.unit(&unit).unwrap().status;
            (status.status.clone(), status.message.clone())
        })
    }

    /// Starts a hook in its unit's pod.
    pub(crate) fn start(&self, number: u32, hook: Hook) -> RunningHook {
        // It may be another pod than before.
        self.controller.set_place(&unit(number), self.bed.pod(number).unwrap().pod().unwrap());
        let dispatch = Path::new(env!("CARGO_BIN_EXE_dispatch"));
        let command = self.controller.command(&unit(number), dispatch).unwrap();
        self.controller.start(hook, command).unwrap()
    }

    /// Runs a hook to its end, whatever that is.
    pub(crate) fn run_hook(&self, number: u32, hook: Hook) -> HookRun {
        self.start(number, hook).finish(HOOK_LIMIT).unwrap()
    }

    /// Runs an undisturbed hook, which ends with 0.
    pub(crate) fn run(&self, number: u32, name: &str) -> HookRun {
        let run = self.run_hook(number, Hook::new(&unit(number), name));
        assert_eq!(run.exit, Exit::Code(0), "{name}: {run:#?}");
        run
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let secrets = secrets_of(&self.controller, Some(&self.bed));
        let shown = leaks(&secrets, &said(&self.controller, Some(&self.bed)));
        assert!(shown.is_empty(), "a password was shown: {shown:#?}");
    }
}

/// A unit's name.
pub(crate) fn unit(number: u32) -> String {
    format!("{APPLICATION}/{number}")
}

/// The names of the tools that a hook ran, in order.
pub(crate) fn tools(run: &HookRun) -> Vec<&str> {
    run.calls.iter().map(|call| call.argv[0].as_str()).collect()
}

/// How often a hook ran a tool.
pub(crate) fn count(run: &HookRun, tool: &str) -> usize {
    tools(run).iter().filter(|name| **name == tool).count()
}

/// Waits for a fact, for as long as a failover may take.
pub(crate) fn eventually<T>(what: &str, check: impl FnMut() -> Option<T>) -> T {
    until(what, Duration::from_secs(40), check).unwrap()
}
