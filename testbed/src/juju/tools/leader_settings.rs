//! `leader-get` and `leader-set`: what leaders tell their units, written at once. Juju has given
//! them up for the application databag of a peer relation.

use super::Call;
use super::Refusal;
use super::settings;
use crate::juju::flags::FORMAT;
use crate::juju::flags::OUTPUT;
use crate::juju::names::quoted;
use crate::juju::output::Value;

/// Prints the settings or one of them.
pub(super) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[FORMAT, OUTPUT])?;
    let key = parsed.positional(0).filter(|key| !matches!(*key, "" | "-"));
    if let Some(key) = key.filter(|key| key.contains('=')) {
        return Err(Refusal::Usage(format!("invalid key {}", quoted(key))));
    }
    parsed.at_most(1)?;
    let record = call.world.model.applications.get(&call.context.application);
    let Some(application) = record else { return Ok(String::new()) };
    let settings = &application.leader_settings;
    let value = match key {
        None => Value::from(settings),
        Some(key) => settings.get(key).map_or(Value::Nil, |value| Value::Text(value.clone())),
    };
    call.print(&parsed, "smart", &value)
}

/// Changes settings; the empty value deletes.
pub(super) fn set(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[])?;
    let changes = settings::of_arguments(&parsed)?;
    if changes.is_empty() {
        return Ok(String::new());
    }
    let refused = |reason: &str| {
        let text = "cannot write leadership settings: cannot write settings";
        Refusal::Failed(format!("{text}: {reason}"))
    };
    if !call.context.is_leader(call.world) {
        return Err(refused("not the leader"));
    }
    let (unit, application) = (&call.context.unit, &call.context.application);
    if call.world.model.leader(application) != Some(unit) {
        return Err(refused(&format!(
            "failed to merge leadership settings: application \"{application}\": \
             checking leadership continuity: \"{unit}\" is not leader of \"{application}\""
        )));
    }
    if let Some(record) = call.world.model.applications.get_mut(application) {
        record.leader_settings.extend(changes);
        record.leader_settings.retain(|_, value| !value.is_empty());
    }
    Ok(String::new())
}
