//! The entries of a plan. An empty string, list or map is one that was not set.

use std::collections::BTreeMap;

use crate::pebble::accounts::Owner;
use crate::pebble::clock::Span;

/// How an entry combines with one of the same name beneath.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Override {
    #[default]
    Unset,
    Merge,
    Replace,
    /// Neither word.
    Nonsense(String),
}

/// A process to keep running.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Service {
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) startup: String,
    pub(crate) combines: Override,
    pub(crate) command: String,
    pub(crate) after: Vec<String>,
    pub(crate) before: Vec<String>,
    pub(crate) requires: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) owner: Owner,
    pub(crate) working_dir: String,
    pub(crate) on_success: String,
    pub(crate) on_failure: String,
    pub(crate) on_check_failure: BTreeMap<String, String>,
    pub(crate) backoff_delay: Option<Span>,
    pub(crate) backoff_factor: Option<f64>,
    pub(crate) backoff_limit: Option<Span>,
    pub(crate) kill_delay: Option<Span>,
}

/// Something to look at from time to time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) combines: Override,
    pub(crate) level: String,
    pub(crate) startup: String,
    pub(crate) period: Option<Span>,
    pub(crate) timeout: Option<Span>,
    pub(crate) threshold: i64,
    pub(crate) http: Option<HttpCheck>,
    pub(crate) tcp: Option<TcpCheck>,
    pub(crate) exec: Option<ExecCheck>,
}

/// A GET that must answer with 2xx.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HttpCheck {
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<String, String>,
}

/// A port that must accept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TcpCheck {
    pub(crate) port: i64,
    pub(crate) host: String,
}

/// A command that must exit with 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExecCheck {
    pub(crate) command: String,
    pub(crate) service_context: String,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) owner: Owner,
    pub(crate) working_dir: String,
}

/// Where logs would be sent; kept and shown, never used by this Pebble.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogTarget {
    pub(crate) kind: String,
    pub(crate) location: String,
    pub(crate) services: Vec<String>,
    pub(crate) combines: Override,
    pub(crate) labels: BTreeMap<String, String>,
}

/// The entries of one layer, or of all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Entries {
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) checks: BTreeMap<String, Check>,
    pub(crate) log_targets: BTreeMap<String, LogTarget>,
}

impl Service {
    /// Whether autostart and replan start it.
    pub(crate) fn is_enabled(&self) -> bool {
        self.startup == "enabled"
    }

    /// From SIGTERM to SIGKILL.
    pub(crate) fn kill_delay(&self) -> Span {
        self.kill_delay.unwrap_or(Span::millis(5_000))
    }
}

impl Check {
    /// `exec`, `HTTP` or `TCP`, as summaries name it.
    pub(crate) fn kind(&self) -> &'static str {
        match (&self.http, &self.tcp) {
            (Some(_), _) => "HTTP",
            (None, Some(_)) => "TCP",
            (None, None) => "exec",
        }
    }

    /// Between two looks.
    pub(crate) fn period(&self) -> Span {
        self.period.unwrap_or(Span::millis(10_000))
    }

    /// How long one look may take: never longer than the period.
    pub(crate) fn timeout(&self) -> Span {
        self.timeout.unwrap_or(Span::millis(3_000)).min(self.period())
    }

    /// Whether the check waits to be started by hand.
    pub(crate) fn is_disabled(&self) -> bool {
        self.startup == "disabled"
    }
}
