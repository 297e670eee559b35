//! `relation-ids`, `relation-get`, `relation-set`.

use std::collections::BTreeMap;

use crate::clients::hook_tools::Invocation;
use crate::clients::hook_tools::ToolError;
use crate::clients::hook_tools::yaml_safe_json;
use crate::clock::Budget;

/// `relation-ids ENDPOINT`: the ids of an endpoint's relations; none before this unit has entered one.
pub fn relation_ids(endpoint: &str, budget: &Budget) -> Result<Vec<u32>, ToolError> {
    let arguments = [endpoint, "--format=json"];
    let ids: Option<Vec<String>> = Invocation::new("relation-ids", &arguments).ask(budget)?;
    Ok(relation_numbers(&ids.unwrap_or_default()))
}

/// The numbers of ids such as `redis-peers:7`: only what is after the last colon counts.
pub fn relation_numbers(ids: &[String]) -> Vec<u32> {
    ids.iter().filter_map(|id| id.rsplit(':').next()?.parse().ok()).collect()
}

/// `relation-get --app`: a whole application databag; an empty one may be `{}` or `null`.
///
/// Fails with `permission denied` for a minion and its own application's bag, except in a peer
/// relation.
pub fn relation_get_application(
    relation: u32,
    application: &str,
    budget: &Budget,
) -> Result<BTreeMap<String, String>, ToolError> {
    let id = relation.to_string();
    let arguments = ["--format=json", "-r", &id, "--app", "-", application];
    let bag: Option<_> = Invocation::new("relation-get", &arguments).ask(budget)?;
    Ok(bag.unwrap_or_default())
}

/// `relation-set --file -` of this unit's own databag, where every unit may write.
pub fn relation_set_unit(
    relation: u32,
    changes: &BTreeMap<String, String>,
    budget: &Budget,
) -> Result<(), ToolError> {
    let id = relation.to_string();
    let arguments = ["-r", &id, "--file", "-"];
    let call = Invocation {
        input: Some(yaml_safe_json(changes)),
        ..Invocation::new("relation-set", &arguments)
    };
    call.run(budget).map(drop)
}

/// `relation-set --app --file -`: the keys to change; an empty value deletes its key. Juju keeps it
/// when the hook exits with 0.
///
/// Fails with `cannot write relation settings` on a unit that does not lead.
pub fn relation_set_application(
    relation: u32,
    changes: &BTreeMap<String, String>,
    budget: &Budget,
) -> Result<(), ToolError> {
    let id = relation.to_string();
    let arguments = ["-r", &id, "--app", "--file", "-"];
    let call = Invocation {
        input: Some(yaml_safe_json(changes)),
        hidden: changes.values().map(String::as_str).collect(),
        ..Invocation::new("relation-set", &arguments)
    };
    call.run(budget).map(drop)
}
