//! The life of one service: each function is something that happens to it.

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::spawn_local;

use crate::pebble::clock::Span;
use crate::pebble::journal;
use crate::pebble::plan::entries::Service;
use crate::pebble::process::reason;
use crate::pebble::process::signal_child;
use crate::pebble::process::signal_group;
use crate::pebble::quote::quoted;
use crate::pebble::services::ServiceRun;
use crate::pebble::services::Stage;
use crate::pebble::services::after;
use crate::pebble::services::launch::launch;
use crate::pebble::services::with;
use crate::pebble::shared::Shared;
use crate::pebble::tasks;
use crate::pebble::tasks::Abort;

/// The work of a `start` task.
pub(crate) async fn start(
    shared: Rc<Shared>,
    task: u64,
    name: String,
    abort: Abort,
) -> Result<(), String> {
    let Some(config) = shared.plan(|plan| plan.services.get(&name).cloned()) else {
        return Err(format!("cannot find service {} in plan", quoted(&name)));
    };
    let logs = {
        let mut services = shared.services.borrow_mut();
        let run =
            services.entry(name.clone()).or_insert_with(|| ServiceRun::new(&name, config.clone()));
        // Also where the service runs already: a pending change of its configuration is forgotten.
        run.config = config;
        match run.stage {
            Stage::Starting | Stage::Running => {
                let told = format!("Service {} already started.", quoted(&name));
                tasks::log(&shared, task, "INFO", &told);
                return Ok(());
            }
            Stage::Terminating => return Err("cannot start service while terminating".to_owned()),
            Stage::Killing => return Err("cannot start service while killing".to_owned()),
            Stage::Initial | Stage::Stopped | Stage::Backoff | Stage::Exited => {
                run.backoffs = 0;
                run.backoff = Span(0);
                run.restarting = false;
            }
        }
        Rc::clone(&run.logs)
    };
    if let Err(why) = launch(&shared, &name, Stage::Starting) {
        with(&shared, &name, |run| run.enter(Stage::Stopped));
        return Err(why);
    }
    let (tell, told) = oneshot::channel();
    let run = with(&shared, &name, |run| {
        run.started = Some(tell);
        run.run
    });
    after(&shared, &name, OKAY_DELAY, run, |_, _, run| {
        if run.stage == Stage::Starting {
            run.stage = Stage::Running;
            if let Some(tell) = run.started.take() {
                let _ = tell.send(Ok(()));
            }
        }
    });
    let outcome = tokio::select! {
        outcome = told => outcome.unwrap_or_else(|_| Err("service went away".to_owned())),
        () = abort.asked() => {
            give_up(&shared, &name);
            return Err("start aborted, sent SIGKILL to process".to_owned());
        }
    };
    outcome.map_err(|why| {
        let last = logs.tail().replace('\n', "\n    ");
        tasks::log(&shared, task, "INFO", &format!("Most recent service output:\n    {last}"));
        format!("service start attempt: {why}")
    })
}

/// The start is no longer wanted: the process is killed, and nobody waits for its end.
fn give_up(shared: &Shared, name: &str) {
    let pid = with(shared, name, |run| {
        run.started = None;
        run.run += 1;
        run.enter(Stage::Stopped);
        run.pid
    });
    if let Some(pid) = pid.flatten() {
        signal_group(pid, Signal::SIGKILL);
    }
}

/// The work of a `stop` task. Aborting it changes nothing.
pub(crate) async fn stop(shared: Rc<Shared>, task: u64, name: String) -> Result<(), String> {
    let shown = quoted(&name);
    let log = |text: String| tasks::log(&shared, task, "INFO", &text);
    let told = {
        let mut services = shared.services.borrow_mut();
        let Some(run) = services.get_mut(&name) else {
            drop(services);
            log(format!("Service {shown} has never been started."));
            return Ok(());
        };
        match run.stage {
            Stage::Initial | Stage::Stopped => {
                drop(services);
                log(format!("Service {shown} already stopped."));
                return Ok(());
            }
            Stage::Terminating | Stage::Killing if run.stopped.is_some() => {
                drop(services);
                log(format!("Service {shown} already stopping."));
                return Ok(());
            }
            Stage::Exited => {
                run.enter(Stage::Stopped);
                drop(services);
                log(format!("Service {shown} had already exited."));
                return Ok(());
            }
            Stage::Backoff => {
                run.run += 1;
                run.enter(Stage::Stopped);
                return Ok(());
            }
            Stage::Starting | Stage::Running | Stage::Terminating | Stage::Killing => {
                if let Some(tell) = run.started.take() {
                    let _ = tell.send(Err("stopped before the 1s okay delay".to_owned()));
                }
                let (tell, told) = oneshot::channel();
                run.stopped = Some(tell);
                run.restarting = false;
                told
            }
        }
    };
    terminate(&shared, &name);
    told.await.unwrap_or_else(|_| Err("service went away".to_owned()))
}

/// SIGTERM now, SIGKILL after the kill delay, and later still: given up.
pub(crate) fn terminate(shared: &Rc<Shared>, name: &str) {
    let facts = with(shared, name, |run| {
        if run.stage.is_alive() {
            run.enter(Stage::Terminating);
            run.pid.map(|pid| (pid, run.run, run.config.kill_delay()))
        } else {
            None
        }
    });
    let Some((pid, run, delay)) = facts.flatten() else { return };
    signal_group(pid, Signal::SIGTERM);
    after(shared, name, delay.duration(), Some(run), |shared, name, run| {
        if run.stage != Stage::Terminating {
            return;
        }
        run.enter(Stage::Killing);
        if let Some(pid) = run.pid {
            signal_group(pid, Signal::SIGKILL);
        }
        after(shared, name, FAIL_DELAY, Some(run.run), |_, _, run| {
            if let Some(tell) = run.stopped.take().filter(|_| run.stage == Stage::Killing) {
                let why = "process still running after SIGTERM and SIGKILL";
                let _ = tell.send(Err(why.to_owned()));
            }
        });
    });
}

/// Sends a signal to the main process.
pub(crate) fn signal(shared: &Shared, name: &str, signal: &str) -> Result<(), String> {
    let services = shared.services.borrow();
    let pid = services.get(name).filter(|run| run.stage.is_alive()).and_then(|run| run.pid);
    let pid = pid.ok_or("service is not running")?;
    let number: Signal =
        signal.parse().map_err(|_| format!("invalid signal name {}", quoted(signal)))?;
    signal_child(pid, number).map_err(|error| reason(&error.into()))
}

/// A check is down, and the service wants to be started again for it.
pub(crate) fn restart_for_check(shared: &Rc<Shared>, name: &str) {
    let running = with(shared, name, |run| {
        let running = run.stage.is_alive();
        run.restarting = running;
        if let Some(tell) = run.started.take() {
            let _ = tell.send(Err("stopped before the 1s okay delay".to_owned()));
        }
        running
    });
    if running == Some(true) {
        terminate(shared, name);
    }
}

/// The process is gone.
pub(super) fn ended_with(shared: &Rc<Shared>, name: &str, pid: Pid, run: Option<u64>, code: i32) {
    let action = with(shared, name, |service| {
        if Some(service.run) != run || service.pid != Some(pid) {
            return None;
        }
        service.pid = None;
        let action = action_after(&service.config, code);
        match service.stage {
            Stage::Starting | Stage::Running => {
                if let Some(tell) = service.started.take() {
                    let told = format!("exited quickly with code {code}, will {action}");
                    let _ = tell.send(Err(told));
                }
                Some(action)
            }
            Stage::Terminating | Stage::Killing => {
                if let Some(tell) = service.stopped.take() {
                    let _ = tell.send(Ok(()));
                }
                if service.restarting {
                    service.restarting = false;
                    return Some("restart".to_owned());
                }
                service.enter(Stage::Stopped);
                None
            }
            Stage::Initial | Stage::Stopped | Stage::Backoff | Stage::Exited => None,
        }
    });
    let Some(action) = action.flatten() else { return };
    journal::note(&format!("Service {} exited with code {code}: {action}", quoted(name)));
    match action.as_str() {
        "restart" => back_off(shared, name),
        "ignore" => {
            let stage = if code == 0 { Stage::Stopped } else { Stage::Exited };
            with(shared, name, |run| run.enter(stage));
        }
        _ => {
            with(shared, name, |run| run.enter(Stage::Exited));
            let failure = match action.as_str() {
                "failure-shutdown" => true,
                "success-shutdown" => false,
                _ => code != 0,
            };
            shared.end(if failure { SERVICE_FAILED } else { 0 });
        }
    }
}

fn action_after(config: &Service, code: i32) -> String {
    let action = if code == 0 { &config.on_success } else { &config.on_failure };
    if action.is_empty() { "restart".to_owned() } else { action.clone() }
}

/// Waits longer from time to time before the next start.
fn back_off(shared: &Rc<Shared>, name: &str) {
    let waiting = with(shared, name, |run| {
        let first = run.config.backoff_delay.unwrap_or(Span::millis(500));
        let limit = run.config.backoff_limit.unwrap_or(Span::millis(30_000));
        run.backoffs += 1;
        run.backoff = if run.backoffs == 1 {
            first.min(limit)
        } else {
            times(run.backoff, run.config.backoff_factor.unwrap_or(2.0)).min(limit)
        };
        run.run += 1;
        run.enter(Stage::Backoff);
        (run.run, run.backoff)
    });
    let Some((run, delay)) = waiting else { return };
    // Up to a tenth more, so that what died together does not come back together.
    let jitter = f64::from(std::process::id().wrapping_mul(2_654_435_761) >> 16) / 655_360.0;
    let delay = times(delay, 1.0 + jitter);
    after(shared, name, delay.duration(), Some(run), |shared, name, run| {
        if run.stage != Stage::Backoff {
            return;
        }
        let (shared, name) = (Rc::clone(shared), name.to_owned());
        spawn_local(async move { try_again(&shared, &name) });
    });
}

fn try_again(shared: &Rc<Shared>, name: &str) {
    if with(shared, name, |run| run.stage) != Some(Stage::Backoff) {
        return;
    }
    if let Err(why) = launch(shared, name, Stage::Running) {
        journal::note(&format!("Cannot restart service {}: {why}", quoted(name)));
        with(shared, name, |run| run.enter(Stage::Stopped));
        return;
    }
    let facts = with(shared, name, |run| {
        (run.run, run.config.backoff_limit.unwrap_or(Span::millis(30_000)))
    });
    let Some((run, quiet)) = facts else { return };
    after(shared, name, quiet.duration(), Some(run), |_, _, run| {
        run.backoffs = 0;
        run.backoff = Span(0);
    });
}

fn times(span: Span, factor: f64) -> Span {
    Span::parse(&format!("{:.9}s", span.duration().as_secs_f64() * factor)).unwrap_or(span)
}

/// How long a process must live for its start to count as good.
const OKAY_DELAY: Duration = Duration::from_secs(1);

/// From SIGKILL to giving up.
const FAIL_DELAY: Duration = Duration::from_secs(5);

/// The exit code of a daemon whose service failed.
const SERVICE_FAILED: u8 = 10;
