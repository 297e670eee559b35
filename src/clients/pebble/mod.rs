//! Pebble, the service manager that Juju puts into each workload container, over its socket: one
//! file for each family of endpoints, every failure told apart.
//!
//! Source of every fact: Pebble 1.26.0 and 1.32.1, observed, unless a line says otherwise. Nothing is
//! tried twice: what failed is told, and the caller looks again at a later event.

pub mod changes;
pub mod checks;
mod envelope;
pub mod error;
pub mod exec;
pub mod files;
mod http;
mod multipart;
pub mod notices;
pub mod plan;
pub mod services;
mod socket;
pub mod system;
mod websocket;

use std::io;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use ureq::Agent;

use crate::clients::masking::masked;
use crate::clients::pebble::error::Call;
use crate::clients::pebble::error::PebbleError;
use crate::clock::Budget;

/// One container's Pebble, asked within one budget.
///
/// Its calls share a connection while Pebble keeps it open. It has no `Debug`: it knows secrets.
pub struct Pebble {
    container: String,
    socket: PathBuf,
    secrets: Vec<String>,
    budget: Budget,
    agent: Agent,
}

impl Pebble {
    /// The Pebble of `container` behind `socket`: for a charm
    /// `/charm/containers/<container>/pebble.socket`, in the container itself
    /// `/charm/container/pebble.socket`. Nothing is opened yet.
    ///
    /// `secrets` are masked in every error, because Pebble repeats what it was given and what a
    /// service printed.
    pub fn new(container: &str, socket: &Path, secrets: &[&str], budget: &Budget) -> Self {
        Self {
            container: container.to_owned(),
            socket: socket.to_owned(),
            secrets: secrets.iter().map(|&secret| secret.to_owned()).collect(),
            budget: budget.clone(),
            agent: http::agent(socket, budget),
        }
    }

    /// The same Pebble within a part of the budget.
    #[must_use]
    pub fn at_most(&self, limit: Duration) -> Self {
        let budget = self.budget.at_most(limit);
        Self {
            container: self.container.clone(),
            socket: self.socket.clone(),
            secrets: self.secrets.clone(),
            agent: http::agent(&self.socket, &budget),
            budget,
        }
    }

    fn call(&self, operation: impl Into<String>) -> Call {
        Call { container: self.container.clone(), operation: operation.into() }
    }

    fn masked(&self, text: &str) -> String {
        masked(text, &self.secrets)
    }
}

/// What an input or output error of a connection means.
fn lost(call: Call, source: io::Error) -> PebbleError {
    if source.kind() == ErrorKind::TimedOut {
        PebbleError::TimedOut(call)
    } else if source.kind() == ErrorKind::InvalidInput {
        // The standard library refuses such a path before it asks the system.
        PebbleError::BadSocketPath { call, source }
    } else {
        PebbleError::NotConnected { call, source }
    }
}
