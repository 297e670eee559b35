//! `/v1/services`: which services run, and what is done about them.

use std::fmt;

use serde::Deserialize;
use serde_json::json;

use crate::clients::pebble::Pebble;
use crate::clients::pebble::changes::ChangeId;
use crate::clients::pebble::error::PebbleError;

/// A service of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Whether a replan starts it.
    pub startup: Startup,
    /// What it does.
    pub current: Current,
    /// Since when; `None` if it was never started. RFC 3339.
    pub current_since: Option<String>,
}

/// Whether a replan starts a service, or runs a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Startup {
    /// It does.
    Enabled,
    /// It does not.
    Disabled,
    /// A word that this client does not know.
    #[serde(other)]
    Unknown,
}

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Current {
    /// It runs, or is in its first second.
    Active,
    /// Never started, stopped, stopping, not executable, or ended well and is to be left so.
    Inactive,
    /// It ended and is about to be started again: a crash loop.
    Backoff,
    /// It ended and is to be left so.
    Error,
    /// A word that this client does not know.
    #[serde(other)]
    Unknown,
}

/// What is to be done about services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Restarts each that was started and whose entry changed since, and those that require it;
    /// starts each that is enabled and does not run. It does not notice changed files.
    Replan,
    /// Starts these and what they require. On one that runs this swallows a changed entry: the
    /// next replan sees no difference. After a new layer, replan.
    Start(&'a [&'a str]),
    /// Stops these and what requires them; done when the process is gone.
    Stop(&'a [&'a str]),
    /// Stops and starts these and no others, with their present entries; starts stopped ones too.
    Restart(&'a [&'a str]),
}

impl<'a> Action<'a> {
    /// Pebble's word, and the services, which a replan has none of.
    fn parts(self) -> (&'static str, &'a [&'a str]) {
        match self {
            Self::Replan => ("replan", &[]),
            Self::Start(names) => ("start", names),
            Self::Stop(names) => ("stop", names),
            Self::Restart(names) => ("restart", names),
        }
    }
}

impl fmt::Display for Action<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, names) = self.parts();
        write!(out, "{word} {}", names.join(", "))
    }
}

impl Pebble {
    /// `GET /v1/services`: these services, or all when none is named; sorted. Names that the plan does
    /// not have are left out.
    pub fn services(&self, names: &[&str]) -> Result<Vec<Service>, PebbleError> {
        let call = self.call("list services");
        let answer = self.get(&call, "/v1/services", &[("names", &names.join(","))])?;
        Ok(self.result(&call, &answer)?.unwrap_or_default())
    }

    /// `POST /v1/services`: asks for it, and does not wait. A start takes at least a second, and a
    /// stop as long as the process needs: who cannot spare that looks again at a later event.
    pub fn ask(&self, action: Action<'_>) -> Result<ChangeId, PebbleError> {
        let (word, names) = action.parts();
        let call = self.call(action.to_string().trim_end());
        let answer =
            self.post(&call, "/v1/services", &json!({"action": word, "services": names}))?;
        Ok(self.begun::<()>(&call, &answer)?.0)
    }

    /// Asks for it, and waits until it is done.
    ///
    /// A service that ends in its first second makes this fail, even with exit code 0; Pebble goes on
    /// trying (`Current::Backoff`).
    pub fn perform(&self, action: Action<'_>) -> Result<(), PebbleError> {
        let change = self.ask(action)?;
        self.wait_for(&self.call(action.to_string().trim_end()), &change).map(drop)
    }
}
