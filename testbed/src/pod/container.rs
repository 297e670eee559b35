//! One container of a pod: PID and mount namespaces of its own, the pod's network.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::BedError;
use crate::ground::Ground;
use crate::lock::lock;
use crate::pod::plan::Plan;
use crate::pod::sandbox::Sandbox;
use crate::processes;
use crate::wait;

/// A container, running or not.
#[derive(Debug)]
pub(crate) struct Container {
    /// Which container of which pod, for errors.
    title: String,
    plan: Plan,
    ground: Arc<Ground>,
    run: Mutex<Option<Arc<Run>>>,
}

/// A container from its start to its end.
#[derive(Debug)]
struct Run {
    /// Process 1, by its number on the machine.
    process: u32,
    /// The name of its PID namespace.
    namespace: String,
    end: Mutex<Option<ExitStatus>>,
    changed: Condvar,
}

/// A container that is being made.
#[derive(Debug)]
pub(crate) struct Begun {
    child: Child,
}

impl Container {
    pub(crate) fn new(ground: Arc<Ground>, title: String, plan: Plan) -> Self {
        Self { title, plan, ground, run: Mutex::default() }
    }

    /// Begins to make it, with a fresh root; `made` waits for it.
    pub(crate) fn begin(&self, sandbox: &Sandbox) -> Result<Begun, BedError> {
        if self.is_running() {
            let state = "is running already";
            return Err(BedError::Server { server: self.title.clone(), state, log: String::new() });
        }
        let programs = &self.ground.programs;
        let mut command = sandbox.command(&programs.unshare);
        command.args(["--mount", "--pid", "--fork", "--kill-child", "--"]).arg(&programs.container);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.ground.spawn(&mut command)?;
        if let Some(mut stdin) = child.stdin.take() {
            let plan = serde_json::to_vec(&self.plan).unwrap_or_default();
            // One that ends without reading says why itself.
            let _ = stdin.write_all(&plan);
        }
        Ok(Begun { child })
    }

    /// Waits until process 1 is what it is to be. `on_end` is called once when it has ended.
    pub(crate) fn made(
        &self,
        begun: Begun,
        on_end: impl FnOnce(ExitStatus) + Send + 'static,
    ) -> Result<(), BedError> {
        let Begun { mut child } = begun;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        let process = line.trim_end().strip_prefix("made ").and_then(|number| number.parse().ok());
        let Some(process) = process else {
            let mut stderr = String::new();
            if let Some(mut pipe) = child.stderr.take() {
                let _ = pipe.read_to_string(&mut stderr);
            }
            let status = child.wait().unwrap_or_default();
            return Err(BedError::Failed { program: self.title.clone(), status, stderr });
        };
        let run = Arc::new(Run {
            process,
            namespace: processes::namespace_of(process).unwrap_or_default(),
            end: Mutex::default(),
            changed: Condvar::new(),
        });
        *lock(&self.run) = Some(Arc::clone(&run));
        thread::spawn(move || {
            let status = child.wait().unwrap_or_else(|_| ExitStatus::from_raw(0));
            *lock(&run.end) = Some(status);
            run.changed.notify_all();
            on_end(status);
        });
        Ok(())
    }

    /// Process 1 by its number on the machine, if it runs.
    pub(crate) fn process(&self) -> Option<u32> {
        self.running().map(|run| run.process)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running().is_some()
    }

    fn running(&self) -> Option<Arc<Run>> {
        lock(&self.run).clone().filter(|run| lock(&run.end).is_none())
    }

    /// All processes in it, process 1 included.
    pub(crate) fn processes(&self) -> Vec<u32> {
        self.running().map(|run| processes::processes_in(&run.namespace)).unwrap_or_default()
    }

    /// Sends a signal to process 1.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(process) = self.process() {
            processes::send(process, signal);
        }
    }

    /// Sends a signal to every process in it. Those that begin meanwhile get it too.
    pub(crate) fn signal_all(&self, signal: Signal) {
        let mut before = Vec::new();
        loop {
            let now = self.processes();
            if now == before {
                return;
            }
            for process in &now {
                processes::send(*process, signal);
            }
            before = now;
        }
    }

    /// Kills every process in it but the first, and waits until they are gone.
    pub(crate) fn kill_others(&self) -> Result<(), BedError> {
        let Some(run) = self.running() else { return Ok(()) };
        processes::kill_all_in(&run.namespace, run.process)
    }

    /// Waits until it has ended, and gives the status of process 1; none if that takes longer, or if it
    /// never ran.
    pub(crate) fn wait(&self, limit: Duration) -> Option<ExitStatus> {
        let run = lock(&self.run).clone()?;
        let end = lock(&run.end);
        let waited = run.changed.wait_timeout_while(end, limit, |end| end.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until it is gone after a SIGKILL.
    pub(crate) fn gone(&self) -> Result<(), BedError> {
        if self.is_running() && self.wait(KILL_LIMIT).is_none() {
            let what = format!("{} ends when killed", self.title);
            let seen = String::new();
            return Err(wait::TimedOut { what, limit: KILL_LIMIT, seen }.into());
        }
        Ok(())
    }

    /// Which container of which pod.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// The kernel may be busy, nothing else.
const KILL_LIMIT: Duration = Duration::from_secs(20);
