//! `status-set`.

use crate::clients::hook_tools::Invocation;
use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;

/// Sets this unit's status at once; a hook that fails does not take it back. `word` is one of
/// `maintenance`, `blocked`, `waiting`, `active`.
pub fn status_set(word: &str, message: &str, budget: &Budget) -> Result<(), ToolError> {
    Invocation::new("status-set", &[word]).with_text(message).run(budget).map(drop)
}

/// `status-set --application`, as the leader only.
pub fn application_status_set(word: &str, message: &str, budget: &Budget) -> Result<(), ToolError> {
    let arguments = ["--application", word];
    Invocation::new("status-set", &arguments).with_text(message).run(budget).map(drop)
}

/// `application-version-set`: the workload's version, as `juju status` shows it; at once.
pub fn version_set(version: &str, budget: &Budget) -> Result<(), ToolError> {
    Invocation::new("application-version-set", &[]).with_text(version).run(budget).map(drop)
}
