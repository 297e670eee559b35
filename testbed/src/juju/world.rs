//! Everything behind one controller handle, under one lock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use super::agent::Agent;
use super::model::Model;
use super::model::Status;

/// Model, agents, and the record of all that was ever said.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) agents: BTreeMap<String, Agent>,
    /// Command lines, log lines, status messages, output of hooks.
    pub(crate) transcript: Vec<String>,
    /// What tools have read from their standard input.
    pub(crate) inputs: Vec<String>,
    /// Statuses in the order that they were set, by unit or application.
    pub(crate) statuses: Vec<(String, Status)>,
    /// How many hooks were started; makes context ids differ.
    pub(crate) runs: u64,
}

/// A world shared by threads.
pub(crate) type SharedWorld = Arc<Mutex<World>>;

/// Locks, also after a test has panicked with the lock held: its model is still worth a look.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(crate) fn new(model: Model) -> Self {
        Self {
            model,
            agents: BTreeMap::new(),
            transcript: Vec::new(),
            inputs: Vec::new(),
            statuses: Vec::new(),
            runs: 0,
        }
    }

    pub(crate) fn agent(&mut self, unit: &str) -> &mut Agent {
        self.agents.entry(unit.to_owned()).or_default()
    }

    /// Records a status beside setting it.
    pub(crate) fn record_status(&mut self, of: &str, status: &Status) {
        self.transcript.push(format!("status {of} {}: {}", status.status, status.message));
        self.statuses.push((of.to_owned(), status.clone()));
    }

    /// Whether the unit's agent takes it for the leader.
    pub(crate) fn claims_leadership(&self, unit: &str, application: &str) -> bool {
        let claim = self.agents.get(unit).and_then(|agent| agent.claim);
        claim.unwrap_or_else(|| self.model.leader(application) == Some(unit))
    }
}
