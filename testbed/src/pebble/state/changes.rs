//! Changes and their tasks: what was asked for, how far it is, what went wrong.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::pebble::clock;

/// How far a task or a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Hold,
    Do,
    Doing,
    Done,
    Abort,
    Error,
}

impl Status {
    /// Whether nothing more will happen.
    pub(crate) fn is_ready(self) -> bool {
        matches!(self, Self::Hold | Self::Done | Self::Error)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Hold => "Hold",
            Self::Do => "Do",
            Self::Doing => "Doing",
            Self::Done => "Done",
            Self::Abort => "Abort",
            Self::Error => "Error",
        }
    }
}

/// Something that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) kind: String,
    pub(crate) summary: String,
    pub(crate) tasks: Vec<u64>,
    /// The services it is about, for the `for` filter.
    pub(crate) services: Vec<String>,
    /// The check it is about, told in its notices.
    pub(crate) check: Option<String>,
    pub(crate) spawned: Timestamp,
    pub(crate) ready: Option<Timestamp>,
}

/// One step of a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) change: u64,
    pub(crate) kind: String,
    pub(crate) summary: String,
    pub(crate) status: Status,
    pub(crate) log: Vec<String>,
    pub(crate) waits_for: Vec<u64>,
    pub(crate) lane: usize,
    pub(crate) data: Map<String, Value>,
    pub(crate) spawned: Timestamp,
    pub(crate) ready: Option<Timestamp>,
}

/// All changes that are remembered.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Changes {
    last_change: u64,
    last_task: u64,
    pub(crate) all: BTreeMap<u64, Change>,
    pub(crate) tasks: BTreeMap<u64, Task>,
}

impl Changes {
    /// A number for a new change.
    pub(crate) fn next_change(&mut self) -> u64 {
        self.last_change += 1;
        self.last_change
    }

    /// A number for a new task.
    pub(crate) fn next_task(&mut self) -> u64 {
        self.last_task += 1;
        self.last_task
    }

    /// A change is as far as its least finished task; without tasks it has nothing left to do.
    pub(crate) fn status(&self, change: &Change) -> Status {
        const ORDER: [Status; 6] =
            [Status::Abort, Status::Doing, Status::Do, Status::Error, Status::Done, Status::Hold];
        let has = |wanted: Status| {
            change.tasks.iter().any(|id| self.tasks.get(id).is_some_and(|t| t.status == wanted))
        };
        ORDER.into_iter().find(|&status| has(status)).unwrap_or(Status::Done)
    }

    /// Moves a task on. Answers the change if its own status changed with it.
    pub(crate) fn set_status(&mut self, id: u64, status: Status) -> Option<u64> {
        let change_id = self.tasks.get(&id)?.change;
        let before = self.status(self.all.get(&change_id)?);
        let task = self.tasks.get_mut(&id)?;
        task.status = status;
        if status.is_ready() {
            task.ready = Some(clock::now());
        }
        let after = self.status(self.all.get(&change_id)?);
        if after.is_ready() {
            self.all.get_mut(&change_id)?.ready.get_or_insert_with(clock::now);
        }
        (before != after).then_some(change_id)
    }

    /// Adds a line to a task's log, which keeps the last ten.
    pub(crate) fn log(&mut self, id: u64, level: &str, text: &str) {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.log.push(format!("{} {level} {text}", clock::local(clock::now())));
            let surplus = task.log.len().saturating_sub(LOG_LINES);
            task.log.drain(..surplus);
        }
    }

    /// Those that wait, directly or not, for this task or stand behind it in its lane.
    pub(crate) fn held_up_by(&self, id: u64) -> Vec<u64> {
        let Some(failed) = self.tasks.get(&id) else { return vec![] };
        let Some(change) = self.all.get(&failed.change) else { return vec![] };
        let mut held = vec![id];
        let mut at = 0;
        while let Some(&cause) = held.get(at) {
            at += 1;
            for other in &change.tasks {
                let Some(task) = self.tasks.get(other) else { continue };
                let follows = task.waits_for.contains(&cause)
                    || (cause == id && task.lane == failed.lane && task.kind == failed.kind);
                if follows && task.status == Status::Do && !held.contains(other) {
                    held.push(*other);
                }
            }
        }
        held.split_off(1)
    }

    /// Forgets finished changes that are old or too many.
    pub(crate) fn prune(&mut self) {
        let now = clock::now();
        let mut ready: Vec<(Timestamp, u64)> =
            self.all.iter().filter_map(|(id, c)| c.ready.map(|ready| (ready, *id))).collect();
        ready.sort_unstable();
        let surplus = ready.len().saturating_sub(MOST_CHANGES);
        for (at, (ready, id)) in ready.into_iter().enumerate() {
            if at < surplus || now.duration_since(ready).unsigned_abs() > KEPT_FOR {
                let gone = self.all.remove(&id);
                for task in gone.into_iter().flat_map(|change| change.tasks) {
                    self.tasks.remove(&task);
                }
            }
        }
    }

    /// Ends what an earlier run left behind. Answers the changes whose status changed.
    pub(crate) fn end_unfinished(&mut self) -> Vec<(u64, String)> {
        let open: Vec<u64> =
            self.tasks.iter().filter(|(_, t)| !t.status.is_ready()).map(|(id, _)| *id).collect();
        let mut changed = Vec::new();
        for id in open {
            let Some(task) = self.tasks.get(&id) else { continue };
            let begun = matches!(task.status, Status::Doing | Status::Abort);
            let end = match (task.kind.as_str(), begun) {
                ("start", true) => {
                    self.log(id, "ERROR", "service already started, not retrying");
                    Status::Error
                }
                ("exec" | "stop", true) => Status::Done,
                _ => Status::Hold,
            };
            changed.extend(self.set_status(id, end));
        }
        changed
            .into_iter()
            .filter_map(|id| self.all.get(&id).map(|change| (id, change.kind.clone())))
            .collect()
    }

    /// Why a change failed: a line for each error that its tasks logged.
    pub(crate) fn error(&self, change: &Change) -> Option<String> {
        let mut lines = Vec::new();
        for task in change.tasks.iter().filter_map(|id| self.tasks.get(id)) {
            if task.status != Status::Error {
                continue;
            }
            let errors = task.log.iter().filter_map(|line| {
                line.split_once(' ').and_then(|(_, rest)| rest.strip_prefix("ERROR "))
            });
            lines.extend(errors.map(|error| format!("- {} ({error})", task.summary)));
        }
        if lines.is_empty() {
            return None;
        }
        Some(format!("cannot perform the following tasks:\n{}", lines.join("\n")))
    }

    /// A change as the API shows it.
    pub(crate) fn shown(&self, id: u64) -> Option<Value> {
        let change = self.all.get(&id)?;
        let status = self.status(change);
        let mut shown = json!({
            "id": id.to_string(),
            "kind": change.kind,
            "summary": change.summary,
            "status": status.word(),
            "ready": status.is_ready(),
            "spawn-time": clock::local(change.spawned),
        });
        let tasks: Vec<Value> = change.tasks.iter().filter_map(|&id| self.shown_task(id)).collect();
        if let Value::Object(fields) = &mut shown {
            if !tasks.is_empty() {
                fields.insert("tasks".to_owned(), tasks.into());
            }
            if let Some(error) = self.error(change).filter(|_| status == Status::Error) {
                fields.insert("err".to_owned(), error.into());
            }
            if let Some(ready) = change.ready.filter(|_| status.is_ready()) {
                fields.insert("ready-time".to_owned(), clock::local(ready).into());
            }
        }
        Some(shown)
    }

    fn shown_task(&self, id: u64) -> Option<Value> {
        let task = self.tasks.get(&id)?;
        let mut shown = json!({
            "id": id.to_string(),
            "kind": task.kind,
            "summary": task.summary,
            "status": task.status.word(),
            "progress": {"label": "", "done": u8::from(task.status != Status::Do), "total": 1},
            "spawn-time": clock::local(task.spawned),
        });
        if let Value::Object(fields) = &mut shown {
            if !task.log.is_empty() {
                fields.insert("log".to_owned(), task.log.clone().into());
            }
            if let Some(ready) = task.ready {
                fields.insert("ready-time".to_owned(), clock::local(ready).into());
            }
            if !task.data.is_empty() {
                fields.insert("data".to_owned(), task.data.clone().into());
            }
        }
        Some(shown)
    }
}

const LOG_LINES: usize = 10;
const MOST_CHANGES: usize = 1000;
const KEPT_FOR: Duration = Duration::from_hours(168);
