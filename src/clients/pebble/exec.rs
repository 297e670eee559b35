//! `/v1/exec`: a command in a container, with its exit code and both of its streams.

use std::fmt;
use std::io;
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::clients::pebble::Pebble;
use crate::clients::pebble::changes::ChangeId;
use crate::clients::pebble::error::Call;
use crate::clients::pebble::error::PebbleError;
use crate::clients::pebble::files::Owner;
use crate::clients::pebble::http::LONGEST_ANSWER;
use crate::clients::pebble::lost;
use crate::clients::pebble::socket::Socket;
use crate::clients::pebble::websocket::Stream;

/// A command to be run. No shell splits it, and nothing of it but its first word is ever shown.
#[derive(Clone, Copy)]
pub struct Exec<'a> {
    /// The program, found in Pebble's `PATH`, and its arguments.
    pub command: &'a [&'a str],
    /// Where it runs. It is always told to Pebble, whose own choice is a home that may not exist.
    pub working_dir: &'a str,
    /// On top of Pebble's own environment.
    pub environment: &'a [(&'a str, &'a str)],
    /// Who runs it; `None` for whom Pebble runs as.
    pub user: Option<Owner<'a>>,
    /// What it reads.
    pub input: &'a [u8],
    /// Pebble kills the command after so long, but not what the command started.
    pub timeout: Duration,
}

impl<'a> Exec<'a> {
    /// The command alone: in `/`, as whom Pebble runs as, with nothing to read.
    pub fn new(command: &'a [&'a str], timeout: Duration) -> Self {
        Self { command, working_dir: "/", environment: &[], user: None, input: &[], timeout }
    }
}

/// How a command ended. Its `Debug` does not show what it printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its exit code, or 128 and the number of the signal that ended it. Only 0 is a success, and
    /// another is no error of the call.
    pub exit_code: i64,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// All of its standard error.
    pub stderr: Vec<u8>,
}

impl fmt::Debug for Finished {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stdout, stderr) = (self.stdout.len(), self.stderr.len());
        write!(out, "exit code {}, {stdout} and {stderr} bytes", self.exit_code)
    }
}

/// The answer's environment is left out: it is the command's whole environment.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Begun {
    task_id: String,
}

impl Pebble {
    /// Runs a command to its end, `exec.timeout` and two seconds more at the most. Each of its streams may
    /// have 1 MiB.
    ///
    /// When the deadline passes, or a stream is longer, the connections are closed, at which Pebble kills
    /// the command. What the command itself started in the background may live on, and holds the streams
    /// open for as long as it has them.
    pub fn exec(&self, exec: &Exec<'_>) -> Result<Finished, PebbleError> {
        let program = exec.command.first().copied().unwrap_or_default();
        let call = self.call(format!("run {program}"));
        let pebble = self.at_most(exec.timeout.saturating_add(GRACE));
        let (change, task) = pebble.begin(&call, exec)?;
        let (stdout, stderr) = match pebble.converse(&call, &task, exec.input) {
            Ok(output) => output,
            Err(error @ (PebbleError::Refused { .. } | PebbleError::NotConnected { .. })) => {
                // The change says why, unless Pebble is gone.
                pebble.wait_for(&call, &change)?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        // Only now: a change is not over before all of its output is taken.
        let ended = pebble.wait_for(&call, &change)?;
        let exit_code = ended.exit_code();
        let exit_code = exit_code.ok_or_else(|| PebbleError::garbage(call, "no exit code"))?;
        Ok(Finished { exit_code, stdout, stderr })
    }

    fn begin(&self, call: &Call, exec: &Exec<'_>) -> Result<(ChangeId, ChangeId), PebbleError> {
        let environment: serde_json::Map<_, _> = exec
            .environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        let body = json!({
            "command": exec.command,
            "working-dir": exec.working_dir,
            "environment": environment,
            "user": exec.user.map(|owner| owner.user),
            "group": exec.user.map(|owner| owner.group),
            "timeout": format!("{}ms", exec.timeout.as_millis().max(1)),
            "split-stderr": true,
        });
        let answer = self.post(call, "/v1/exec", &body)?;
        let (change, begun) = self.begun::<Begun>(call, &answer)?;
        // A task's id is as plain as a change's.
        let task = begun.and_then(|begun| ChangeId::parse(&begun.task_id));
        Ok((change, task.ok_or_else(|| PebbleError::garbage(call.clone(), "no task id"))?))
    }

    /// Connects all that Pebble waits for, and then feeds and drains the command on three threads:
    /// whichever pipe is left full stops it.
    fn converse(
        &self,
        call: &Call,
        task: &ChangeId,
        input: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), PebbleError> {
        // Never used, but while it is open, Pebble kills the command when we are gone.
        let _control = self.websocket(call, task, "control")?;
        let mut stdio = self.websocket(call, task, "stdio")?;
        let mut stderr = self.websocket(call, task, "stderr")?;
        let fed = stdio.writer()?;
        let (stdio_end, stderr_end) = (stdio.share()?, stderr.share()?);
        let not_started = |error: io::Error| lost(call.clone(), error);
        thread::scope(|scope| {
            thread::Builder::new().spawn_scoped(scope, || fed.feed(input)).map_err(not_started)?;
            let errors = thread::Builder::new()
                .spawn_scoped(scope, || drain(&mut stderr, &stdio_end))
                .map_err(not_started)?;
            let output = drain(&mut stdio, &stderr_end);
            let errors = errors
                .join()
                .unwrap_or_else(|_| Err(PebbleError::garbage(call.clone(), "a thread failed")));
            // Nobody reads any more what is still to be fed.
            stdio.hang_up();
            match (output, errors) {
                (Ok(output), Ok(errors)) => Ok((output, errors)),
                // The stream that failed first closed the other one.
                (Err(closed), Err(error)) if closed.is_not_connected() => Err(error),
                (Err(error), _) | (Ok(_), Err(error)) => Err(error),
            }
        })
    }
}

/// Where one stream fails, the other has nothing to wait for.
fn drain(stream: &mut Stream, other: &Socket) -> Result<Vec<u8>, PebbleError> {
    let drained = stream.drain(LONGEST_ANSWER);
    if drained.is_err() {
        other.hang_up();
    }
    drained
}

/// What Pebble may need to tell of the time-out.
const GRACE: Duration = Duration::from_secs(2);
