//! A hook while it runs, and what is known of it afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::action::ActionResult;
use super::commit::commit;
use super::error::Error;
use super::hook::Hook;
use super::hook::Kind;
use super::process::Process;
use super::server::Server;
use super::world::SharedWorld;
use crate::lock::lock;

/// A hook that runs. Dropped before it has finished, it is killed with its process group.
#[derive(Debug)]
pub struct RunningHook {
    pub(crate) world: SharedWorld,
    pub(crate) server: Arc<Server>,
    pub(crate) process: Process,
    pub(crate) hook: Hook,
    /// Keeps the directory there for as long as the hook runs.
    pub(crate) _kept: Option<Arc<TempDir>>,
    /// The environment that the hook was given.
    pub environment: BTreeMap<String, String>,
}

/// What became of a hook.
#[derive(Clone, Debug)]
pub struct HookRun {
    /// How its process ended.
    pub exit: Exit,
    /// Its tool calls, in the order that they arrived.
    pub calls: Vec<ToolCall>,
    /// What it printed itself.
    pub stdout: String,
    /// What it printed to standard error itself.
    pub stderr: String,
    /// Its lines by `juju-log`.
    pub log: Vec<LogLine>,
    /// Whether its changes were kept.
    pub commit: Commit,
    /// What failed the hook although its process ended well and its changes were kept.
    pub error: Option<String>,
    /// From start to exit.
    pub elapsed: Duration,
    /// Of an action, what its caller is told.
    pub action_result: Option<ActionResult>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With that code.
    Code(i32),
    /// By that signal.
    Signal(i32),
}

/// What became of a hook's buffered changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// All kept.
    Committed,
    /// All dropped, as the hook failed.
    Discarded,
    /// All dropped, as the controller refused them; the hook counts as failed.
    Failed(String),
}

/// One call of a hook tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// Name and arguments.
    pub argv: Vec<String>,
    /// Its standard input, if the tool read it.
    pub stdin: Option<Vec<u8>>,
    /// Its exit code; nothing for a call that was never answered.
    pub exit: Option<u8>,
    /// What it printed.
    pub stdout: String,
    /// What it printed to standard error.
    pub stderr: String,
}

/// A line by `juju-log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// `INFO`, `ERROR`, ..
    pub level: String,
    /// The text, with the relation before it in a relation hook.
    pub message: String,
}

impl RunningHook {
    /// Waits until the hook has made that many calls.
    pub fn wait_for_call(&self, number: usize, limit: Duration) -> Result<(), Error> {
        if self.server.wait_for_call(number, limit) {
            return Ok(());
        }
        Err(self.late(&format!("call {number}"), limit))
    }

    /// Waits for the process to end, without the commit that `finish` does.
    pub fn wait_for_exit(&self, limit: Duration) -> Result<Exit, Error> {
        let status = self.process.wait(limit).ok_or_else(|| self.late("exit", limit))?;
        Ok(Exit::of(status))
    }

    /// Lets all held calls go on.
    pub fn release(&self) {
        self.server.release();
    }

    /// SIGKILL to the hook's process group.
    pub fn kill(&self) -> Result<(), Error> {
        self.signal(Signal::SIGKILL)
    }

    /// Sends a signal to the hook's process group.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        self.process
            .signal(signal)
            .map_err(|source| Error::Signal { hook: self.described(), source })
    }

    /// Sends SIGTERM to the hook and to the tool that it waits for, as when the container is stopped.
    pub fn terminate(&self) -> Result<(), Error> {
        self.signal(Signal::SIGTERM)
    }

    /// The most memory that its process has held so far, in bytes; none when it has ended.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// The process of the program itself. In a pod another stands for it, whose only child it is.
    fn program(&self) -> Option<i32> {
        let leader = self.process.group();
        if lock(&self.world).agent(&self.hook.unit).place.is_none() {
            return Some(leader);
        }
        let children = fs::read_to_string(format!("/proc/{leader}/task/{leader}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<ToolCall> {
        self.server.calls()
    }

    /// Waits for the end of the hook, then keeps its changes or drops them.
    pub fn finish(self, limit: Duration) -> Result<HookRun, Error> {
        let exit = self.wait_for_exit(limit)?;
        self.server.close();
        let (stdout, stderr) = self.process.output();
        let context = lock(&self.server.context);
        let mut world = lock(&self.world);
        if self.hook.loses_leadership_at_commit {
            world.lose_leadership(&context.application);
        }
        let is_cut_off = world.agent(&self.hook.unit).is_cut_off;
        let is_kept = match exit {
            Exit::Code(0) => true,
            Exit::Code(_) => self.hook.kind == Kind::Exec,
            Exit::Signal(_) => false,
        };
        let commit = match is_kept.then(|| {
            if is_cut_off { Err(CUT_OFF.to_owned()) } else { commit(&context, &mut world.model) }
        }) {
            None => Commit::Discarded,
            Some(Ok(())) => Commit::Committed,
            Some(Err(text)) => Commit::Failed(text),
        };
        if let Commit::Failed(text) = &commit {
            world.transcript.push(format!("commit of {} failed: {text}", self.described()));
        }
        world.note_change();
        let unit = &self.hook.unit;
        let error =
            context.wants_reboot.then(|| format!("unit \"{unit}\" is not assigned to a machine"));
        let action = context.action.as_ref();
        let action_result =
            action.map(|action| ActionResult::of(action, exit, &commit, &stdout, &stderr));
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        world.transcript.extend([stdout.clone(), stderr.clone()]);
        Ok(HookRun {
            exit,
            calls: self.server.calls(),
            stdout,
            stderr,
            log: context.log.clone(),
            commit,
            error,
            elapsed: self.process.elapsed(),
            action_result,
        })
    }

    fn late(&self, what: &str, limit: Duration) -> Error {
        let calls = self.server.calls();
        let calls: Vec<String> = calls.iter().map(|call| call.argv.join(" ")).collect();
        let (stdout, stderr) = self.process.output();
        let seen = format!(
            "calls: {calls:?}; stdout: {:?}; stderr: {:?}",
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr)
        );
        Error::Late { what: format!("{what} of {}", self.described()), limit, seen }
    }

    fn described(&self) -> String {
        format!("{} {}", self.hook.unit, self.hook.kind.word())
    }
}

impl Drop for RunningHook {
    fn drop(&mut self) {
        // A process that a kill does not end is stuck in the kernel; nothing more can be done.
        let _ = self.process.signal(Signal::SIGKILL);
        let _ = self.process.wait(AFTER_KILL);
        self.server.close();
        let mut world = lock(&self.world);
        world.agent(&self.hook.unit).is_busy = false;
        world.note_change();
    }
}

impl Exit {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }
}

impl ToolCall {
    pub(crate) fn arrived(argv: Vec<String>) -> Self {
        Self { argv, stdin: None, exit: None, stdout: String::new(), stderr: String::new() }
    }
}

/// What a tool and a commit fail with while the agent cannot reach the controller.
pub(crate) const CUT_OFF: &str = "connection is shut down";

/// How long a killed hook may take to be gone.
const AFTER_KILL: Duration = Duration::from_secs(5);
