//! `/v1/changes`: what Pebble does in the background, and how it ended.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::clients::pebble::Pebble;
use crate::clients::pebble::error::Call;
use crate::clients::pebble::error::PebbleError;

/// A change's name; digits today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeId(String);

impl ChangeId {
    /// What can stand in a path as it is.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (!text.is_empty() && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A change as far as it has come. Its `Debug` leaves out the log, where a service may have printed
/// anything.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// `start`, `replan`, `exec`, ..
    pub kind: String,
    /// `Done`, `Doing`, `Error`, ..
    pub status: String,
    /// Whether it is over.
    pub ready: bool,
    /// Why it failed: a line, then one for each failed task.
    err: Option<String>,
    /// Absent when there was nothing to do.
    tasks: Option<Vec<Task>>,
}

#[derive(Clone, Deserialize)]
struct Task {
    status: String,
    log: Option<Vec<String>>,
    data: Option<TaskData>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct TaskData {
    exit_code: Option<Value>,
}

impl fmt::Debug for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, status, ready, .. } = self;
        write!(out, "{kind} in status {status}, ready: {ready}")
    }
}

impl Change {
    /// How the command of an `exec` ended: its exit code, or 128 and the signal's number. A change
    /// that a restart of Pebble cut off has none.
    pub(crate) fn exit_code(&self) -> Option<i64> {
        let first = self.tasks.as_ref()?.first()?;
        first.data.as_ref()?.exit_code.as_ref()?.as_i64()
    }

    /// `None` when it went well. Pebble answers a failed change with HTTP status 200.
    fn reason(&self) -> Option<String> {
        if let Some(error) = self.err.as_deref().filter(|error| !error.is_empty()) {
            let tasks = error.strip_prefix(FAILED_TASKS).unwrap_or(error);
            let tasks = tasks.lines().map(|task| task.trim_start_matches("- "));
            return Some(tasks.filter(|task| !task.is_empty()).collect::<Vec<_>>().join("; "));
        }
        // A change that was aborted before it began has no error.
        (self.status != "Done").then(|| format!("it ended in status {}", self.status))
    }

    /// What the failed tasks logged, but for the lines that repeat the reason and without the times.
    fn log(&self) -> String {
        let failed = self.tasks.iter().flatten().filter(|task| task.status == "Error");
        failed
            .flat_map(|task| task.log.iter().flatten())
            .filter_map(|line| line.split_once(" INFO ").map(|(_, text)| format!("\n{text}")))
            .collect()
    }
}

impl Pebble {
    /// `GET /v1/changes/{id}`: how far it is. `is_not_found` when it was pruned, after 7 days.
    pub fn change(&self, id: &ChangeId) -> Result<Change, PebbleError> {
        let call = self.call(format!("read change {id}"));
        let answer = self.get(&call, &format!("/v1/changes/{id}"), &[])?;
        let change = self.result(&call, &answer)?;
        change.ok_or_else(|| PebbleError::garbage(call, "no result"))
    }

    /// Waits until a change is over, and fails as it did. The change goes on when the budget ends
    /// first.
    pub fn wait(&self, id: &ChangeId) -> Result<Change, PebbleError> {
        self.wait_for(&self.call(format!("wait for change {id}")), id)
    }

    /// Waits for what this call began.
    pub(crate) fn wait_for(&self, call: &Call, id: &ChangeId) -> Result<Change, PebbleError> {
        loop {
            let change = match self.wait_a_slice(call, id) {
                // The slice is over, and the change is not.
                Err(PebbleError::Refused { status: 504, .. }) => None,
                ended => Some(ended?),
            };
            match change {
                Some(change) if change.ready => return self.judged(call, id, change),
                // The pause is for a Pebble that does not wait.
                Some(_) | None if self.budget.pause(BETWEEN_SLICES) => {}
                Some(_) | None => return Err(PebbleError::TimedOut(call.clone())),
            }
        }
    }

    /// `GET /v1/changes/{id}/wait`. Without a time-out, or with one of 0, Pebble would wait for ever.
    fn wait_a_slice(&self, call: &Call, id: &ChangeId) -> Result<Change, PebbleError> {
        let left = self.budget.left().ok_or_else(|| PebbleError::TimedOut(call.clone()))?;
        let slice = format!("{}ms", left.min(SLICE).as_millis().max(1));
        let path = format!("/v1/changes/{id}/wait");
        let answer = self.get(call, &path, &[("timeout", &slice)])?;
        let change = self.result(call, &answer)?;
        change.ok_or_else(|| PebbleError::garbage(call.clone(), "no result"))
    }

    fn judged(&self, call: &Call, id: &ChangeId, change: Change) -> Result<Change, PebbleError> {
        let Some(reason) = change.reason() else { return Ok(change) };
        // Masked before it is cut, so that no half of a secret is left.
        let log = self.masked(&change.log());
        let unwanted = log.char_indices().rev().nth(LONGEST_LOG).map_or(0, |(at, _)| at);
        let log = match log.get(unwanted..) {
            Some(tail) if unwanted > 0 => format!("\n.. {}", tail.trim_start()),
            _ => log,
        };
        let reason = self.masked(&reason).chars().take(LONGEST_REASON).collect();
        Err(PebbleError::ChangeFailed { call: call.clone(), change: id.clone(), reason, log })
    }
}

/// How Pebble begins the error of a change.
const FAILED_TASKS: &str = "cannot perform the following tasks:\n";

/// Less than a call may take.
const SLICE: Duration = Duration::from_secs(4);

const BETWEEN_SLICES: Duration = Duration::from_millis(20);

/// In characters: Pebble logs up to 20 lines of a service.
const LONGEST_LOG: usize = 2000;

/// In characters.
const LONGEST_REASON: usize = 1000;
