//! How a call of a Pebble fails: one variant for each thing that a caller does about it.

use std::fmt;
use std::io;

use thiserror::Error;

use crate::clients::pebble::changes::ChangeId;

/// How a call failed. Every text names the container and what was to be done there; none holds a
/// secret that the client was told of.
#[derive(Debug, Error)]
pub enum PebbleError {
    /// Nobody listens, or the connection ended before the answer did: the container has not
    /// started, or is stopping, or its Pebble was killed. What was asked may have been done.
    #[error("{call}: its Pebble does not answer on the socket")]
    NotConnected {
        /// What was asked.
        call: Call,
        /// No such file, connection refused, end of file, reset.
        source: io::Error,
    },
    /// There was no whole answer in time. What was asked may have been done.
    #[error("{0}: its Pebble gave no answer in time")]
    TimedOut(Call),
    /// No connection can ever be made to a socket of this path.
    #[error("{call}: no socket can have the path of its Pebble's: 107 bytes are the most")]
    BadSocketPath {
        /// What was asked.
        call: Call,
        /// Why.
        source: io::Error,
    },
    /// Pebble refused it.
    #[error("{call}: {message}")]
    Refused {
        /// What was asked.
        call: Call,
        /// The HTTP status; 200 for one path of several.
        status: u16,
        /// Pebble's word for it, as `not-found` or `permission-denied`; usually empty.
        kind: String,
        /// What Pebble said.
        message: String,
    },
    /// Pebble took it, and could not do it, or not all of it: with several services the others
    /// are started all the same. A service that ended in its first second is tried again by Pebble
    /// itself.
    #[error("{call}: {reason}{log}")]
    ChangeFailed {
        /// What was asked.
        call: Call,
        /// Which change it was.
        change: ChangeId,
        /// The failed tasks, and why.
        reason: String,
        /// The last lines that a service printed; empty, or begins with a line break.
        log: String,
    },
    /// What answered is no Pebble, or one that this client does not understand.
    #[error("{call}: what its Pebble answers makes no sense: {problem}")]
    Garbage {
        /// What was asked.
        call: Call,
        /// What is wrong with it, without repeating it.
        problem: String,
    },
    /// The answer is longer than any that is asked for. It was not read to its end.
    #[error("{call}: its Pebble answers with more than {limit} bytes")]
    TooLong {
        /// What was asked.
        call: Call,
        /// In bytes.
        limit: usize,
    },
}

impl PebbleError {
    /// True when no Pebble is there to be asked: a fact about a container, to be met again at its
    /// `pebble-ready`.
    pub fn is_not_connected(&self) -> bool {
        matches!(self, Self::NotConnected { .. })
    }

    /// True when the budget ended first, or a SIGTERM ended the budget.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut(_))
    }

    /// True when the file, notice or change that was asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status, kind, .. } if *status == 404 || kind == "not-found")
    }

    pub(crate) fn garbage(call: Call, problem: impl fmt::Display) -> Self {
        Self::Garbage { call, problem: problem.to_string() }
    }
}

/// A container, and what was to be done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The container's name.
    pub container: String,
    /// What was to be done, as in "replan".
    pub operation: String,
}

impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "cannot {} in container {}", self.operation, self.container)
    }
}
