//! Waiting for what an operator waits for, with a limit; what never happened is shown with the status.

use std::time::Duration;

use super::Lab;
use super::error::LabError;
use super::status::ApplicationStatus;
use super::status::UnitStatus;
use crate::trace::timeline;
use crate::wait;

impl Lab {
    /// Waits until `check` gives a value; `what` says in words what is waited for.
    pub fn wait_until<T>(
        &self,
        what: &str,
        limit: Duration,
        check: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, LabError> {
        let mut check = check;
        wait::until(what, limit, || check(self)).map_err(|error| {
            let error = error.with("status", &self.status().to_string());
            let pods: Vec<_> = self.pods().iter().map(ToString::to_string).collect();
            let last = self.trace.entries_from(self.trace.len().saturating_sub(LAST));
            error
                .with("pods", &pods.join("\n"))
                .with("what happened last", &timeline::render(&last))
                .into()
        })
    }

    /// Waits until the application has all its units and no others, all are active, their agents have
    /// nothing to do, and all pods are of the newest version and ready.
    pub fn wait_for_active(&self, application: &str, limit: Duration) -> Result<(), LabError> {
        self.wait_until(&format!("{application} is active"), limit, |lab| {
            let status = lab.status();
            let found = status.applications.iter().find(|it| it.name == application)?;
            (is_active(found) && lab.cluster.is_rolled_out(application)).then_some(())
        })
    }

    /// Waits until no agent has anything to do.
    pub fn wait_for_idle(&self, limit: Duration) -> Result<(), LabError> {
        self.wait_until("all agents are idle", limit, |lab| {
            let status = lab.status();
            let mut units = status.applications.iter().flat_map(|it| &it.units);
            let rests =
                |unit: &UnitStatus| unit.agent.word == "idle" && unit.workload.word != "error";
            units.all(rests).then_some(())
        })
    }

    /// Waits until the application with all that was of it is gone, but for its volumes.
    pub fn wait_for_removed(&self, application: &str, limit: Duration) -> Result<(), LabError> {
        self.wait_until(&format!("{application} is gone"), limit, |lab| {
            let mut applications = lab.status().applications.into_iter();
            let is_there = applications.any(|it| it.name == application);
            (!is_there && !lab.cluster.has_pods(application)).then_some(())
        })
    }
}

fn is_active(application: &ApplicationStatus) -> bool {
    let is_well = |unit: &UnitStatus| unit.workload.word == "active" && unit.agent.word == "idle";
    application.units.len() == application.scale as usize && application.units.iter().all(is_well)
}

/// How much of the trace a failed wait shows.
const LAST: usize = 60;
