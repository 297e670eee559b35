//! The form of the tables: hooks, abbreviations, and what differs between two models.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use testbed::juju::hook::Happening;
use testbed::juju::hook::Hook;
use testbed::juju::model::Model;
use testbed::juju::model::Status;
use testbed::juju::model::port::OpenedPort;
use testbed::juju::model::secret::Secret;

/// The hook that a table describes.
pub(crate) fn hook(described: &Value) -> Hook {
    let unit = described["unit"].as_str().unwrap_or_default();
    let event = described["event"].as_str().unwrap_or_default();
    let environment = described["env"].as_object().cloned().unwrap_or_default();
    let variable = |name: &str| environment.get(name).and_then(Value::as_str);
    let mut hook = if let Some(name) = event.strip_prefix("actions/") {
        let hook = Hook::action(unit, name, variable("JUJU_ACTION_UUID").unwrap_or_default());
        let parameters = described["action"]["params"].as_object().into_iter().flatten();
        parameters.fold(hook, |hook, (name, value)| hook.parameter(name, value.clone()))
    } else if let Some(id) = variable("JUJU_RELATION_ID") {
        let id = id.rsplit(':').next().and_then(|id| id.parse().ok()).unwrap_or_default();
        Hook::relation(unit, id, happening(event, &variable))
    } else if let Some(name) = event.strip_prefix("hooks/") {
        let known = ["JUJU_DISPATCH_PATH", "JUJU_HOOK_NAME"];
        let further = environment.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        further.fold(Hook::new(unit, name), |hook, (name, value)| {
            hook.variable(name, value.as_str().unwrap_or_default())
        })
    } else {
        Hook::exec(unit)
    };
    for (relation, units) in described["delivered_members"].as_object().into_iter().flatten() {
        let units: Vec<&str> =
            units.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        hook = hook.delivered(relation.parse().unwrap_or_default(), &units);
    }
    hook
}

fn happening<'a>(event: &str, variable: &impl Fn(&str) -> Option<&'a str>) -> Happening {
    let unit = variable("JUJU_REMOTE_UNIT").unwrap_or_default().to_owned();
    match event.rsplit('-').next() {
        Some("created") => Happening::Created,
        Some("joined") => Happening::Joined { unit },
        Some("changed") if unit.is_empty() => Happening::ApplicationChanged,
        Some("changed") => Happening::Changed { unit },
        Some("departed") => {
            let departing = variable("JUJU_DEPARTING_UNIT").unwrap_or_default().to_owned();
            Happening::Departed { unit, departing }
        }
        _ => Happening::Broken,
    }
}

/// What differs between two models, in the table's form.
pub(crate) fn changed(before: &Model, after: &Model) -> Value {
    let mut changes = Map::new();
    let mut note = |path: &[&str], value: Value| {
        let mut place = &mut changes;
        for key in path.iter().take(path.len() - 1) {
            let inner = place.entry((*key).to_owned()).or_insert_with(|| json!({}));
            place = inner.as_object_mut().expect("only the last of a path is no object");
        }
        if let Some(key) = path.last() {
            place.insert((*key).to_owned(), value);
        }
    };
    for relation in &after.relations {
        let Some(old) = before.relation(relation.id) else { continue };
        let id = relation.id.to_string();
        for (unit, member) in &relation.units {
            if old.units.get(unit).map(|old| &old.data) != Some(&member.data) {
                note(&["relations", &id, "unit_data", unit], json!(member.data));
            }
        }
        for (application, bag) in &relation.application_data {
            if old.application_data.get(application) != Some(bag) {
                note(&["relations", &id, "application_data", application], json!(bag));
            }
        }
    }
    let shown = |status: &Status| json!({"status": status.status, "message": status.message});
    for (name, application) in &after.applications {
        let Some(old) = before.applications.get(name) else { continue };
        if old.status != application.status {
            note(&["application_status", name], shown(&application.status));
        }
        if old.leader_settings != application.leader_settings {
            note(&["leader_settings", name], json!(application.leader_settings));
        }
        for (name, unit) in &application.units {
            let Some(old) = old.units.get(name) else { continue };
            if old.status != unit.status {
                note(&["unit_status", name], shown(&unit.status));
            }
            if old.workload_version != unit.workload_version {
                note(&["workload_version", name], json!(unit.workload_version));
            }
            if old.opened_ports != unit.opened_ports {
                note(&["opened_ports", name], ports(&unit.opened_ports));
            }
            if old.state != unit.state {
                note(&["state", name], json!(unit.state));
            }
        }
    }
    let ids: BTreeSet<&String> = before.secrets.keys().chain(after.secrets.keys()).collect();
    for id in ids {
        let shown = |model: &Model| model.secrets.get(id).map_or(Value::Null, secret);
        let (old, new) = (shown(before), shown(after));
        if old != new {
            note(&["secrets", id], new);
        }
    }
    Value::Object(changes)
}

/// A secret as the table has it: without what is empty, and without the time of its rotation.
fn secret(secret: &Secret) -> Value {
    let mut shown = json!(secret);
    let known = shown.as_object_mut().expect("a secret is an object");
    known.retain(|key, value| match key.as_str() {
        "next_rotate" | "removed_latest" => false,
        "rotate" => value != "never",
        _ => {
            !matches!(value, Value::Null)
                && *value != json!("")
                && *value != json!([])
                && *value != json!({})
        }
    });
    shown
}

/// Open ports as the table has them: `6379/tcp (*)`.
fn ports(ports: &BTreeSet<OpenedPort>) -> Value {
    let line = |port: &OpenedPort| {
        let endpoint = if port.endpoint.is_empty() { "*" } else { &port.endpoint };
        format!("{} ({endpoint})", port.range)
    };
    let lines: BTreeSet<String> = ports.iter().map(line).collect();
    json!(lines)
}

/// The value with the table's abbreviations written out.
pub(crate) fn expanded(value: &Value, charm: &Path) -> Value {
    match value {
        Value::String(text) => Value::String(expanded_text(text, charm)),
        Value::Array(items) => items.iter().map(|item| expanded(item, charm)).collect(),
        Value::Object(pairs) => pairs
            .iter()
            .map(|(key, value)| (expanded_text(key, charm), expanded(value, charm)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn expanded_text(text: &str, charm: &Path) -> String {
    let resources = charm.with_file_name("resources");
    let mut text = text.replace("{{cwd}}", &charm.display().to_string());
    text = text.replace("{{resources}}", &resources.display().to_string());
    while let Some((before, rest)) = text.split_once("{{rep:") {
        let (what, after) = rest.split_once("}}").expect("an abbreviation is closed");
        let (what, count) = what.rsplit_once(':').expect("an abbreviation has a count");
        let count = count.parse().expect("a count is a number");
        text = format!("{before}{}{after}", what.repeat(count));
    }
    text
}

/// The text as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
