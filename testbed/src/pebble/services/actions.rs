//! What `POST /v1/services` asks for, as changes.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::pebble::checks;
use crate::pebble::plan::PlanError;
use crate::pebble::plan::order;
use crate::pebble::plan::order::Towards;
use crate::pebble::quote::quoted;
use crate::pebble::services::Stage;
use crate::pebble::services::machine;
use crate::pebble::shared::Shared;
use crate::pebble::tasks;
use crate::pebble::tasks::Job;
use crate::pebble::tasks::NewChange;
use crate::pebble::tasks::NewTask;

type Lanes = Vec<Vec<String>>;

/// Starts the named services and what they require.
pub(crate) fn start(shared: &Rc<Shared>, names: &[String]) -> Result<u64, PlanError> {
    let lanes = lanes(shared, names, Towards::Start)?;
    let services = services_of(&[], &lanes);
    let summary = summary("Start", names.first(), &services);
    let tasks = start_tasks(shared, &lanes, vec![]);
    Ok(begin(shared, "start", summary, services, tasks))
}

/// Starts the services that are enabled; none is no change at all.
pub(crate) fn autostart(shared: &Rc<Shared>) -> Result<Option<u64>, PlanError> {
    let names = enabled(shared);
    if names.is_empty() {
        return Ok(None);
    }
    let lanes = lanes(shared, &names, Towards::Start)?;
    let services = services_of(&[], &lanes);
    let summary = summary("Autostart", services.first(), &services);
    let tasks = start_tasks(shared, &lanes, vec![]);
    Ok(Some(begin(shared, "autostart", summary, services, tasks)))
}

/// Stops the named services and what requires them.
pub(crate) fn stop(shared: &Rc<Shared>, names: &[String]) -> Result<u64, PlanError> {
    let lanes = lanes(shared, names, Towards::Stop)?;
    let services = services_of(&lanes, &[]);
    let summary = summary("Stop", names.first(), &services);
    let tasks = stop_tasks(shared, &lanes);
    Ok(begin(shared, "stop", summary, services, tasks))
}

/// Stops the named services alone, then starts them and what they require.
pub(crate) fn restart(shared: &Rc<Shared>, names: &[String]) -> Result<u64, PlanError> {
    let starts = lanes(shared, names, Towards::Start)?;
    let stops: Lanes = lanes(shared, names, Towards::Stop)?
        .into_iter()
        .map(|lane| lane.into_iter().filter(|name| names.contains(name)).collect())
        .filter(|lane: &Vec<String>| !lane.is_empty())
        .collect();
    let services = services_of(&[], &starts);
    let summary = summary("Restart", names.first(), &services);
    let tasks = start_tasks(shared, &starts, stop_tasks(shared, &stops));
    Ok(begin(shared, "restart", summary, services, tasks))
}

/// Restarts what was started with another configuration, starts what is enabled, and the checks too.
pub(crate) fn replan(shared: &Rc<Shared>) -> Result<u64, PlanError> {
    let changed: Vec<String> = shared.plan(|plan| {
        let services = shared.services.borrow();
        services
            .iter()
            .filter(|(name, run)| plan.services.get(*name).is_some_and(|new| *new != run.config))
            .map(|(name, _)| name.clone())
            .collect()
    });
    let stops = lanes(shared, &changed, Towards::Stop)?;
    let mut wanted: BTreeSet<String> = stops.iter().flatten().cloned().collect();
    wanted.extend(enabled(shared));
    let wanted: Vec<String> = wanted.into_iter().collect();
    let starts = lanes(shared, &wanted, Towards::Start)?;
    let mut services = services_of(&stops, &starts);
    services.sort();
    let summary = summary("Replan", services.first(), &services);
    let tasks = start_tasks(shared, &starts, stop_tasks(shared, &stops));
    let change = begin(shared, "replan", summary, services, tasks);
    checks::start_enabled(shared);
    Ok(change)
}

/// Stops everything that runs, at the daemon's end. Answers the change, if anything ran.
pub(crate) fn stop_running(shared: &Rc<Shared>) -> Option<u64> {
    let running: Vec<String> = shared
        .services
        .borrow()
        .iter()
        .filter(|(_, run)| match run.stage {
            Stage::Starting | Stage::Running | Stage::Terminating | Stage::Killing => true,
            Stage::Initial | Stage::Stopped | Stage::Backoff | Stage::Exited => false,
        })
        .map(|(name, _)| name.clone())
        .collect();
    if running.is_empty() {
        return None;
    }
    let lanes = lanes(shared, &running, Towards::Stop)
        .unwrap_or_else(|_| running.iter().map(|name| vec![name.clone()]).collect());
    let lanes: Lanes = lanes
        .into_iter()
        .map(|lane| lane.into_iter().filter(|name| running.contains(name)).collect())
        .collect();
    let tasks = stop_tasks(shared, &lanes);
    Some(begin(shared, "stop", "Stop all running services".to_owned(), running, tasks))
}

fn enabled(shared: &Shared) -> Vec<String> {
    shared.plan(|plan| {
        let enabled = plan.services.iter().filter(|(_, service)| service.is_enabled());
        enabled.map(|(name, _)| name.clone()).collect()
    })
}

fn lanes(shared: &Shared, names: &[String], towards: Towards) -> Result<Lanes, PlanError> {
    shared.plan(|plan| order::lanes(&plan.services, names, towards))
}

fn services_of(first: &[Vec<String>], second: &[Vec<String>]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let all = first.iter().chain(second).flatten();
    all.filter(|name| seen.insert(name.as_str())).cloned().collect()
}

fn summary(verb: &str, first: Option<&String>, services: &[String]) -> String {
    let Some(first) = first else { return format!("{verb} - no services") };
    let first = quoted(first);
    match services.len() {
        0 | 1 => format!("{verb} service {first}"),
        many => format!("{verb} service {first} and {} more", many - 1),
    }
}

fn start_tasks(shared: &Rc<Shared>, lanes: &Lanes, mut tasks: Vec<NewTask>) -> Vec<NewTask> {
    let stops: Vec<usize> = (0..tasks.len()).collect();
    for (lane, names) in lanes.iter().enumerate() {
        for (at, name) in names.iter().enumerate() {
            let mut waits_for = stops.clone();
            waits_for.extend((at > 0).then(|| tasks.len() - 1));
            let (shared, service) = (Rc::clone(shared), name.clone());
            let job: Job =
                Box::new(move |task, abort| Box::pin(machine::start(shared, task, service, abort)));
            let summary = format!("Start service {}", quoted(name));
            tasks.push(NewTask { kind: "start", summary, waits_for, lane, job });
        }
    }
    tasks
}

fn stop_tasks(shared: &Rc<Shared>, lanes: &Lanes) -> Vec<NewTask> {
    let mut tasks: Vec<NewTask> = Vec::new();
    for (lane, names) in lanes.iter().enumerate() {
        for (at, name) in names.iter().enumerate() {
            let waits_for = (at > 0).then(|| tasks.len() - 1).into_iter().collect();
            let (shared, service) = (Rc::clone(shared), name.clone());
            let job: Job = Box::new(move |task, _| Box::pin(machine::stop(shared, task, service)));
            let summary = format!("Stop service {}", quoted(name));
            tasks.push(NewTask { kind: "stop", summary, waits_for, lane, job });
        }
    }
    tasks
}

fn begin(
    shared: &Rc<Shared>,
    kind: &'static str,
    summary: String,
    services: Vec<String>,
    tasks: Vec<NewTask>,
) -> u64 {
    tasks::begin(shared, NewChange { kind, summary, services, check: None, tasks }).0
}
