//! What an operator has asked of units: actions, commands of `juju exec`, and `juju resolved`.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;

use super::action::ActionResult;

/// Requests by number, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    last: u64,
    all: BTreeMap<u64, Request>,
    /// Units whose failed hook an operator has called resolved.
    pub(crate) resolved: BTreeMap<String, Resolved>,
}

/// An action or a command.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) unit: String,
    pub(crate) kind: RequestKind,
    pub(crate) state: RequestState,
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) enum RequestKind {
    /// An action, with its parameters, defaults filled in.
    Action { name: String, parameters: Map<String, Value> },
    /// A command of `juju exec`.
    Exec { command: String },
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) enum RequestState {
    Waiting,
    Running,
    Ended(ActionResult),
}

/// What an operator wants done about a failed hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// `juju resolved`: try it again now.
    Retry,
    /// `juju resolved --no-retry`: take it for done.
    Skip,
}

impl Requests {
    /// Takes a request in; its number is the caller's to wait by.
    pub(crate) fn add(&mut self, unit: &str, kind: RequestKind) -> u64 {
        self.last += 1;
        let state = RequestState::Waiting;
        self.all.insert(self.last, Request { unit: unit.to_owned(), kind, state });
        self.last
    }

    /// What waits for the unit: actions first, then commands.
    pub(crate) fn waiting_for(&self, unit: &str) -> Vec<u64> {
        let waiting = self.all.iter().filter(|(_, request)| {
            request.unit == unit && matches!(request.state, RequestState::Waiting)
        });
        let is_exec = |request: &Request| matches!(request.kind, RequestKind::Exec { .. });
        let mut waiting: Vec<(bool, u64)> =
            waiting.map(|(id, request)| (is_exec(request), *id)).collect();
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, id)| id).collect()
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Request> {
        self.all.get(&id)
    }

    /// It runs.
    pub(crate) fn begin(&mut self, id: u64) {
        if let Some(request) = self.all.get_mut(&id) {
            request.state = RequestState::Running;
        }
    }

    /// It has ended.
    pub(crate) fn end(&mut self, id: u64, result: ActionResult) {
        if let Some(request) = self.all.get_mut(&id) {
            request.state = RequestState::Ended(result);
        }
    }

    /// All that the unit will not run any more has failed.
    pub(crate) fn fail_all(&mut self, unit: &str, message: &str) {
        for request in self.all.values_mut().filter(|request| request.unit == unit) {
            if !matches!(request.state, RequestState::Ended(_)) {
                request.state = RequestState::Ended(ActionResult::failed(message));
            }
        }
    }

    /// What its caller is told, once it has ended.
    pub(crate) fn result(&self, id: u64) -> Option<&ActionResult> {
        match &self.all.get(&id)?.state {
            RequestState::Ended(result) => Some(result),
            RequestState::Waiting | RequestState::Running => None,
        }
    }
}
