//! `wait-for`.

use std::time::Duration;

use crate::lab::status::ApplicationStatus;
use crate::lab::status::UnitStatus;
use crate::shell::command::State;
use crate::shell::error::ShellError;
use crate::shell::session::Session;

pub(super) fn wait_for(
    session: &Session,
    state: &State,
    limit: Duration,
) -> Result<(), ShellError> {
    match state {
        State::Application { application, status } => {
            session.application(application)?;
            let what = format!("{application} is {status}");
            let mut steady = Steady::default();
            session.wait(&what, limit, |lab, model| {
                let found = model.applications.iter().find(|it| it.name == *application);
                let is_there = found.is_some_and(|it| is_whole(it, status));
                // What counts as active also has its pods ready, as Kubernetes sees them.
                let pods = || lab.pods().into_iter().filter(|pod| is_of(&pod.unit, application));
                let is_so = is_there && (status != ACTIVE || pods().all(|pod| pod.is_ready));
                steady.is_so(is_so, lab.trace().age())
            })
        }
        State::Unit { unit, status, message } => {
            let name = session.unit(unit)?;
            let what = format!("{name} is {status} {message}");
            session.wait(what.trim_end(), limit, |_, model| {
                let mut units = model.applications.iter().flat_map(|it| &it.units);
                units.any(|it| {
                    it.name == name
                        && it.workload.word == *status
                        && it.workload.message.contains(message)
                })
            })
        }
        State::Idle => {
            let mut steady = Steady::default();
            session.wait("all agents are idle", limit, |lab, model| {
                let mut units = model.applications.iter().flat_map(|it| &it.units);
                steady.is_so(units.all(is_idle), lab.trace().age())
            })
        }
        State::Removed { application } => {
            let what = format!("{application} is gone");
            session.wait(&what, limit, |lab, model| {
                let is_there = model.applications.iter().any(|it| it.name == *application);
                !is_there && !lab.pods().iter().any(|pod| is_of(&pod.unit, application))
            })
        }
        State::Time { span } => {
            let began = session.lab.trace().age();
            let limit = span.saturating_add(MARGIN);
            let has_passed = |age: Duration| age.saturating_sub(began) >= *span;
            session.wait("time passes", limit, |lab, _| has_passed(lab.trace().age()))
        }
    }
}

/// Holds for a while: an agent that has not yet seen what the operator did is idle too.
#[derive(Default)]
struct Steady {
    since: Option<Duration>,
}

impl Steady {
    fn is_so(&mut self, is_so: bool, now: Duration) -> bool {
        if !is_so {
            self.since = None;
            return false;
        }
        now.saturating_sub(*self.since.get_or_insert(now)) >= A_WHILE
    }
}

fn is_whole(application: &ApplicationStatus, status: &str) -> bool {
    let there = u32::try_from(application.units.len());
    there == Ok(application.scale)
        && application.units.iter().all(|it| it.workload.word == status && is_idle(it))
}

fn is_idle(unit: &UnitStatus) -> bool {
    unit.agent.word == "idle"
}

fn is_of(unit: &str, application: &str) -> bool {
    crate::juju::model::application_of(unit) == application
}

/// Long against the time in which an agent sees what was done, on a loaded machine too.
const A_WHILE: Duration = Duration::from_secs(1);

const ACTIVE: &str = "active";

/// A wait for a time must not end for its own limit.
const MARGIN: Duration = Duration::from_mins(1);
