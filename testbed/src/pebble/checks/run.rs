//! The two tasks of a check: to perform it while it is up, and to see it recover.

use std::rc::Rc;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;
use tokio::time::interval_at;

use tokio::time::Instant;

use crate::pebble::checks::CheckRun;
use crate::pebble::checks::look;
use crate::pebble::checks::look::Failure;
use crate::pebble::clock::Span;
use crate::pebble::journal;
use crate::pebble::plan::entries::Check;
use crate::pebble::quote::quoted;
use crate::pebble::services::machine;
use crate::pebble::shared::Shared;
use crate::pebble::tasks;
use crate::pebble::tasks::Abort;
use crate::pebble::tasks::Job;
use crate::pebble::tasks::NewChange;
use crate::pebble::tasks::NewTask;

/// Starts a check, from zero.
pub(crate) fn begin(shared: &Rc<Shared>, name: &str) {
    if let Some(run) = shared.checks.borrow_mut().get_mut(name) {
        run.successes = 0;
        run.failures = 0;
    }
    enter(shared, name, Mode::Perform);
}

/// Which of the two tasks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Perform,
    Recover,
}

/// Makes the change that the check runs in from now on.
fn enter(shared: &Rc<Shared>, name: &str, mode: Mode) {
    let Some(config) = shared.checks.borrow().get(name).map(|run| run.config.clone()) else {
        return;
    };
    let (kind, verb) = match mode {
        Mode::Perform => ("perform-check", "Perform"),
        Mode::Recover => ("recover-check", "Recover"),
    };
    let summary = format!("{verb} {} check {}", config.kind(), quoted(name));
    let (ask, asked) = mpsc::unbounded_channel();
    let job: Job = {
        let (shared, name) = (Rc::clone(shared), name.to_owned());
        Box::new(move |task, abort| {
            let turn = Turn { shared, name, config, task, mode, successes: 0 };
            Box::pin(turn.run(asked, abort))
        })
    };
    let task = NewTask { kind, summary: summary.clone(), waits_for: vec![], lane: 0, job };
    let check = Some(name.to_owned());
    let change = NewChange { kind, summary, services: vec![], check, tasks: vec![task] };
    let (change, _) = tasks::begin(shared, change);
    if let Some(run) = shared.checks.borrow_mut().get_mut(name) {
        run.change = Some(change);
        run.refresh = Some(ask);
    }
}

/// One task's view of its check.
struct Turn {
    shared: Rc<Shared>,
    name: String,
    config: Check,
    task: u64,
    mode: Mode,
    successes: u64,
}

impl Turn {
    async fn run(
        mut self,
        mut requests: mpsc::UnboundedReceiver<oneshot::Sender<Result<(), Failure>>>,
        abort: Abort,
    ) -> Result<(), String> {
        let period = self.config.period().max(SHORTEST).duration();
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let tell = tokio::select! {
                _ = ticks.tick() => None,
                request = requests.recv() => match request {
                    Some(tell) => Some(tell),
                    None => return Ok(()),
                },
                () = abort.asked() => return Ok(()),
            };
            let found = tokio::select! {
                found = look::look(&self.shared, &self.config) => found,
                () = gone(&requests) => return Ok(()),
                () = abort.asked() => return Ok(()),
            };
            let over = match &found {
                Ok(()) => self.succeeded(),
                Err(failure) => self.failed(failure),
            };
            if let Some(tell) = tell {
                // The one who asked may have hung up.
                let _ = tell.send(found);
            }
            if over {
                return Ok(());
            }
        }
    }

    /// Answers whether this task is over.
    fn succeeded(&mut self) -> bool {
        self.successes += 1;
        let successes = self.successes;
        let failures = self.counted(|run| {
            run.all_successes += 1;
            run.successes = successes;
            std::mem::take(&mut run.failures)
        });
        if failures == 0 {
            return false;
        }
        let times = if failures == 1 { "failure" } else { "failures" };
        tasks::log(&self.shared, self.task, "INFO", &format!("succeeded after {failures} {times}"));
        if self.mode == Mode::Perform {
            return false;
        }
        tasks::finish(&self.shared, self.task, Ok(()));
        enter(&self.shared, &self.name, Mode::Perform);
        true
    }

    fn failed(&mut self, failure: &Failure) -> bool {
        let successes = self.successes;
        let mode = self.mode;
        let failures = self.counted(|run| {
            run.all_failures += 1;
            run.failures += 1;
            // A check that recovers keeps the count from before until it does.
            if mode == Mode::Perform {
                run.successes = successes;
            }
            run.failures
        });
        let threshold = self.config.threshold;
        let name = quoted(&self.name);
        journal::note(&format!("Check {name} failure {failures}/{threshold}: {}", failure.why));
        if self.mode == Mode::Recover || failures < threshold {
            tasks::log(&self.shared, self.task, "ERROR", &failure.in_full());
            return false;
        }
        call_handlers(&self.shared, &self.name);
        tasks::finish(&self.shared, self.task, Err(failure.why.clone()));
        enter(&self.shared, &self.name, Mode::Recover);
        true
    }

    fn counted<T: Default>(&self, count: impl FnOnce(&mut CheckRun) -> T) -> T {
        self.shared.checks.borrow_mut().get_mut(&self.name).map(count).unwrap_or_default()
    }
}

/// Returns when the check was stopped: nobody can ask for a look any more.
async fn gone<T>(asked: &mpsc::UnboundedReceiver<T>) {
    while !asked.is_closed() {
        tokio::time::sleep(GLANCE).await;
    }
}

/// The check is down: services that care are restarted, or the daemon ends.
fn call_handlers(shared: &Rc<Shared>, check: &str) {
    let wishes: Vec<(String, String)> = shared
        .services
        .borrow()
        .iter()
        .filter(|(_, run)| run.stage.is_alive())
        .filter_map(|(name, run)| {
            run.config.on_check_failure.get(check).map(|action| (name.clone(), action.clone()))
        })
        .collect();
    for (service, action) in wishes {
        match action.as_str() {
            "restart" => machine::restart_for_check(shared, &service),
            "shutdown" => shared.end(CHECK_FAILED),
            "success-shutdown" => shared.end(0),
            _ => {}
        }
    }
}

/// A period of no time at all, or less, would be a busy loop.
const SHORTEST: Span = Span::millis(1);

/// How soon a look at something slow notices that its check was stopped.
const GLANCE: std::time::Duration = std::time::Duration::from_millis(50);

/// The exit code of a daemon whose check failed.
const CHECK_FAILED: u8 = 11;
