//! A model with the recording charm, as a test uses it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use testbed::juju::clock::Clock;
use testbed::juju::controller::Controller;
use testbed::juju::model::Life;
use testbed::juju::model::Model;
use testbed::juju::operator::Deploy;
use testbed::juju::operator::Setting;
use testbed::juju::switches::PebbleReady;
use testbed::juju::switches::Switches;
use testbed::pebble::client::http::Client;
use testbed::pebble::client::http::ClientError;
use testbed::pebble::client::http::Reply;
use testbed::wait::until;

use crate::charm;
use crate::cloud::Cluster;

/// The model, its cluster, and what the charm has recorded.
pub(crate) struct Stage {
    pub(crate) controller: Controller,
    pub(crate) cluster: Cluster,
    folder: TempDir,
}

impl Stage {
    /// An empty model that is as fast as suits tests, with pebble-ready after start.
    pub(crate) fn new(switches: Switches) -> Self {
        Self::at_speed(switches, SPEED)
    }

    /// An empty model of that speed.
    pub(crate) fn at_speed(switches: Switches, speed: f64) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let controller = Controller::new(Model::named("lab")).expect("a controller");
        let cluster = Cluster::default();
        cluster.begin(&folder.path().join("p"), &controller);
        let switches = if switches.pebble_ready == PebbleReady::WhenSeen {
            Switches { pebble_ready: PebbleReady::AfterStart, ..switches }
        } else {
            switches
        };
        let clock = Clock::at_speed(speed);
        let setting = Setting { clock, switches, seed: 1, ..Setting::default() };
        controller.connect(Arc::new(cluster.clone()), setting);
        let stage = Self { controller, cluster, folder };
        fs::create_dir_all(stage.records()).expect("a folder for records");
        stage
    }

    /// Juju 3 with that many units of application `a`, through with all that a deploy brings.
    pub(crate) fn deployed(units: u32) -> Self {
        Self::deployed_as(Switches::JUJU_3, units)
    }

    pub(crate) fn deployed_as(switches: Switches, units: u32) -> Self {
        let stage = Self::new(switches);
        stage.deploy("a", units);
        stage.settle("a", units);
        stage
    }

    pub(crate) fn deploy(&self, application: &str, units: u32) {
        let charm = self.charm("charm");
        let deploy =
            Deploy { application: application.to_owned(), charm, units, ..Deploy::default() };
        self.controller.deploy(&deploy).expect("it deploys");
    }

    /// The charm in a folder of its own.
    pub(crate) fn charm(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        charm::write(&folder, &self.records());
        folder
    }

    /// What the charm does in that event of the unit, from now on: a line of shell.
    pub(crate) fn let_do(&self, unit: &str, event: &str, script: &str) {
        let file = self.records().join(format!("{}.{event}", unit.replace('/', "-")));
        fs::write(&file, format!("{script}\n")).expect("the script is written");
    }

    /// Nothing of its own any more.
    pub(crate) fn let_be(&self, unit: &str, event: &str) {
        let file = self.records().join(format!("{}.{event}", unit.replace('/', "-")));
        fs::remove_file(file).expect("there was a script");
    }

    /// What scripts wait for.
    pub(crate) fn put(&self, name: &str) {
        fs::write(self.records().join(name), "").expect("the file is written");
    }

    /// Waits until a script has made the file.
    pub(crate) fn wait_for_file(&self, name: &str) {
        let there = || self.records().join(name).exists().then_some(());
        until(name, LIMIT, there).expect("a script makes the file");
    }

    /// Waits until a script has written that many lines.
    pub(crate) fn wait_for_lines(&self, name: &str, count: usize) {
        let there = || (self.note(name).lines().count() >= count).then_some(());
        until(name, LIMIT, there).expect("a script writes the lines");
    }

    /// Waits until the unit's hook has got its SIGTERM.
    pub(crate) fn wait_for_termination(&self, unit: &str) {
        let told = || self.controller.is_terminating(unit).then_some(());
        until("SIGTERM", LIMIT, told).expect("the pod is told to end");
    }

    /// The path of such a file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.records().join(name)
    }

    /// Asks the Pebble of the unit's container.
    pub(crate) fn ask(
        &self,
        unit: &str,
        ask: impl FnOnce(&Client) -> Result<Reply, ClientError>,
    ) -> Reply {
        let reply = self.cluster.pebble(unit, "web", |pebble| ask(pebble.client()));
        let reply = reply.expect("Pebble answers");
        assert_eq!(reply.status, 200, "{:?}", reply.json());
        reply
    }

    /// Records a notice in the unit's container.
    pub(crate) fn notify(&self, unit: &str, key: &str) {
        let notice = json!({"action": "add", "type": "custom", "key": key});
        self.ask(unit, |client| client.post("/v1/notices", &notice));
    }

    /// Waits until the fault that waits for the container's next notice has struck.
    pub(crate) fn wait_for_undisturbed(&self, unit: &str, container: &str) {
        let struck = || (!self.controller.is_notice_disturbed(unit, container)).then_some(());
        until("the fault to strike", LIMIT, struck).expect("there is a notice");
    }

    /// Whatever a script has written into a file of that name.
    pub(crate) fn note(&self, name: &str) -> String {
        fs::read_to_string(self.records().join(name)).unwrap_or_default()
    }

    /// The unit's events so far.
    pub(crate) fn events(&self, unit: &str) -> Vec<String> {
        self.note(&unit.replace('/', "-")).lines().map(str::to_owned).collect()
    }

    /// Forgets the events so far of all units.
    pub(crate) fn forget(&self, units: &[&str]) {
        for unit in units {
            let file = self.records().join(unit.replace('/', "-"));
            fs::write(file, "").expect("the record is ours");
        }
    }

    /// Waits until the unit's events are those.
    pub(crate) fn expect(&self, unit: &str, expected: &[&str]) {
        let seen = until("the events", LIMIT, || {
            (self.events(unit).len() >= expected.len()).then_some(())
        });
        if seen.is_ok() {
            self.wait_for_idle(unit);
        }
        assert_eq!(self.events(unit), expected, "events of {unit}\n{}", self.history());
    }

    /// Waits until the event was recorded that often.
    pub(crate) fn wait_for(&self, unit: &str, event: &str, times: usize) {
        let count = || self.events(unit).iter().filter(|line| *line == event).count();
        let seen = until(event, LIMIT, || (count() >= times).then_some(()));
        assert!(seen.is_ok(), "{unit} has no {event}: {:?}\n{}", self.events(unit), self.history());
    }

    /// Waits until the unit's agent has nothing to do.
    pub(crate) fn wait_for_idle(&self, unit: &str) {
        self.wait_for_agent(unit, "idle");
    }

    pub(crate) fn wait_for_agent(&self, unit: &str, word: &str) {
        let status = || {
            let status = |model: &Model| Some(model.unit(unit)?.agent_status.clone()?.status);
            self.controller.read(status)
        };
        let seen = until("the agent", LIMIT, || (status().as_deref() == Some(word)).then_some(()));
        assert!(seen.is_ok(), "the agent of {unit} is {:?}\n{}", status(), self.history());
    }

    /// Waits until all units have seen each other, their container and their storage; then forgets
    /// what was.
    pub(crate) fn settle(&self, application: &str, units: u32) {
        let names: Vec<String> = (0..units).map(|n| format!("{application}/{n}")).collect();
        for unit in &names {
            self.wait_for(unit, "web-pebble-ready", 1);
            for other in names.iter().filter(|other| *other != unit) {
                self.wait_for(unit, &format!("peers-relation-changed {other}"), 1);
            }
            let count = |line: &str| line.starts_with("data-storage-attached");
            until("storage", LIMIT, || self.events(unit).iter().any(|it| count(it)).then_some(()))
                .expect("storage is attached");
        }
        for unit in &names {
            self.wait_for_idle(unit);
        }
        self.forget(&names.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Waits until the unit's record is gone.
    pub(crate) fn wait_for_removal(&self, unit: &str) {
        let gone = until("the unit to be gone", LIMIT, || {
            self.controller.read(|model| model.unit(unit).is_none()).then_some(())
        });
        assert!(gone.is_ok(), "{unit} is still there\n{}", self.history());
    }

    pub(crate) fn leader(&self) -> String {
        let leader = || self.controller.read(|model| model.leader("a").map(str::to_owned));
        until("a leader", LIMIT, leader).expect("somebody leads")
    }

    /// Runs a line of shell in the unit as `juju exec` does; gives what it prints.
    pub(crate) fn exec(&self, unit: &str, command: &str) -> String {
        let id = self.controller.exec(unit, command).expect("the unit takes it");
        let result = self.controller.wait_for_action(id, LIMIT).expect("it ends");
        assert_eq!(result.status, "completed", "{result:?}");
        result.stdout().trim().to_owned()
    }

    pub(crate) fn life(&self, unit: &str) -> Option<Life> {
        self.controller.read(|model| Some(model.unit(unit)?.life))
    }

    /// All records, for a failure's text.
    pub(crate) fn history(&self) -> String {
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(self.records()).expect("records").flatten() {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            all.insert(entry.file_name(), text);
        }
        format!("{all:#?}\n{}", self.controller.transcript())
    }

    fn records(&self) -> PathBuf {
        self.folder.path().join("r")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.controller.end();
        self.cluster.end();
    }
}

/// How fast time passes: a lease lasts 6 seconds, a first retry comes after half a second.
pub(crate) const SPEED: f64 = 10.0;

/// Long enough for a machine that is busy with other things.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);
