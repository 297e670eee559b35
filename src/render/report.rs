//! What the keeper tells the charm: a file that each hook reads.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

/// What a hook cannot see for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The units without which Redis does not start, because their data may be fresher.
    #[serde(default)]
    pub missing: BTreeSet<u32>,
    /// The config-epoch of the mastership that the data are of.
    #[serde(default)]
    pub epoch: u64,
}

impl Report {
    /// Reads the file. Anything else tells nothing.
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The text of the file.
    pub fn render(&self) -> String {
        // A struct of numbers is always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}
