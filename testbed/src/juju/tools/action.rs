//! `action-get`, `action-set`, `action-fail`, `action-log`: the running action.

use serde_json::Map;
use serde_json::Value as Json;

use super::Call;
use super::Refusal;
use crate::juju::action::Action;
use crate::juju::flags::FORMAT;
use crate::juju::flags::OUTPUT;
use crate::juju::names::quoted;
use crate::juju::output::Value;

/// Prints the parameters or one of them, by its path.
pub(super) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[FORMAT, OUTPUT])?;
    parsed.at_most(1)?;
    let parameters = &running(call)?.parameters;
    let found = match parsed.positional(0) {
        None => Some(parameters),
        Some(path) => path.split('.').try_fold(parameters, |value, key| value.get(key)),
    };
    let value = found.map_or(Value::Nil, Value::from);
    call.print(&parsed, "smart", &value)
}

/// Sets results: `key=value`, a dot leads into a map.
pub(super) fn set(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[])?;
    let mut settings: Vec<(Vec<&str>, &str)> = Vec::new();
    for argument in &parsed.positionals {
        let (path, value) = argument.split_once('=').ok_or_else(|| {
            let argument = quoted(argument);
            Refusal::Usage(format!("argument {argument} must be of the form key...=value"))
        })?;
        let keys: Vec<&str> = path.split('.').collect();
        for key in &keys {
            check_key(key)?;
        }
        settings.push((keys, value));
    }
    for (keys, value) in settings {
        insert(&mut running(call)?.results, &keys, value);
    }
    Ok(String::new())
}

/// Marks the action as failed; neither stops it nor drops its changes.
pub(super) fn fail(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[])?;
    parsed.at_most(1)?;
    let message = parsed.positional(0).unwrap_or(WITHOUT_REASON).to_owned();
    running(call)?.failure = Some(message.clone());
    call.world.transcript.push(format!("action-fail: {message}"));
    Ok(String::new())
}

/// Tells the caller of the action how far it is, at once.
pub(super) fn log(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[])?;
    if parsed.positionals.is_empty() {
        return Err(Refusal::Usage("no message specified".to_owned()));
    }
    let message = parsed.positionals.join(" ");
    running(call)?.log.push(message.clone());
    call.world.transcript.push(format!("action-log: {message}"));
    Ok(String::new())
}

fn running<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Action, Refusal> {
    let action = call.context.action.as_mut();
    action.ok_or_else(|| Refusal::Failed("not running an action".to_owned()))
}

fn check_key(key: &str) -> Result<(), Refusal> {
    if RESERVED.contains(&key) {
        return Err(Refusal::Usage(format!("cannot set reserved action key {}", quoted(key))));
    }
    let is_plain = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit();
    let is_valid = key.starts_with(is_plain)
        && key.ends_with(is_plain)
        && key.chars().all(|each| is_plain(each) || each == '-');
    if is_valid {
        return Ok(());
    }
    Err(Refusal::Usage(format!(
        "key {} must start and end with lowercase alphanumeric, \
         and contain only lowercase alphanumeric and hyphens",
        quoted(key)
    )))
}

/// Sets a value, making maps on the way to it in place of whatever is there.
fn insert(results: &mut Map<String, Json>, keys: &[&str], value: &str) {
    let Some((first, rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        results.insert((*first).to_owned(), Json::String(value.to_owned()));
        return;
    }
    let inner = results.entry((*first).to_owned()).or_insert(Json::Null);
    if !inner.is_object() {
        *inner = Json::Object(Map::new());
    }
    if let Json::Object(inner) = inner {
        insert(inner, rest, value);
    }
}

const WITHOUT_REASON: &str = "action failed without reason given, check action for errors";
const RESERVED: &[&str] = &["stdout", "stderr", "stdout-encoding", "stderr-encoding"];
