//! `action-get`, `action-set`, `action-fail`.

use crate::clients::hook_tools::Invocation;
use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;

/// One parameter of the running action, if it was given.
pub fn action_get(parameter: &str, budget: &Budget) -> Result<Option<String>, ToolError> {
    Invocation::new("action-get", &["--format=json", parameter]).ask(budget)
}

/// Sets one result of the running action. The value is an argument: the tool has no other way.
pub fn action_set(key: &str, value: &str, budget: &Budget) -> Result<(), ToolError> {
    let text = format!("{key}={value}");
    Invocation::new("action-set", &[]).with_text(&text).run(budget).map(drop)
}

/// Marks the running action as failed. The process still exits with 0, so that the message stays.
pub fn action_fail(message: &str, budget: &Budget) -> Result<(), ToolError> {
    Invocation::new("action-fail", &[]).with_text(message).run(budget).map(drop)
}
