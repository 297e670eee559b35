//! Services: what runs, what ran, and what happens when it ends.

pub(crate) mod actions;
mod launch;
pub(crate) mod machine;

use jiff::Timestamp;
use nix::unistd::Pid;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::pebble::clock;
use crate::pebble::clock::Span;
use crate::pebble::logs::LogBuffer;
use crate::pebble::plan::entries::Service;
use crate::pebble::shared::Shared;

/// Where a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Known, and about to be started.
    Initial,
    /// In its first second.
    Starting,
    Running,
    /// SIGTERM was sent.
    Terminating,
    /// SIGKILL was sent.
    Killing,
    Stopped,
    /// Waits to be started again.
    Backoff,
    /// Ended on its own, and stays so.
    Exited,
}

impl Stage {
    /// The word that the API has for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Starting | Self::Running => "active",
            Self::Initial | Self::Terminating | Self::Killing | Self::Stopped => "inactive",
            Self::Backoff => "backoff",
            Self::Exited => "error",
        }
    }

    /// Whether there is a process that may be signalled.
    pub(crate) fn is_alive(self) -> bool {
        matches!(self, Self::Starting | Self::Running)
    }
}

/// A service that was started at least once in this run of the daemon.
pub(crate) struct ServiceRun {
    /// What it was last started with, or would have been.
    pub(crate) config: Service,
    pub(crate) stage: Stage,
    pub(crate) since: Timestamp,
    pub(crate) logs: Rc<LogBuffer>,
    pub(crate) starts: u64,
    pid: Option<Pid>,
    /// Counts processes, so that a timer knows whether it is meant.
    run: u64,
    started: Option<oneshot::Sender<Result<(), String>>>,
    stopped: Option<oneshot::Sender<Result<(), String>>>,
    backoffs: u32,
    backoff: Span,
    /// It ends because a check failed, and is to be started again.
    restarting: bool,
}

impl ServiceRun {
    fn new(name: &str, config: Service) -> Self {
        Self {
            config,
            stage: Stage::Initial,
            since: clock::now(),
            logs: Rc::new(LogBuffer::new(name)),
            starts: 0,
            pid: None,
            run: 0,
            started: None,
            stopped: None,
            backoffs: 0,
            backoff: Span(0),
            restarting: false,
        }
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.since = clock::now();
    }
}

/// Does something to a service; nothing if it is unknown.
fn with<T>(shared: &Shared, name: &str, act: impl FnOnce(&mut ServiceRun) -> T) -> Option<T> {
    shared.services.borrow_mut().get_mut(name).map(act)
}

/// Does something later, if the process is still the same one.
fn after(
    shared: &Rc<Shared>,
    name: &str,
    delay: Duration,
    run: Option<u64>,
    act: fn(&Rc<Shared>, &str, &mut ServiceRun),
) {
    let (shared, name) = (Rc::clone(shared), name.to_owned());
    spawn_local(async move {
        sleep(delay).await;
        with(&shared, &name, |service| {
            if Some(service.run) == run {
                act(&shared, &name, service);
            }
        });
    });
}
