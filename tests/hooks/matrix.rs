//! Events to be disturbed: each case has a model of its own beside pods that all cases share, so
//! that hundreds of them run in seconds and many at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use testbed::bed::Bed;
use testbed::juju::controller::Controller;
use testbed::juju::hook::Hook;
use testbed::juju::model::Model;
use testbed::juju::run::Commit;
use testbed::juju::run::Exit;
use testbed::juju::run::HookRun;
use testbed::juju::run::RunningHook;

use crate::own_place::OwnPlace;
use crate::scene::APPLICATION;
use crate::scene::HOOK_LIMIT;
use crate::scene::Scene;
use crate::scene::tools;
use crate::scene::unit;
use crate::secrets::PASSWORDS;
use crate::secrets::leaks;
use crate::secrets::said;
use crate::secrets::secrets_of;

/// The events that find the work of a leader-elected that was lost, and itself.
pub(crate) const FOLLOW_UPS: [&str; 4] =
    ["leader-elected", "start", "config-changed", "update-status"];

/// What a unit has deferred before a replay.
pub(crate) const DEFERRED: &str = r#"{"since":1700000000,"tries":3,"why":"a failover"}"#;

/// The pods of all settings: some in which nothing runs yet, and healthy ones.
pub(crate) struct Stage {
    empty: Scene,
    healthy: Scene,
}

/// An event on a model as it is before it.
pub(crate) struct Setting<'a> {
    pub(crate) name: &'static str,
    pub(crate) event: Hook,
    model: Model,
    bed: &'a Bed,
    has_servers: bool,
}

/// A model in which hooks run; it ends with the search for leaked passwords.
pub(crate) struct Case<'a> {
    pub(crate) controller: Controller,
    bed: &'a Bed,
}

/// The databag, with passwords masked, and the status of unit 0.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) bag: BTreeMap<String, String>,
    pub(crate) status: (String, String),
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { empty: Scene::before_the_first_election(3), healthy: Scene::healthy(3) }
    }

    /// A first election; an election by three healthy pods beside a wrong record; the replay of a
    /// deferred one, by an event that has nothing of its own to do.
    pub(crate) fn settings(&self) -> [Setting<'_>; 3] {
        let mut fresh = Model::application(APPLICATION, 3);
        fresh.applications.get_mut(APPLICATION).unwrap().leader = Some(unit(0));
        let layout = self.healthy.bed.layout();
        let mut wrong = fresh.clone();
        let bag = wrong.relations[0].application_data.get_mut(APPLICATION).unwrap();
        bag.insert("redis-password".to_owned(), layout.redis_password.clone().unwrap());
        bag.insert("sentinel-password".to_owned(), layout.sentinel_password.clone().unwrap());
        bag.insert("leader-host".to_owned(), self.healthy.bed.host(2));
        bag.insert("bootstrap".to_owned(), self.healthy.bed.host(2));
        let mut deferred = wrong.clone();
        let state = &mut deferred.unit_mut(&unit(0)).unwrap().state;
        state.insert("deferred".to_owned(), DEFERRED.to_owned());
        let event = Hook::new(&unit(0), "leader-elected");
        let bed = &self.healthy.bed;
        let first = Setting {
            name: "first election",
            event: event.clone(),
            model: fresh,
            bed: &self.empty.bed,
            has_servers: false,
        };
        let correcting =
            Setting { name: "correcting election", event, model: wrong, bed, has_servers: true };
        let event = Hook::pebble_ready(&unit(0), "redis");
        let replay = Setting { name: "replay", event, model: deferred, bed, has_servers: true };
        [first, correcting, replay]
    }
}

impl<'a> Setting<'a> {
    /// The model as it is before the event.
    pub(crate) fn case(&self) -> Case<'a> {
        Case { controller: Controller::new(self.model.clone()).unwrap(), bed: self.bed }
    }

    /// The tools of an undisturbed run, and what it ends in.
    pub(crate) fn undisturbed(&self) -> (Vec<String>, Outcome) {
        let case = self.case();
        let run = case.run(self.event.clone());
        assert_eq!((run.exit, &run.commit), (Exit::Code(0), &Commit::Committed), "{run:#?}");
        let names = tools(&run).into_iter().map(str::to_owned).collect();
        (names, case.outcome())
    }

    /// True when the event is leader-elected itself.
    pub(crate) fn is_election(&self) -> bool {
        self.name != "replay"
    }

    /// After whatever happened in `case` each of these events alone, undisturbed, ends in `wanted`;
    /// a committed password stays as it is.
    pub(crate) fn converges(&self, case: &Case<'_>, follow_ups: &[&str], wanted: &Outcome) {
        for name in follow_ups {
            let next = case.copy();
            let before = next.bag();
            let run = next.run(Hook::new(&unit(0), name));
            assert_eq!((run.exit, &run.commit), (Exit::Code(0), &Commit::Committed), "{run:#?}");
            let mut outcome = next.outcome();
            if !self.has_servers && outcome.status == containers_are_away() {
                // The very first run asks nobody; any later one finds that the containers are away.
                outcome.status.clone_from(&wanted.status);
            }
            assert_eq!(outcome, *wanted, "{}, then {name}: {run:#?}", self.name);
            let after = next.bag();
            for key in PASSWORDS.iter().filter(|key| before.contains_key(**key)) {
                assert!(before[*key] == after[*key], "{key} changed in {name} of {}", self.name);
            }
            let deferred = next.deferred().unwrap_or_default();
            let is_done =
                if self.has_servers { deferred.is_empty() } else { was_looked_at(&deferred) };
            assert!(is_done, "{}, then {name}: {deferred}", self.name);
        }
    }
}

/// The status of a unit in whose pod no Pebble answers.
pub(crate) fn containers_are_away() -> (String, String) {
    ("waiting".to_owned(), "waiting for container redis".to_owned())
}

/// In a first election an entry may stay for want of Sentinels, yet not as the disturbed run left it.
fn was_looked_at(deferred: &str) -> bool {
    deferred.is_empty() || deferred.contains("Sentinels answer")
}

impl Case<'_> {
    /// The same model once more, for what may happen next.
    pub(crate) fn copy(&self) -> Self {
        let model = self.controller.read(Model::clone);
        Self { controller: Controller::new(model).unwrap(), bed: self.bed }
    }

    /// Starts a hook of unit 0 in its pod.
    pub(crate) fn start(&self, hook: Hook) -> RunningHook {
        self.start_in(0, hook)
    }

    fn start_in(&self, number: u32, hook: Hook) -> RunningHook {
        let place = OwnPlace::in_pod(self.bed.pod(number).unwrap().pod().unwrap());
        self.controller.set_place(&unit(number), Arc::new(place));
        let dispatch = Path::new(env!("CARGO_BIN_EXE_dispatch"));
        let command = self.controller.command(&unit(number), dispatch).unwrap();
        self.controller.start(hook, command).unwrap()
    }

    /// Runs a hook of unit 0 to its end, whatever that is.
    pub(crate) fn run(&self, hook: Hook) -> HookRun {
        self.start(hook).finish(HOOK_LIMIT).unwrap()
    }

    /// Runs a hook of another unit to its end.
    pub(crate) fn run_in(&self, number: u32, hook: Hook) -> HookRun {
        self.start_in(number, hook).finish(HOOK_LIMIT).unwrap()
    }

    /// The application databag as committed.
    pub(crate) fn bag(&self) -> BTreeMap<String, String> {
        self.controller.read(|model| model.relations[0].application_data[APPLICATION].clone())
    }

    /// What unit 0 has deferred, as committed.
    pub(crate) fn deferred(&self) -> Option<String> {
        self.controller.read(|model| model.unit(&unit(0)).unwrap().state.get("deferred").cloned())
    }

    pub(crate) fn status(&self) -> (String, String) {
        self.controller.read(|model| {
            let status = &model.unit(&unit(0)).unwrap().status;
            (status.status.clone(), status.message.clone())
        })
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let mut bag = self.bag();
        for key in PASSWORDS {
            bag.entry(key.to_owned()).and_modify(|value| "***".clone_into(value));
        }
        Outcome { bag, status: self.status() }
    }
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            let secrets = secrets_of(&self.controller, None);
            let shown = leaks(&secrets, &said(&self.controller, None));
            assert!(shown.is_empty(), "a password was shown: {shown:#?}");
        }
    }
}

/// A hook that got SIGTERM ends within this, for a pod has 30 s in all to stop.
pub(crate) const AFTER_SIGTERM: Duration = Duration::from_secs(1);
