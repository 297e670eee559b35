//! `state-get`, `state-set`, `state-delete`: the unit's own store on the controller.

use std::collections::BTreeMap;

use crate::clients::hook_tools::Invocation;
use crate::clients::hook_tools::ToolError;
use crate::clients::hook_tools::yaml_safe_json;
use crate::clock::Budget;

/// All of it; an empty store is `null`.
pub fn state_get(budget: &Budget) -> Result<BTreeMap<String, String>, ToolError> {
    let state: Option<_> = Invocation::new("state-get", &["--format=json"]).ask(budget)?;
    Ok(state.unwrap_or_default())
}

/// Stores values of 64 KiB each at most; kept when the hook exits with 0.
pub fn state_set(values: &BTreeMap<String, String>, budget: &Budget) -> Result<(), ToolError> {
    let call = Invocation {
        input: Some(yaml_safe_json(values)),
        hidden: values.values().map(String::as_str).collect(),
        ..Invocation::new("state-set", &["--file", "-"])
    };
    call.run(budget).map(drop)
}

/// Removes one key, whether it is there or not.
pub fn state_delete(key: &str, budget: &Budget) -> Result<(), ToolError> {
    Invocation::new("state-delete", &[key]).run(budget).map(drop)
}
