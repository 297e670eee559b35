//! `action-fail`.

use crate::clients::hook_tools::Invocation;
use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;

/// Marks the running action as failed. The process still exits with 0, so that the message stays.
pub fn action_fail(message: &str, budget: &Budget) -> Result<(), ToolError> {
    Invocation::new("action-fail", &[]).with_text(message).run(budget).map(drop)
}
