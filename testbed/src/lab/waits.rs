//! Waiting for what an operator waits for, with a limit; what never happened is shown with the status.

use std::time::Duration;

use super::Lab;
use super::error::LabError;
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
        wait::until(what, limit, || check(self))
            .map_err(|error| error.with("status", &format!("{:#?}", self.status())).into())
    }

    /// Waits until the application has all its units, all are active and idle, and all pods ready.
    pub fn wait_for_active(&self, application: &str, limit: Duration) -> Result<(), LabError> {
        let _ = application;
        self.wait_until(&format!("{application} is active"), limit, |_| None)
    }

    /// Waits until no agent has anything to do.
    pub fn wait_for_idle(&self, limit: Duration) -> Result<(), LabError> {
        self.wait_until("all agents are idle", limit, |_| None)
    }

    /// Waits until the application with all that was of it is gone.
    pub fn wait_for_removed(&self, application: &str, limit: Duration) -> Result<(), LabError> {
        self.wait_until(&format!("{application} is gone"), limit, |_| None)
    }
}
