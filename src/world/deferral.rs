//! leader-elected kept for a later run: the entry in controller state, which survives the pod and
//! is committed together with the rest of the hook.

use serde::Deserialize;
use serde::Serialize;

/// The key of the entry in the unit's state.
pub const STATE_KEY: &str = "deferred";

/// A leader-elected whose work is not finished. It carries no payload: the rules look at the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferral {
    /// Since when it waits, in seconds since 1970.
    pub since: u64,
    /// How many runs have tried so far.
    pub tries: u32,
    /// What it waits for.
    pub why: String,
}

impl Deferral {
    /// Reads the entry back. Text of another charm or revision still means that something was
    /// deferred: looking once more than needed does no harm, forgetting does.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        Some(serde_json::from_str(text).unwrap_or_else(|_| Self {
            since: 0,
            tries: 0,
            why: "an entry of another revision".to_owned(),
        }))
    }

    /// The entry as stored. It is flat text and numbers, so it can always be written.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What becomes of the entry when the run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeferralChange {
    /// Nothing is written.
    Keep,
    /// leader-elected is to run again.
    Store(Deferral),
    /// Its work is done, or this unit leads no more.
    Drop,
}
