//! How often a server was asked, as the server itself counts its connections.

use std::cell::Cell;
use std::sync::Arc;

use testbed::redis::pod::RedisPod;

/// The connections to one server from a moment on. A look of the charm at a server is one.
pub(crate) struct Asked {
    pod: Arc<RedisPod>,
    port: u16,
    before: u64,
    own: Cell<u64>,
}

impl Asked {
    /// Counts from now on.
    pub(crate) fn from_now(pod: Arc<RedisPod>, port: u16) -> Self {
        let before = connections(&pod, port);
        Self { pod, port, before, own: Cell::new(0) }
    }

    /// How many there were since, without those that count.
    pub(crate) fn so_far(&self) -> u64 {
        self.own.set(self.own.get() + 1);
        connections(&self.pod, self.port) - self.before - self.own.get()
    }
}

/// All connections that the server has taken, this one included.
fn connections(pod: &RedisPod, port: u16) -> u64 {
    let answers = pod.ask(port, &["INFO stats"]).unwrap();
    let text = answers[0].text();
    let count = text.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    count.unwrap().trim().parse().unwrap()
}
