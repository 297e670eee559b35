//! One server program of a pod, as a service of its container's Pebble: its file, its process, its log.
//! It plays the workload's part where no charm does.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use serde_json::json;

use crate::error::BedError;
use crate::ground::failed;
use crate::lock::lock;
use crate::pebble::client::http::Client;
use crate::pebble::client::http::ClientError;
use crate::pod::Pod;
use crate::processes;
use crate::wait;

#[derive(Debug)]
pub(crate) struct Service {
    /// Which server of which pod, for errors.
    pub(crate) title: String,
    /// The container, and the service in it.
    name: &'static str,
    program: &'static str,
    /// What its log says when it serves.
    ready: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The change of Pebble by which it was started.
    change: String,
    /// How long the log was when it was started.
    log_before: usize,
}

impl Service {
    pub(crate) fn new(
        pod: &str,
        name: &'static str,
        program: &'static str,
        ready: &'static str,
    ) -> Self {
        Self { title: format!("{name} of {pod}"), name, program, ready, state: Mutex::default() }
    }

    /// Writes its file; nobody else may read it.
    pub(crate) fn write_config(&self, pod: &Pod, text: &str) -> Result<(), BedError> {
        let mut command = pod.command(self.name, "sh");
        command.args(["-c", r#"umask 077 && cat >"$1""#, "write", &self.config()]);
        let output = pod.run(&mut command, text)?;
        let what = format!("the writing of the file of {}", self.title);
        if output.status.success() { Ok(()) } else { Err(failed(&what, &output)) }
    }

    fn config(&self) -> String {
        format!("/etc/redis-server/{}.conf", self.name)
    }

    /// Starts it, which is then yet to become ready.
    pub(crate) fn begin(&self, pod: &Pod) -> Result<(), BedError> {
        if self.process(pod).is_some() {
            return Err(self.fault(pod, "is running already"));
        }
        let pebble = pod.wait_for_pebble(self.name, START_LIMIT)?;
        // Pebble may be yet to see the end of the last process, and would start nothing.
        wait::until(&format!("Pebble sees the end of {}", self.title), START_LIMIT, || {
            let services = pebble.get(&format!("/v1/services?names={}", self.name)).ok()?.json();
            let current = services.pointer("/result/0/current");
            (current != Some(&json!("active"))).then_some(())
        })?;
        let mut state = lock(&self.state);
        state.log_before = self.log_text(pod).len();
        let service = json!({
            "override": "replace",
            "command": format!("/usr/bin/{} {}", self.program, self.config()),
            "on-success": "ignore",
            "on-failure": "ignore",
        });
        let layer = json!({ "services": { self.name: service } }).to_string();
        let layer = json!({
            "action": "add", "combine": true, "label": "bed", "format": "yaml", "layer": layer,
        });
        self.ask(&pebble, "/v1/layers", &layer)?;
        let start = json!({ "action": "start", "services": [self.name] });
        let answer = self.ask(&pebble, "/v1/services", &start)?;
        let change = answer.get("change").and_then(Value::as_str);
        change.unwrap_or_default().clone_into(&mut state.change);
        Ok(())
    }

    fn ask(&self, pebble: &Client, path: &str, body: &Value) -> Result<Value, BedError> {
        let told = |answer| BedError::Answer {
            server: format!("Pebble of {}", self.title),
            command: path.to_owned(),
            answer,
        };
        let answer =
            pebble.post(path, body).map_err(|error: ClientError| told(error.to_string()))?;
        if answer.status >= 400 {
            return Err(told(String::from_utf8_lossy(&answer.body).into_owned()));
        }
        Ok(answer.json())
    }

    /// Waits until it serves.
    pub(crate) fn ready(&self, pod: &Pod) -> Result<(), BedError> {
        self.says(pod, self.ready)
    }

    /// Waits until it has logged this since its start.
    pub(crate) fn says(&self, pod: &Pod, wanted: &str) -> Result<(), BedError> {
        let what = format!("{} logs {wanted:?}", self.title);
        let ended = wait::until(&what, START_LIMIT, || {
            let ended = self.has_ended(pod);
            let log = self.log_text(pod);
            let said = log.get(lock(&self.state).log_before..).unwrap_or_default();
            if said.contains(wanted) { Some(false) } else { ended.then_some(true) }
        })
        .map_err(|error| error.with(&self.title, &self.log_tail(pod)))?;
        if ended { Err(self.fault(pod, "has ended")) } else { Ok(()) }
    }

    /// Pebble has tried to start it, and there is no process. In this order: on a busy machine a process
    /// that is looked for first may come while Pebble is asked.
    fn has_ended(&self, pod: &Pod) -> bool {
        let path = format!("/v1/changes/{}", lock(&self.state).change);
        let change = Client::new(&pod.pebble_socket(self.name)).get(&path);
        let is_tried = change
            .is_ok_and(|change| change.json().pointer("/result/ready") == Some(&Value::Bool(true)));
        is_tried && self.process(pod).is_none()
    }

    /// The process, if it runs.
    pub(crate) fn process(&self, pod: &Pod) -> Option<u32> {
        // It writes over its arguments, but for the first word.
        let is_it = |process: &u32| {
            let argv = processes::argv_of(*process);
            let program = argv.split(' ').next().and_then(|word| Path::new(word).file_name());
            program.is_some_and(|name| name == self.program)
        };
        pod.processes(self.name).into_iter().find(is_it)
    }

    /// Sends a signal, if it runs.
    pub(crate) fn signal(&self, pod: &Pod, signal: Signal) {
        if let Some(process) = self.process(pod) {
            processes::send(process, signal);
        }
    }

    /// Ends it by a signal and waits for its end; one that does not run is no error.
    pub(crate) fn end(&self, pod: &Pod, signal: Signal) -> Result<(), BedError> {
        let Some(process) = self.process(pod) else { return Ok(()) };
        processes::send(process, signal);
        // Its arguments go before its ports are free.
        wait::until(&format!("{} ends", self.title), STOP_LIMIT, || {
            (!pod.processes(self.name).contains(&process)).then_some(())
        })
        .map_err(|error| error.with(&self.title, &self.log_tail(pod)))?;
        Ok(())
    }

    /// What Pebble and the server have printed.
    pub(crate) fn log_text(&self, pod: &Pod) -> String {
        pod.log(self.name)
    }

    /// The same, without what Pebble puts before each of the server's lines.
    pub(crate) fn own_log(&self, pod: &Pod) -> String {
        let mark = format!(" [{}] ", self.name);
        let text = self.log_text(pod);
        let said = text.split_inclusive('\n').map(|line| match line.split_once(&mark) {
            // Before it is the time alone.
            Some((time, said)) if !time.contains(' ') => said,
            _ => line,
        });
        said.collect()
    }

    pub(crate) fn log_tail(&self, pod: &Pod) -> String {
        let text = self.log_text(pod);
        let lines: Vec<_> = text.lines().collect();
        lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n")
    }

    fn fault(&self, pod: &Pod, state: &'static str) -> BedError {
        BedError::Server { server: self.title.clone(), state, log: self.log_tail(pod) }
    }
}

const START_LIMIT: Duration = Duration::from_secs(20);

/// Redis waits up to 10 s for its replicas at SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// How many lines of a log an error shows.
const TAIL: usize = 15;
