//! One scenario: its directory, its daemon, its server, and what was seen so far.

use regex::Captures;
use regex::Regex;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;
use std::thread::JoinHandle;
use std::time::Instant;
use tempfile::TempDir;

use crate::names::Names;
use crate::names::compare;
use crate::names::loosen;
use crate::names::matches;
use crate::server::Server;
use crate::streams::PATIENCE;
use crate::streams::pause;
use crate::verbs;

/// Where a scenario is played.
pub(crate) struct Stage {
    pub(crate) scenario: Value,
    pub(crate) pebble: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) daemon: Option<Child>,
    pub(crate) server: Option<Server>,
    pub(crate) port: u16,
    pub(crate) names: Arc<Mutex<Names>>,
    pub(crate) values: BTreeMap<String, String>,
    background: BTreeMap<String, JoinHandle<Value>>,
    _folder: TempDir,
}

impl Stage {
    /// A fresh directory, and a daemon unless the scenario starts it itself.
    pub(crate) fn set_up(scenario: &Value, pebble: &Path) -> Self {
        // Short: a socket's path has at most 107 bytes.
        let folder =
            tempfile::Builder::new().prefix("pb").rand_bytes(8).tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let dir = folder.path().to_owned();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let values = BTreeMap::from([
            ("DIR".to_owned(), dir.display().to_string()),
            ("PORT".to_owned(), port.to_string()),
            ("UID".to_owned(), nix::unistd::geteuid().to_string()),
        ]);
        let names = Arc::new(Mutex::new(Names::new(&dir, port)));
        let env = BTreeMap::from([
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("USER", "player".to_owned()),
            ("HOME", dir.display().to_string()),
            ("PEBBLE", format!("{}/p", dir.display())),
        ]);
        let mut stage = Self {
            scenario: scenario.clone(),
            pebble: pebble.to_owned(),
            socket: PathBuf::new(),
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            dir,
            daemon: None,
            server: None,
            port,
            names,
            values,
            background: BTreeMap::new(),
            _folder: folder,
        };
        for (name, value) in stage.filled("env").as_object().into_iter().flatten() {
            stage.env.insert(name.clone(), value.as_str().unwrap().to_owned());
        }
        let default = format!("{}/.pebble.socket", stage.env["PEBBLE"]);
        stage.socket = stage.env.get("PEBBLE_SOCKET").cloned().unwrap_or(default).into();
        for (path, text) in scenario["files"].as_object().into_iter().flatten() {
            let path = stage.fill(&path.as_str().into());
            verbs::write(&json!({"write": path, "text": stage.fill(text)}));
        }
        if scenario["start"] != false {
            let started = stage.start(&json!({"start": {}}));
            assert!(started.get("exit").is_none(), "the daemon ended with {started}");
        }
        stage
    }

    fn filled(&self, name: &str) -> Value {
        self.fill(&self.scenario[name])
    }

    /// Puts the known values in for `$NAME`; other dollars stay.
    pub(crate) fn fill(&self, value: &Value) -> Value {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(k, v)| (k.clone(), if k == "expect" { v.clone() } else { self.fill(v) }))
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::String(text) if text.contains('$') => {
                let pattern = Regex::new(r"\$([A-Za-z]\w*)").unwrap();
                let known = |found: &Captures<'_>| {
                    self.values.get(&found[1]).cloned().unwrap_or_else(|| found[0].to_owned())
                };
                pattern.replace_all(text, known).into_owned().into()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    /// Plays one step. Answers what differs, and whether to go on.
    pub(crate) fn take(&mut self, step: &Value) -> (Vec<String>, bool) {
        if let Some(name) = step["background"].as_str() {
            let (mut aside, step) = (self.aside(), step.clone());
            let thread = thread::spawn(move || aside.perform(&step));
            self.background.insert(name.to_owned(), thread);
            return (vec![], true);
        }
        let begun = Instant::now();
        let got = if step.get("poll").is_some() {
            self.poll(step)
        } else if let Some(name) = step["join"].as_str() {
            let thread = self.background.remove(name).unwrap();
            Some(thread.join().unwrap_or_else(|_| json!({"connection": "lost"})))
        } else {
            Some(self.perform(step))
        };
        let took = begun.elapsed().as_secs_f64();
        let mut wrong = Vec::new();
        if let Some(limits) = step["took"].as_array() {
            let (low, high) = (limits[0].as_f64().unwrap(), limits[1].as_f64().unwrap());
            if took < low || took > high {
                wrong.push(format!("took {took:.2} s, expected {low} to {high} s"));
            }
        }
        match (got, step.get("poll")) {
            (Some(seen), Some(_)) => {
                wrong.push(format!("never matched: {}", step["until"]));
                wrong.push(format!(
                    "the last was: {}",
                    seen.to_string().chars().take(1500).collect::<String>()
                ));
                (wrong, false)
            }
            (None, _) => (wrong, true),
            (Some(got), None) => {
                compare(step.get("expect").unwrap_or(&json!({})), &got, "", &mut wrong);
                (wrong, true)
            }
        }
    }

    /// The same place, for a step that is played beside the others.
    fn aside(&self) -> Self {
        Self {
            scenario: self.scenario.clone(),
            pebble: self.pebble.clone(),
            dir: self.dir.clone(),
            socket: self.socket.clone(),
            env: self.env.clone(),
            daemon: None,
            server: None,
            port: 0,
            names: Arc::clone(&self.names),
            values: self.values.clone(),
            background: BTreeMap::new(),
            _folder: tempfile::tempdir().unwrap(),
        }
    }

    fn perform(&mut self, step: &Value) -> Value {
        let filled = self.fill(step);
        let ignored: Vec<String> = filled["ignore"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        let got = self.play(&filled);
        let tidied = self.names.lock().unwrap().tidy(&got, "", &ignored);
        loosen(&tidied, &ignored, filled["prefix"].as_str())
    }

    /// Looks until it matches; answers what was seen if it never does.
    fn poll(&mut self, step: &Value) -> Option<Value> {
        let filled = self.fill(step);
        let within = filled["within"].as_f64().unwrap_or(PATIENCE.as_secs_f64());
        let begun = Instant::now();
        loop {
            let seen = self.look(filled["poll"].as_str().unwrap());
            if matches(&filled["until"], &seen) {
                self.keep(step, &seen);
                return None;
            }
            if begun.elapsed().as_secs_f64() > within {
                return Some(seen);
            }
            pause(30);
        }
    }

    /// Keeps what later steps refer to.
    pub(crate) fn keep(&mut self, step: &Value, body: &Value) {
        let result = &body["result"];
        let mut found = Map::new();
        found.insert("change".to_owned(), body["change"].clone());
        found.insert("task".to_owned(), result["task-id"].clone());
        if result.as_object().is_some_and(|members| members.len() == 1) {
            found.insert("notice".to_owned(), result["id"].clone());
        }
        for (name, path) in step["save"].as_object().into_iter().flatten() {
            let pointer = format!("/{}", path.as_str().unwrap().replace('.', "/"));
            found.insert(name.clone(), body.pointer(&pointer).unwrap().clone());
        }
        for (name, value) in found {
            match &value {
                Value::Null => {}
                Value::String(text) => {
                    self.values.insert(name, text.clone());
                }
                Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    self.values.insert(name, value.to_string());
                }
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server = None;
        if self.port == 0 {
            return;
        }
        while !self.processes("").is_empty() {
            self.kill(&json!({"kill": ""}));
            pause(5);
        }
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.wait();
        }
    }
}

/// A step as one can read it.
pub(crate) fn without_expectation(step: &Value) -> Value {
    let members = step.as_object().unwrap();
    members
        .iter()
        .filter(|(name, _)| *name != "expect")
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}
