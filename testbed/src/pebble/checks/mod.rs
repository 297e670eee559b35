//! Checks: each that runs is a change, `perform-check` while it is up and `recover-check` while it is down.

pub(crate) mod http;
pub(crate) mod look;
pub(crate) mod run;

use serde_json::Value;
use serde_json::json;
use std::rc::Rc;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::pebble::checks::look::Failure;
use crate::pebble::plan::entries::Check;
use crate::pebble::quote::listed;
use crate::pebble::shared::Shared;

/// A check of the plan, and what it found.
pub(crate) struct CheckRun {
    pub(crate) config: Check,
    /// Counts since it was started or recovered.
    successes: u64,
    /// Failures in a row.
    failures: i64,
    /// The change that it runs in; none while it is stopped.
    change: Option<u64>,
    /// Asks for a look now.
    refresh: Option<mpsc::UnboundedSender<Asked>>,
    pub(crate) all_successes: u64,
    pub(crate) all_failures: u64,
}

/// Who asked for a look, to be told what came of it.
type Asked = oneshot::Sender<Result<(), Failure>>;

impl CheckRun {
    fn new(config: Check) -> Self {
        Self {
            config,
            successes: 0,
            failures: 0,
            change: None,
            refresh: None,
            all_successes: 0,
            all_failures: 0,
        }
    }

    /// Whether it failed as often as it may.
    pub(crate) fn is_down(&self) -> bool {
        self.change.is_some() && self.failures > 0 && self.failures >= self.config.threshold
    }

    /// A check as the API shows it.
    pub(crate) fn shown(&self, name: &str) -> Value {
        let status = match self.change {
            None => "inactive",
            Some(_) if self.is_down() => "down",
            Some(_) => "up",
        };
        let startup = if self.config.is_disabled() { "disabled" } else { "enabled" };
        let mut shown = json!({
            "name": name,
            "startup": startup,
            "status": status,
            "successes": self.successes,
            "threshold": self.config.threshold,
        });
        if let Value::Object(fields) = &mut shown {
            if !self.config.level.is_empty() {
                fields.insert("level".to_owned(), self.config.level.clone().into());
            }
            if self.failures != 0 {
                fields.insert("failures".to_owned(), self.failures.into());
            }
            if let Some(change) = self.change {
                fields.insert("change-id".to_owned(), change.to_string().into());
            }
        }
        shown
    }
}

/// The plan has changed: new checks and changed ones start; the others go on counting.
pub(crate) fn follow_plan(shared: &Rc<Shared>) {
    let planned = shared.plan(|plan| plan.checks.clone());
    for (name, config) in planned {
        let (known, running) = {
            let checks = shared.checks.borrow();
            let known = checks.get(&name);
            (known.map(|run| run.config.clone()), known.is_some_and(|run| run.change.is_some()))
        };
        if known.as_ref() == Some(&config) {
            continue;
        }
        if config.is_disabled() {
            // A running check goes on with its old configuration until it is stopped by hand.
            if !running {
                shared.checks.borrow_mut().insert(name, CheckRun::new(config));
            }
            continue;
        }
        stop_one(shared, &name);
        shared.checks.borrow_mut().insert(name.clone(), CheckRun::new(config));
        run::begin(shared, &name);
    }
}

/// Starts every stopped check that is not disabled.
pub(crate) fn start_enabled(shared: &Rc<Shared>) {
    let due: Vec<String> = shared
        .checks
        .borrow()
        .iter()
        .filter(|(_, run)| run.change.is_none() && !run.config.is_disabled())
        .map(|(name, _)| name.clone())
        .collect();
    for name in due {
        start_one(shared, &name);
    }
}

/// Starts checks by hand. Answers those that were stopped before, or the names that are unknown.
pub(crate) fn start(shared: &Rc<Shared>, names: &[String]) -> Result<Vec<String>, String> {
    all_known(shared, names)?;
    let mut names: Vec<String> = names.to_vec();
    names.sort();
    Ok(names.into_iter().filter(|name| start_one(shared, name)).collect())
}

/// Stops checks by hand. Answers those that ran before, or the names that are unknown.
pub(crate) fn stop(shared: &Rc<Shared>, names: &[String]) -> Result<Vec<String>, String> {
    all_known(shared, names)?;
    let mut names: Vec<String> = names.to_vec();
    names.sort();
    Ok(names.into_iter().filter(|name| stop_one(shared, name)).collect())
}

fn all_known(shared: &Shared, names: &[String]) -> Result<(), String> {
    let mut unknown: Vec<&str> = shared.plan(|plan| {
        names.iter().filter(|name| !plan.checks.contains_key(*name)).map(String::as_str).collect()
    });
    unknown.sort_unstable();
    if unknown.is_empty() { Ok(()) } else { Err(listed(unknown)) }
}

fn start_one(shared: &Rc<Shared>, name: &str) -> bool {
    let config = shared.plan(|plan| plan.checks.get(name).cloned());
    let stopped = shared.checks.borrow().get(name).is_some_and(|run| run.change.is_none());
    if let Some(config) = config.filter(|_| stopped) {
        if let Some(run) = shared.checks.borrow_mut().get_mut(name) {
            run.config = config;
        }
        run::begin(shared, name);
    }
    stopped
}

fn stop_one(shared: &Rc<Shared>, name: &str) -> bool {
    let change = {
        let mut checks = shared.checks.borrow_mut();
        let Some(run) = checks.get_mut(name) else { return false };
        run.refresh = None;
        run.successes = 0;
        run.failures = 0;
        run.change.take()
    };
    // Its task sees that nobody can ask it any more, and ends.
    change.is_some()
}

/// Looks now. Answers the check as it is then, and why it failed.
pub(crate) async fn refresh(shared: &Rc<Shared>, name: &str) -> Option<(Value, Option<String>)> {
    let config = shared.plan(|plan| plan.checks.get(name).cloned())?;
    let asking = shared.checks.borrow().get(name).and_then(|run| run.refresh.clone());
    let (tell, told) = oneshot::channel();
    let sent = asking.is_some_and(|asking| asking.send(tell).is_ok());
    let found = if sent {
        told.await.unwrap_or_else(|_| Err(Failure::bare("check stopped")))
    } else {
        look::look(shared, &config).await
    };
    let checks = shared.checks.borrow();
    let shown = checks.get(name)?.shown(name);
    Some((shown, found.err().map(|failure| failure.in_full())))
}
