//! `state-get`, `state-set`, `state-delete`: the unit's own store on the controller.

use std::collections::BTreeMap;

use crate::clients::hook_tools::Invocation;
use crate::clients::hook_tools::ToolError;
use crate::clients::hook_tools::yaml_safe_json;
use crate::clock::Budget;

/// The value of one key; a missing one is empty text.
pub fn state_get(key: &str, budget: &Budget) -> Result<String, ToolError> {
    let value: Option<_> = Invocation::new("state-get", &["--format=json", key]).ask(budget)?;
    Ok(value.unwrap_or_default())
}

/// Stores one value, 64 KiB at most; kept when the hook exits with 0.
pub fn state_set(key: &str, value: &str, budget: &Budget) -> Result<(), ToolError> {
    let map = BTreeMap::from([(key.to_owned(), value.to_owned())]);
    let call = Invocation {
        input: Some(yaml_safe_json(&map)),
        hidden: vec![value],
        ..Invocation::new("state-set", &["--file", "-"])
    };
    call.run(budget).map(drop)
}

/// Removes one key, whether it is there or not.
pub fn state_delete(key: &str, budget: &Budget) -> Result<(), ToolError> {
    Invocation::new("state-delete", &[key]).run(budget).map(drop)
}
