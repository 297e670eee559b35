//! One server program of a pod: its file, its process, its log.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::BedError;
use crate::error::at_file;
use crate::namespace::Namespace;
use crate::processes;
use crate::transcript::lock;
use crate::wait;

#[derive(Debug)]
pub(crate) struct Server {
    /// Which server of which pod, for errors.
    pub(crate) title: String,
    pub(crate) config: PathBuf,
    log: PathBuf,
    /// What its log says when it serves.
    ready: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    child: Option<Child>,
    /// How long the log was when the process was started.
    log_before: usize,
}

impl Server {
    pub(crate) fn new(directory: &Path, name: &str, pod: &str, ready: &'static str) -> Self {
        Self {
            title: format!("{name} of {pod}"),
            config: directory.join(format!("{name}.conf")),
            log: directory.join(format!("{name}.log")),
            ready,
            state: Mutex::default(),
        }
    }

    /// Writes its file; nobody else may read it.
    pub(crate) fn write_config(&self, text: &str) -> Result<(), BedError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&self.config).map_err(at_file(&self.config))?;
        file.write_all(text.as_bytes()).map_err(at_file(&self.config))
    }

    /// Starts the process, which is then yet to become ready.
    pub(crate) fn begin(
        &self,
        namespace: &Namespace,
        mut command: Command,
    ) -> Result<(), BedError> {
        let mut state = lock(&self.state);
        if state.child.as_mut().is_some_and(is_alive) {
            return Err(self.fault("is running already"));
        }
        let log: File = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.log)
            .map_err(at_file(&self.log))?;
        state.log_before = self.log_text().len();
        let errors = log.try_clone().map_err(at_file(&self.log))?;
        command.stdout(log).stderr(errors);
        state.child = Some(namespace.spawn(&mut command)?);
        Ok(())
    }

    /// Waits until it serves.
    pub(crate) fn ready(&self) -> Result<(), BedError> {
        self.says(self.ready)
    }

    /// Waits until it has logged this since its start.
    pub(crate) fn says(&self, wanted: &str) -> Result<(), BedError> {
        let what = format!("{} logs {wanted:?}", self.title);
        let ended = wait::until(&what, START_LIMIT, || {
            let mut state = lock(&self.state);
            let ended = !state.child.as_mut().is_some_and(is_alive);
            let log = self.log_text();
            let said = log.get(state.log_before..).unwrap_or_default();
            (ended || said.contains(wanted)).then_some(ended)
        })
        .map_err(|error| error.with(&self.title, &self.log_tail()))?;
        if ended { Err(self.fault("has ended")) } else { Ok(()) }
    }

    /// The process, if it runs.
    pub(crate) fn process(&self) -> Option<u32> {
        let mut state = lock(&self.state);
        state.child.as_mut().and_then(|child| is_alive(child).then(|| child.id()))
    }

    /// Sends a signal, if it runs.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(process) = self.process() {
            processes::send(process, signal);
        }
    }

    /// Ends it by a signal and waits for its end; one that does not run is no error.
    pub(crate) fn end(&self, signal: Signal) -> Result<(), BedError> {
        self.signal(signal);
        wait::until(&format!("{} ends", self.title), STOP_LIMIT, || {
            self.process().is_none().then_some(())
        })
        .map_err(|error| error.with(&self.title, &self.log_tail()))?;
        Ok(())
    }

    pub(crate) fn log_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    pub(crate) fn log_tail(&self) -> String {
        let text = self.log_text();
        let lines: Vec<_> = text.lines().collect();
        lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n")
    }

    fn fault(&self, state: &'static str) -> BedError {
        BedError::Server { server: self.title.clone(), state, log: self.log_tail() }
    }
}

/// Also reaps a child that has ended.
fn is_alive(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(None))
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut lock(&self.state).child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

const START_LIMIT: Duration = Duration::from_secs(20);

/// Redis waits up to 10 s for its replicas at SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// How many lines of a log an error shows.
const TAIL: usize = 15;
