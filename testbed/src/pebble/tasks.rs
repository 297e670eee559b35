//! Runs the tasks of changes: each when those before it are done, all others side by side.

use serde_json::Map;
use serde_json::Value;
use std::future::Future;
use std::future::pending;
use std::pin::Pin;
use std::rc::Rc;
use tokio::sync::watch;
use tokio::task::spawn_local;

use crate::pebble::clock;
use crate::pebble::faults::TaskFault;
use crate::pebble::shared::Shared;
use crate::pebble::state::State;
use crate::pebble::state::changes::Change;
use crate::pebble::state::changes::Status;
use crate::pebble::state::changes::Task;

/// Tells a running task that it is no longer wanted.
#[derive(Clone)]
pub(crate) struct Abort(watch::Sender<bool>);

impl Abort {
    fn new() -> Self {
        Self(watch::channel(false).0)
    }

    fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Returns when the task was aborted; never, otherwise.
    pub(crate) async fn asked(&self) {
        let mut told = self.0.subscribe();
        if told.wait_for(|&asked| asked).await.is_err() {
            pending::<()>().await;
        }
    }
}

/// What a task does; it answers why it failed.
pub(crate) type Outcome = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// A task's work, begun with its number and its way to be aborted.
pub(crate) type Job = Box<dyn FnOnce(u64, Abort) -> Outcome>;

/// A task to be made.
pub(crate) struct NewTask {
    pub(crate) kind: &'static str,
    pub(crate) summary: String,
    /// Places, in the change's list, of the tasks that must be done before.
    pub(crate) waits_for: Vec<usize>,
    /// When one fails, those behind it in its lane are not begun.
    pub(crate) lane: usize,
    pub(crate) job: Job,
}

/// A change to be made.
pub(crate) struct NewChange {
    pub(crate) kind: &'static str,
    pub(crate) summary: String,
    pub(crate) services: Vec<String>,
    pub(crate) check: Option<String>,
    pub(crate) tasks: Vec<NewTask>,
}

/// Makes a change and begins it. Answers its number and those of its tasks.
pub(crate) fn begin(shared: &Rc<Shared>, new: NewChange) -> (u64, Vec<u64>) {
    let now = clock::now();
    let mut jobs = Vec::new();
    let (change, ids) = shared.change_state(|state| {
        let changes = &mut state.changes;
        changes.prune();
        let change = changes.next_change();
        let ids: Vec<u64> = new.tasks.iter().map(|_| changes.next_task()).collect();
        for (task, &id) in new.tasks.into_iter().zip(&ids) {
            let waits_for = task.waits_for.iter().filter_map(|&at| ids.get(at).copied()).collect();
            jobs.push((id, task.job));
            changes.tasks.insert(
                id,
                Task {
                    change,
                    kind: task.kind.to_owned(),
                    summary: task.summary,
                    status: Status::Do,
                    log: vec![],
                    waits_for,
                    lane: task.lane,
                    data: Map::new(),
                    spawned: now,
                    ready: None,
                },
            );
        }
        let made = Change {
            kind: new.kind.to_owned(),
            summary: new.summary,
            tasks: ids.clone(),
            services: new.services,
            check: new.check,
            spawned: now,
            ready: ids.is_empty().then_some(now),
        };
        changes.all.insert(change, made);
        tell(state, Some(change));
        if ids.is_empty() {
            // Begun and done at once: two occurrences, as for any other change.
            tell(state, Some(change));
        }
        (change, ids)
    });
    shared.jobs.borrow_mut().extend(jobs);
    advance(shared, change);
    (change, ids)
}

/// Records that a change got another status.
fn tell(state: &mut State, change: Option<u64>) {
    let Some(id) = change else { return };
    let Some(known) = state.changes.all.get(&id) else { return };
    state.notices.record_change(id, &known.kind, known.check.as_deref());
}

fn set_status(shared: &Shared, task: u64, status: Status) {
    shared.change_state(|state| {
        let changed = state.changes.set_status(task, status);
        tell(state, changed);
    });
}

/// Begins what can be begun.
fn advance(shared: &Rc<Shared>, change: u64) {
    let due: Vec<u64> = shared.state(|state| {
        let changes = &state.changes;
        let done = |id: &u64| changes.tasks.get(id).is_some_and(|t| t.status == Status::Done);
        let tasks = changes.all.get(&change).map(|c| c.tasks.as_slice()).unwrap_or_default();
        tasks
            .iter()
            .filter(|id| {
                changes
                    .tasks
                    .get(id)
                    .is_some_and(|t| t.status == Status::Do && t.waits_for.iter().all(done))
            })
            .copied()
            .collect()
    });
    for task in due {
        let Some(job) = shared.jobs.borrow_mut().remove(&task) else { continue };
        let abort = Abort::new();
        shared.aborts.borrow_mut().insert(task, abort.clone());
        set_status(shared, task, Status::Doing);
        let kind = shared.state(|s| s.changes.tasks.get(&task).map(|t| t.kind.clone()));
        let fault = shared.faults.borrow_mut().for_task(&kind.unwrap_or_default());
        let shared = Rc::clone(shared);
        spawn_local(async move {
            let outcome = match fault {
                None => job(task, abort).await,
                Some(TaskFault::Fail(why)) => Err(why),
                Some(TaskFault::Hang) => {
                    abort.asked().await;
                    Err("task hung, and was aborted".to_owned())
                }
            };
            finish(&shared, task, outcome);
        });
    }
}

/// Ends a task, and begins or holds those behind it. It may be called before the job returns, by a
/// job that must be over at a certain moment; the second time does nothing.
pub(crate) fn finish(shared: &Rc<Shared>, task: u64, outcome: Result<(), String>) {
    if shared.aborts.borrow_mut().remove(&task).is_none() {
        return;
    }
    let change = match outcome {
        Ok(()) => {
            set_status(shared, task, Status::Done);
            shared.state(|state| state.changes.tasks.get(&task).map(|task| task.change))
        }
        Err(why) => {
            shared.change_state(|state| state.changes.log(task, "ERROR", &why));
            set_status(shared, task, Status::Error);
            for held in shared.state(|state| state.changes.held_up_by(task)) {
                shared.jobs.borrow_mut().remove(&held);
                set_status(shared, held, Status::Hold);
            }
            None
        }
    };
    if let Some(change) = change {
        advance(shared, change);
    }
}

/// Aborts a change: what has not begun is held, what runs is told. Answers whether there was anything.
pub(crate) fn abort(shared: &Rc<Shared>, change: u64) -> bool {
    let tasks = shared.state(|state| {
        let changes = &state.changes;
        let known = changes.all.get(&change).map(|c| c.tasks.clone()).unwrap_or_default();
        let status = |id: u64| changes.tasks.get(&id).map(|task| (id, task.status));
        known.into_iter().filter_map(status).filter(|(_, s)| !s.is_ready()).collect::<Vec<_>>()
    });
    for &(task, status) in &tasks {
        if status == Status::Do {
            shared.jobs.borrow_mut().remove(&task);
            set_status(shared, task, Status::Hold);
        } else {
            set_status(shared, task, Status::Abort);
            let told = shared.aborts.borrow().get(&task).cloned();
            if let Some(abort) = told {
                abort.ask();
            }
        }
    }
    !tasks.is_empty()
}

/// Adds a line to a task's log.
pub(crate) fn log(shared: &Shared, task: u64, level: &str, text: &str) {
    shared.change_state(|state| state.changes.log(task, level, text));
}

/// Sets a field of a task's data.
pub(crate) fn set_data(shared: &Shared, task: u64, key: &str, value: Value) {
    shared.change_state(|state| {
        if let Some(task) = state.changes.tasks.get_mut(&task) {
            task.data.insert(key.to_owned(), value);
        }
    });
}

/// Waits until a change is ready.
pub(crate) async fn ready(shared: &Shared, change: u64) {
    let mut pulse = shared.pulse();
    loop {
        let over = shared.state(|state| {
            let changes = &state.changes;
            changes.all.get(&change).is_none_or(|c| changes.status(c).is_ready())
        });
        if over || pulse.changed().await.is_err() {
            return;
        }
    }
}
