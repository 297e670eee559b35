//! Ports that a hook has opened and closed, until its commit.

use std::collections::BTreeSet;

use super::model::port::OpenedPort;

/// What a hook has asked for so far.
#[derive(Debug, Default)]
pub(crate) struct PendingPorts {
    /// To be opened; none of them is open yet.
    pub(crate) opened: BTreeSet<OpenedPort>,
    /// To be closed; all of them are open.
    closed: BTreeSet<OpenedPort>,
}

impl PendingPorts {
    /// Opens a port, where `stored` are open already. To open it again is no change.
    pub(crate) fn open(&mut self, port: OpenedPort, stored: &BTreeSet<OpenedPort>) {
        if !self.closed.remove(&port) && !stored.contains(&port) {
            self.opened.insert(port);
        }
    }

    /// Closes a port. One that is not open for the very same endpoint is left alone.
    pub(crate) fn close(&mut self, port: OpenedPort, stored: &BTreeSet<OpenedPort>) {
        if !self.opened.remove(&port) && stored.contains(&port) {
            self.closed.insert(port);
        }
    }

    /// What is open once the changes are kept.
    pub(crate) fn applied_to(&self, stored: &BTreeSet<OpenedPort>) -> BTreeSet<OpenedPort> {
        stored.difference(&self.closed).chain(&self.opened).cloned().collect()
    }
}
