//! What every JSON answer of Pebble is wrapped in: `type`, and by it a `result`, a change, or an error.
//!
//! Unknown members, kinds and words are no errors: a newer Pebble may have them.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::clients::json::parse;
use crate::clients::pebble::Pebble;
use crate::clients::pebble::changes::ChangeId;
use crate::clients::pebble::error::Call;
use crate::clients::pebble::error::PebbleError;
use crate::clients::pebble::http::Answer;

/// All but the result, whose shape depends on the type.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    change: Option<String>,
}

/// `result` may be absent, and is `null` where older versions have an empty list.
#[derive(Deserialize)]
struct Body<T> {
    result: Option<T>,
}

/// An error, of a whole call or of one path.
#[derive(Default, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Pebble {
    /// The result of a call that is done when it is answered.
    pub(crate) fn result<T: DeserializeOwned>(
        &self,
        call: &Call,
        answer: &Answer,
    ) -> Result<Option<T>, PebbleError> {
        self.head(call, answer)?;
        // Read twice, never into a tree: that would be many times larger than the answer.
        let body: Body<T> =
            parse(&answer.body).map_err(|error| PebbleError::garbage(call.clone(), error))?;
        Ok(body.result)
    }

    /// The change that a call began, and its result.
    pub(crate) fn begun<T: DeserializeOwned>(
        &self,
        call: &Call,
        answer: &Answer,
    ) -> Result<(ChangeId, Option<T>), PebbleError> {
        let change = self.head(call, answer)?.change.as_deref().and_then(ChangeId::parse);
        let change = change.ok_or_else(|| PebbleError::garbage(call.clone(), "no change id"))?;
        Ok((change, self.result(call, answer)?))
    }

    fn head(&self, call: &Call, answer: &Answer) -> Result<Head, PebbleError> {
        let garbage = |problem: &dyn std::fmt::Display| {
            PebbleError::garbage(call.clone(), format!("{problem} (HTTP status {})", answer.status))
        };
        let head: Head = parse(&answer.body).map_err(|error| garbage(&error))?;
        match head.kind.as_str() {
            "error" => {
                let body: Body<Refusal> = parse(&answer.body).map_err(|error| garbage(&error))?;
                Err(self.refused(call, answer.status, body.result.unwrap_or_default()))
            }
            _ if answer.status >= 400 => Err(garbage(&"no error")),
            _ => Ok(head),
        }
    }

    pub(crate) fn refused(&self, call: &Call, status: u16, refusal: Refusal) -> PebbleError {
        let message = refusal.message.unwrap_or_default();
        let message: String = self.masked(message.trim()).chars().take(LONGEST_MESSAGE).collect();
        let message = if message.is_empty() { format!("HTTP status {status}") } else { message };
        let kind = refusal.kind.unwrap_or_default();
        PebbleError::Refused { call: call.clone(), status, kind, message }
    }
}

/// In characters.
const LONGEST_MESSAGE: usize = 500;
