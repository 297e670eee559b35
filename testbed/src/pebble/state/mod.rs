//! What outlives the daemon: changes and their tasks, notices, identities; one JSON file.

pub(crate) mod changes;
pub(crate) mod identities;
pub(crate) mod notices;

use serde::Deserialize;
use serde::Serialize;
use std::fs;
use std::io;
use std::path::Path;

use crate::pebble::state::changes::Changes;
use crate::pebble::state::identities::Identities;
use crate::pebble::state::notices::Notices;

/// All that is remembered.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) changes: Changes,
    pub(crate) notices: Notices,
    pub(crate) identities: Identities,
}

impl State {
    /// The state of an earlier run, with what that run left unfinished brought to an end.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let mut state: Self = serde_json::from_slice(&text)?;
        for (change, kind) in state.changes.end_unfinished() {
            state.notices.record_change(change, &kind, None);
        }
        Ok(state)
    }

    /// Writes the state beside its place first, so that a kill leaves the old or the new one.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("state.new");
        fs::write(&beside, serde_json::to_vec(self)?)?;
        fs::rename(&beside, path)
    }
}
