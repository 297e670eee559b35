//! `/v1/checks`: what Pebble finds when it looks after its services.

use serde::Deserialize;
use serde_json::json;

use crate::clients::pebble::Pebble;
use crate::clients::pebble::changes::ChangeId;
use crate::clients::pebble::error::PebbleError;
use crate::clients::pebble::services::Startup;

/// A check of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// Its name.
    pub name: String,
    /// `alive` or `ready`; most have none.
    pub level: Option<String>,
    /// Whether it runs by itself; from 1.19 on.
    pub startup: Option<Startup>,
    /// What it has found.
    pub status: CheckStatus,
    /// How often it went well; from 1.23 on.
    pub successes: Option<u64>,
    /// How often it failed since it last went well.
    #[serde(default)]
    pub failures: u64,
    /// As many failures make it `Down`.
    pub threshold: u64,
    /// Whose log says why it fails; from 1.11 on.
    change_id: Option<String>,
}

/// What a check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// Nothing bad, perhaps because it has not looked yet.
    Up,
    /// It failed as often as its threshold.
    Down,
    /// It was stopped.
    Inactive,
    /// A word that this client does not know.
    #[serde(other)]
    Unknown,
}

impl Check {
    /// Whether it is up because it looked. A new check is up for its first period without having
    /// looked at all.
    pub fn is_proven_up(&self) -> bool {
        self.status == CheckStatus::Up && self.failures == 0 && self.successes.unwrap_or(0) > 0
    }

    /// The change that performs it.
    pub fn change(&self) -> Option<ChangeId> {
        self.change_id.as_deref().and_then(ChangeId::parse)
    }
}

/// What starting and stopping checks answers; older versions say `null` for none.
#[derive(Deserialize)]
struct Changed {
    changed: Option<Vec<String>>,
}

impl Pebble {
    /// `GET /v1/checks`: these checks, or all when none is named. Names that the plan does not have are
    /// left out.
    pub fn checks(&self, names: &[&str]) -> Result<Vec<Check>, PebbleError> {
        let call = self.call("list checks");
        let answer = self.get(&call, "/v1/checks", &[("names", &names.join(","))])?;
        Ok(self.result(&call, &answer)?.unwrap_or_default())
    }

    /// `POST /v1/checks` `start` (1.19): the names of those that did not run.
    pub fn start_checks(&self, names: &[&str]) -> Result<Vec<String>, PebbleError> {
        self.act_on_checks("start", names)
    }

    /// `POST /v1/checks` `stop` (1.19): the names of those that ran. A replan starts them again,
    /// unless the plan says `startup: disabled`.
    pub fn stop_checks(&self, names: &[&str]) -> Result<Vec<String>, PebbleError> {
        self.act_on_checks("stop", names)
    }

    fn act_on_checks(&self, word: &str, names: &[&str]) -> Result<Vec<String>, PebbleError> {
        let call = self.call(format!("{word} checks {}", names.join(", ")));
        let answer = self.post(&call, "/v1/checks", &json!({"action": word, "checks": names}))?;
        let changed: Option<Changed> = self.result(&call, &answer)?;
        Ok(changed.and_then(|all| all.changed).unwrap_or_default())
    }
}
