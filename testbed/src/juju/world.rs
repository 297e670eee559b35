//! Everything behind one controller handle, under one lock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;

use crate::trace::entry::What;

use super::agent::Agent;
use super::deployment::Deployment;
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
    pub(crate) deployment: Deployment,
    /// Told of every change.
    pub(crate) changed: Arc<Condvar>,
}

/// A world shared by threads.
pub(crate) type SharedWorld = Arc<Mutex<World>>;

impl World {
    pub(crate) fn new(model: Model) -> Self {
        Self {
            model,
            agents: BTreeMap::new(),
            transcript: Vec::new(),
            inputs: Vec::new(),
            statuses: Vec::new(),
            runs: 0,
            deployment: Deployment::new(),
            changed: Arc::default(),
        }
    }

    pub(crate) fn agent(&mut self, unit: &str) -> &mut Agent {
        self.agents.entry(unit.to_owned()).or_default()
    }

    /// Whatever has changed: databags get their versions, and everybody who waits looks again.
    pub(crate) fn note_change(&mut self) {
        for change in self.deployment.versions.look(&self.model) {
            self.deployment.trace.push(change);
        }
        for content in self.model.secrets.values().flat_map(|secret| secret.revisions.values()) {
            let values = content.encoded().keys().filter_map(|key| content.bytes(key));
            for value in values {
                self.deployment.trace.learn(&String::from_utf8_lossy(&value));
            }
        }
        self.changed.notify_all();
    }

    /// Records a status beside setting it.
    pub(crate) fn record_status(&mut self, of: &str, status: &Status) {
        self.deployment.trace.push(What::Status {
            of: of.to_owned(),
            status: status.status.clone(),
            message: status.message.clone(),
        });
        self.transcript.push(format!("status {of} {}: {}", status.status, status.message));
        self.statuses.push((of.to_owned(), status.clone()));
    }

    /// Whether the unit's agent takes it for the leader.
    pub(crate) fn claims_leadership(&self, unit: &str, application: &str) -> bool {
        let agent = self.agents.get(unit);
        let tracked = agent.and_then(|agent| Some(agent.running.as_ref()?.tracker.leads));
        let claim = agent.and_then(|agent| agent.claim).or(tracked);
        claim.unwrap_or_else(|| self.model.leader(application) == Some(unit))
    }
}
