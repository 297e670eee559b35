//! `status-set`.

use crate::clients::hook_tools::Invocation;
use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;

/// Sets this unit's status at once; a hook that fails does not take it back. `word` is one of
/// `maintenance`, `blocked`, `waiting`, `active`.
pub fn status_set(word: &str, message: &str, budget: &Budget) -> Result<(), ToolError> {
    Invocation::new("status-set", &[word]).with_text(message).run(budget).map(drop)
}
