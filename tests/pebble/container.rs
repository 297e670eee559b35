//! A container's Pebble, and the client that asks it.

use std::env;
use std::io;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use redis_k8s::clients::pebble::Pebble;
use redis_k8s::clients::pebble::services::Action;
use redis_k8s::clients::pebble::services::Service;
use redis_k8s::clock::Budget;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use testbed::pebble::daemon::Daemon;
use testbed::programs;
use testbed::wait::until;

use crate::relay::Relay;

/// The container's name in every error.
pub(crate) const NAME: &str = "redis";

/// Longer than anything takes that is to succeed.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// Longer than a test may take.
pub(crate) const FOR_EVER: Duration = Duration::from_hours(1);

/// Short, for what is to end with the budget.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// A running Pebble with an empty plan, and its folder.
pub(crate) struct Container {
    pub(crate) daemon: Daemon,
    pub(crate) folder: TempDir,
}

impl Container {
    pub(crate) fn start() -> Self {
        if Daemon::is_own() {
            // Cargo does not build the programs of another package for a test.
            programs::own("pebble").unwrap();
        }
        let folder = folder();
        Self { daemon: Daemon::start(folder.path()).unwrap(), folder }
    }

    /// One with faults; `None`, and a word about it, where `PEBBLE` names a Pebble that has none.
    pub(crate) fn with_faults() -> Option<Self> {
        if Daemon::is_own() {
            return Some(Self::start());
        }
        left_out("faults are the test bed's Pebble's alone, and PEBBLE names another");
        None
    }

    pub(crate) fn fault(&self, order: Value) {
        self.daemon.fault(&order).unwrap();
    }

    /// The client, with more time than it needs.
    pub(crate) fn pebble(&self) -> Pebble {
        pebble(&self.daemon.socket(), LONG)
    }

    /// The client by way of a relay that counts.
    pub(crate) fn by_way_of_relay(&self) -> (Pebble, Relay) {
        let relay = Relay::to(&self.daemon.socket());
        (pebble(relay.socket(), LONG), relay)
    }

    /// A path in the container's folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Adds services by their command.
    pub(crate) fn add_services(&self, services: &[(&str, &str)]) {
        let services: Value = services
            .iter()
            .map(|(name, command)| {
                ((*name).to_owned(), json!({"command": command, "startup": "enabled"}))
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        self.pebble().add_layer("test", &json!({"services": services})).unwrap();
    }

    /// Starts a service that does not end when it is told to, but when there is a file of the path that
    /// this returns.
    pub(crate) fn start_stubborn(&self, name: &str) -> String {
        let go = self.path("go");
        let command = format!("sh -c \"trap '' TERM; until [ -e {go} ]; do sleep 0.05; done\"");
        let service = json!({"command": command, "startup": "enabled", "kill-delay": "50s"});
        self.pebble().add_layer("test", &json!({"services": {name: service}})).unwrap();
        self.pebble().perform(Action::Replan).unwrap();
        go
    }

    pub(crate) fn service(&self, name: &str) -> Service {
        self.pebble().services(&[name]).unwrap().remove(0)
    }

    /// Waits for a fact about the container.
    pub(crate) fn until<T>(&self, what: &str, check: impl FnMut() -> Option<T>) -> T {
        until(what, LONG, check)
            .map_err(|never| never.with("Pebble's log", &self.daemon.log_tail()))
            .unwrap()
    }
}

/// With a short path, as a socket's must be.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("pc").tempdir_in("/tmp").unwrap()
}

/// A client with so much time.
pub(crate) fn pebble(socket: &Path, time: Duration) -> Pebble {
    Pebble::new(NAME, socket, &[], &Budget::start(time).unwrap())
}

/// Acts, which must end within `LONG` whatever limit it has of its own.
pub(crate) fn ends<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || drop(sender.send(act())));
    ended.recv_timeout(LONG).expect("it does not end")
}

/// Past the capture of a test that passes: nothing is left out in silence.
pub(crate) fn left_out(why: &str) {
    io::stderr().write_all(format!("left out: {why}\n").as_bytes()).unwrap();
}

pub(crate) fn is_root() -> bool {
    let root = user_id() == "0";
    if !root {
        left_out("only root's Pebble switches users");
    }
    root
}

fn user_id() -> String {
    let told = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8(told.stdout).unwrap().trim().to_owned()
}

/// Runs a test of this program once more, in a process of its own and with one more variable.
/// Returns true in that process, which goes on, and false in the one that started it.
pub(crate) fn in_a_process_of_its_own(test: &str, variable: (&str, &str)) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let mut again = Command::new(env::current_exe().unwrap());
    again.args(["--exact", test, "--nocapture"]).env(ALONE, "1").env(variable.0, variable.1);
    let done = again.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("1 passed"), "no test of that name: {said}");
    false
}

const ALONE: &str = "TEST_IN_A_PROCESS_OF_ITS_OWN";
