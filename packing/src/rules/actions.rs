//! `actions.yaml`: what users may run.

use std::collections::BTreeSet;

use serde_yaml::Value;

use crate::place::Place;
use crate::place::Problems;

/// Checks every action.
pub fn check(actions: &Place<'_>, problems: &mut Problems) {
    for (name, at) in actions.entries(problems) {
        if !is_action_name(name) {
            at.wrong(problems, "is no name for an action: a-z, 0-9 and hyphens, a letter first");
        }
        if name == "juju" || name.starts_with("juju-") {
            at.wrong(problems, "`juju` and names that start so are Juju's own");
        }
        if !at.value().is_null() {
            action(&at, problems);
        }
    }
}

fn action(at: &Place<'_>, problems: &mut Problems) {
    for (key, value) in at.entries(problems) {
        match key {
            "description" | "title" | "execution-group" => {
                value.text(problems);
            }
            "parallel" | "additionalProperties" => {
                value.boolean(problems);
            }
            "params" => {
                for (_, param) in value.entries(problems) {
                    schema(&param, problems);
                }
            }
            "required" => required(at, &value, problems),
            _ => value.wrong(problems, "is no key of an action that is known here"),
        }
    }
}

/// The required parameters: a list of names without a double, each of a declared parameter.
fn required(action: &Place<'_>, list: &Place<'_>, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for item in list.items(problems) {
        let Some(name) = item.text(problems) else { continue };
        if action.key("params").and_then(|params| params.key(name)).is_none() {
            item.wrong(problems, format!("`{name}` is no parameter of this action"));
        }
        if !seen.insert(name) {
            item.wrong(problems, format!("`{name}` stands twice"));
        }
    }
}

/// A parameter's JSON Schema, draft 4: what Juju forbids in it, and the keywords most used.
fn schema(at: &Place<'_>, problems: &mut Problems) {
    for (key, value) in at.entries(problems) {
        match key {
            "$ref" | "$schema" => value.wrong(problems, "is forbidden by Juju"),
            "type" => {
                let kinds =
                    if value.value().is_sequence() { value.items(problems) } else { vec![value] };
                for kind in kinds {
                    if kind.text(problems).is_some_and(|name| !TYPES.contains(&name)) {
                        kind.wrong(problems, format!("is none of the types {}", TYPES.join(", ")));
                    }
                }
            }
            "enum" => {
                if value.items(problems).is_empty() {
                    value.wrong(problems, "allows nothing");
                }
            }
            "properties" | "patternProperties" => {
                for (_, inner) in value.entries(problems) {
                    schema(&inner, problems);
                }
            }
            "items" if value.value().is_mapping() => schema(&value, problems),
            "minimum" | "maximum" if !value.value().is_number() => {
                value.wrong(problems, "is no number");
            }
            "minLength" | "maxLength" | "minItems" | "maxItems"
                if value.value().as_u64().is_none() =>
            {
                value.wrong(problems, "is no number of 0 or more");
            }
            "title" | "description" | "pattern" | "format" => {
                value.text(problems);
            }
            "required" if value.value().as_sequence().is_none_or(Vec::is_empty) => {
                value.wrong(problems, "is no list of names, as draft 4 wants it");
            }
            "default" => {}
            _ => forbidden_below(&value, problems),
        }
    }
}

fn forbidden_below(at: &Place<'_>, problems: &mut Problems) {
    match at.value() {
        Value::Mapping(_) => {
            for (key, value) in at.entries(problems) {
                if key == "$ref" || key == "$schema" {
                    value.wrong(problems, "is forbidden by Juju");
                }
                forbidden_below(&value, problems);
            }
        }
        Value::Sequence(_) => {
            for item in at.items(problems) {
                forbidden_below(&item, problems);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Tagged(_) => {}
    }
}

fn is_action_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
}

const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];
