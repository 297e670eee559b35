//! `is-leader`.

use crate::clients::hook_tools::Invocation;
use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;

/// Whether this unit leads. A yes holds for 30 s from before the call.
pub fn is_leader(budget: &Budget) -> Result<bool, ToolError> {
    Invocation::new("is-leader", &["--format=json"]).ask(budget)
}
