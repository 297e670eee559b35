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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::OpenedPort;
    use super::PendingPorts;

    fn port(text: &str) -> OpenedPort {
        let (range, endpoint) = text.split_once(' ').unwrap_or((text, ""));
        OpenedPort { range: range.parse().unwrap(), endpoint: endpoint.to_owned() }
    }

    #[test]
    fn opens_and_closes_cancel_out_for_the_same_endpoint_only() {
        let cases: [(&[&str], &[&str]); 8] = [
            (&["open 1"], &["1", "80", "90 redis"]),
            (&["open 80"], &["80", "90 redis"]),
            (&["close 80"], &["90 redis"]),
            (&["close 90"], &["80", "90 redis"]),
            (&["close 90 redis"], &["80"]),
            (&["open 1", "close 1"], &["80", "90 redis"]),
            (&["close 80", "open 80"], &["80", "90 redis"]),
            (&["open 80 redis", "close 80"], &["80 redis", "90 redis"]),
        ];
        let stored = BTreeSet::from([port("80"), port("90 redis")]);
        for (steps, expected) in cases {
            let mut pending = PendingPorts::default();
            for step in steps {
                match step.split_once(' ').unwrap() {
                    ("open", it) => pending.open(port(it), &stored),
                    (_, it) => pending.close(port(it), &stored),
                }
            }
            let expected: BTreeSet<OpenedPort> = expected.iter().map(|text| port(text)).collect();
            assert_eq!(pending.applied_to(&stored), expected, "{steps:?}");
        }
    }
}
