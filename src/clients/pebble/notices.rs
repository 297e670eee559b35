//! `/v1/notices`: what a workload, or a process beside it, tells the charm.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::clients::pebble::Pebble;
use crate::clients::pebble::error::PebbleError;

/// A notice, as often as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notice {
    /// Stays the same when it is given again.
    pub id: String,
    /// Who gave it; `None` for everybody's.
    pub user_id: Option<u32>,
    /// `custom`, `change-update`, `warning`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `example.com/what/happened`.
    pub key: String,
    /// When it last counted as new, to the nanosecond; for `notices_after`.
    pub last_repeated: String,
    /// How often it was given.
    pub occurrences: u64,
    /// What came with it the last time; earlier data are gone.
    #[serde(default)]
    pub last_data: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Recorded {
    id: String,
}

impl Pebble {
    /// `GET /v1/notices/{id}`. The data can be newer than the event that told of it. `is_not_found`
    /// once it expired, 7 days after it was last given.
    pub fn notice(&self, id: &str) -> Result<Notice, PebbleError> {
        let call = self.call(format!("read notice {id}"));
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(PebbleError::garbage(call, "a notice's id is of letters and digits"));
        }
        let answer = self.get(&call, &format!("/v1/notices/{id}"), &[])?;
        let notice = self.result(&call, &answer)?;
        notice.ok_or_else(|| PebbleError::garbage(call, "no result"))
    }

    /// `GET /v1/notices`: the custom notices with these keys (all when none is given) that were repeated
    /// after `after`, a `last_repeated`; the oldest first.
    ///
    /// Of all users, which takes an admin: root is not shown what others gave unless it asks.
    pub fn notices(&self, keys: &[&str], after: Option<&str>) -> Result<Vec<Notice>, PebbleError> {
        let call = self.call("list notices");
        let keys = keys.join(",");
        let after = after.unwrap_or_default();
        let query = [("types", "custom"), ("users", "all"), ("keys", &keys), ("after", after)];
        let answer = self.get(&call, "/v1/notices", &query)?;
        Ok(self.result(&call, &answer)?.unwrap_or_default())
    }

    /// `POST /v1/notices`: gives a notice, and returns its id. Every local user may. One that was last
    /// repeated less than `repeat_after` ago is only counted.
    ///
    /// The key is a dotted domain and a path, all of lower-case letters, digits and single hyphens,
    /// 256 bytes at most; the data are 4096 bytes of JSON at most, and shown to every local user.
    pub fn notify(
        &self,
        key: &str,
        data: &BTreeMap<String, String>,
        repeat_after: Option<Duration>,
    ) -> Result<String, PebbleError> {
        let call = self.call(format!("notify {key}"));
        let mut body = json!({"action": "add", "type": "custom", "key": key, "data": data});
        if let (Some(after), Some(fields)) = (repeat_after, body.as_object_mut()) {
            fields.insert("repeat-after".to_owned(), format!("{}ms", after.as_millis()).into());
        }
        let answer = self.post(&call, "/v1/notices", &body)?;
        let recorded: Option<Recorded> = self.result(&call, &answer)?;
        Ok(recorded.ok_or_else(|| PebbleError::garbage(call, "no result"))?.id)
    }
}
