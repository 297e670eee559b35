//! What the name server is told: all names there are, and all that it does wrong.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

/// The whole of it, in one line of JSON; the next line replaces it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// The pods' full names, without a dot at the end, and their addresses.
    pub records: BTreeMap<String, Ipv4Addr>,
    /// What the server does wrong.
    pub faults: DnsFaults,
}

/// What the server does wrong; by default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsFaults {
    /// It drops every question.
    pub silent: bool,
    /// It drops the questions that come from these addresses.
    pub silent_to: BTreeSet<Ipv4Addr>,
    /// How long each answer takes.
    pub slow: Duration,
    /// How much later than the bed the server knows of a change of the names.
    pub late: Duration,
}

impl DnsFaults {
    /// Whether a question from this address is dropped.
    pub(crate) fn drops(&self, client: Ipv4Addr) -> bool {
        self.silent || self.silent_to.contains(&client)
    }
}
