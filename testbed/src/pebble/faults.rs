//! What goes wrong on demand. Orders come over a socket of their own, a line of JSON each.

use serde::Deserialize;
use std::time::Duration;

/// An order, as a test writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "on", rename_all = "kebab-case")]
pub(crate) enum Order {
    /// Something happens to the n-th matching request from now on, once.
    Request {
        /// Any method if none.
        method: Option<String>,
        /// What the path begins with.
        #[serde(default)]
        path: String,
        #[serde(default = "first")]
        nth: u32,
        #[serde(flatten)]
        deed: RequestFault,
    },
    /// Something happens to the n-th task of a kind from now on, once.
    Task {
        kind: String,
        #[serde(default = "first")]
        nth: u32,
        #[serde(flatten)]
        deed: TaskFault,
    },
    /// Something happens to the daemon at once.
    Daemon {
        #[serde(flatten)]
        deed: DaemonFault,
    },
}

fn first() -> u32 {
    1
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum RequestFault {
    /// It is answered later.
    Delay { millis: u64 },
    /// It is answered with an error.
    Refuse { status: u16, message: String },
    /// It is carried out, and its answer ends after so many bytes.
    Cut { bytes: usize },
    /// It is never answered, nor carried out.
    Hang,
    /// It is carried out; the daemon is gone after so many bytes of the answer.
    Leave { bytes: usize },
}

/// What happens to a task.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum TaskFault {
    /// It goes on until it is aborted.
    Hang,
    /// It fails, without having done anything.
    #[serde(deserialize_with = "message")]
    Fail(String),
}

fn message<'de, D: serde::Deserializer<'de>>(fields: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    Message::deserialize(fields).map(|fields| fields.message)
}

/// What happens to the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum DaemonFault {
    /// It has another boot id from now on.
    BootId { id: String },
    /// It dies with its services and comes back at once, as a container does: with another boot id,
    /// without the layers that came over the API.
    Restart,
    /// It forgets all faults that have not happened.
    Clear,
}

/// The faults that wait for their moment.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    requests: Vec<(Option<String>, String, u32, RequestFault)>,
    tasks: Vec<(String, u32, TaskFault)>,
}

impl Faults {
    /// Takes an order. Answers what must happen at once.
    pub(crate) fn take(&mut self, order: Order) -> Option<DaemonFault> {
        match order {
            Order::Request { method, path, nth, deed } => {
                self.requests.push((method, path, nth.max(1), deed));
                None
            }
            Order::Task { kind, nth, deed } => {
                self.tasks.push((kind, nth.max(1), deed));
                None
            }
            Order::Daemon { deed: DaemonFault::Clear } => {
                *self = Self::default();
                None
            }
            Order::Daemon { deed } => Some(deed),
        }
    }

    /// What happens to this request.
    pub(crate) fn for_request(&mut self, method: &str, path: &str) -> Option<RequestFault> {
        let due = count_down(self.requests.iter_mut().map(|(wanted, prefix, left, _)| {
            let method_fits = wanted.as_ref().is_none_or(|wanted| wanted == method);
            (method_fits && path.starts_with(prefix.as_str()), left)
        }))?;
        Some(self.requests.remove(due).3)
    }

    /// What happens to a task of this kind.
    pub(crate) fn for_task(&mut self, kind: &str) -> Option<TaskFault> {
        let due =
            count_down(self.tasks.iter_mut().map(|(wanted, left, _)| (wanted == kind, left)))?;
        Some(self.tasks.remove(due).2)
    }
}

/// Counts a match for all that wait for it. Answers the first whose turn it is.
fn count_down<'a>(waiting: impl Iterator<Item = (bool, &'a mut u32)>) -> Option<usize> {
    let mut due = None;
    for (at, (fits, left)) in waiting.enumerate() {
        if fits {
            *left = left.saturating_sub(1);
            if *left == 0 && due.is_none() {
                due = Some(at);
            }
        }
    }
    due
}

impl RequestFault {
    /// How long the answer waits.
    pub(crate) fn delay(&self) -> Duration {
        match self {
            Self::Delay { millis } => Duration::from_millis(*millis),
            Self::Refuse { .. } | Self::Cut { .. } | Self::Hang | Self::Leave { .. } => {
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Faults;
    use super::Order;
    use super::RequestFault;
    use super::TaskFault;

    fn order(text: &str) -> Order {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_fault_happens_to_the_nth_match_and_once() {
        let mut faults = Faults::default();
        faults.take(order(r#"{"on":"request","path":"/v1/serv","nth":2,"do":"cut","bytes":9}"#));
        faults.take(order(r#"{"on":"task","kind":"start","do":"fail","message":"no"}"#));
        assert_eq!(faults.for_request("GET", "/v1/services"), None);
        assert_eq!(faults.for_request("GET", "/v1/changes"), None);
        let cut = Some(RequestFault::Cut { bytes: 9 });
        assert_eq!(faults.for_request("POST", "/v1/services"), cut);
        assert_eq!(faults.for_request("POST", "/v1/services"), None);
        assert_eq!(faults.for_task("stop"), None);
        assert_eq!(faults.for_task("start"), Some(TaskFault::Fail("no".to_owned())));
        assert_eq!(faults.for_task("start"), None);
    }
}
