//! `storage-list`, `storage-get`, `storage-add`: storage attached to the unit.

use super::Call;
use super::Refusal;
use crate::juju::flags::FORMAT;
use crate::juju::flags::Flag;
use crate::juju::flags::OUTPUT;
use crate::juju::flags::Takes;
use crate::juju::names::quoted;
use crate::juju::output::Value;

/// Prints the ids of the unit's storage, or of that of one name.
pub(super) fn list(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[FORMAT, OUTPUT])?;
    parsed.at_most(1)?;
    let name = parsed.positional(0).filter(|name| !name.is_empty());
    let unit = call.world.model.unit(&call.context.unit);
    let ids = unit.into_iter().flat_map(|unit| unit.storage.keys());
    let ids = ids.filter(|id| name.is_none_or(|name| name_of(id) == name));
    let ids = Value::List(ids.cloned().collect());
    call.print(&parsed, "smart", &ids)
}

/// Prints what and where a storage is, by default that of the hook.
pub(super) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[STORAGE, FORMAT, OUTPUT])?;
    let missing = || Refusal::Usage("no storage instance specified".to_owned());
    let of_hook = call.context.storage.as_deref();
    let id = parsed.value(STORAGE).or(of_hook).ok_or_else(missing)?;
    parsed.at_most(1)?;
    let unit = call.world.model.unit(&call.context.unit);
    let storage = unit.and_then(|unit| unit.storage.get(id)).ok_or_else(|| {
        let unit = &call.context.unit;
        Refusal::Failed(format!("storage attachment {id}:{unit} not found"))
    })?;
    let kind = Value::Text(storage.kind.word().to_owned());
    let location = Value::Text(storage.location.clone());
    let value = match parsed.positional(0) {
        None | Some("") => {
            Value::Map(vec![("kind".to_owned(), kind), ("location".to_owned(), location)])
        }
        Some("kind") => kind,
        Some("location") => location,
        Some(other) => {
            let text = format!("invalid storage attribute {}", quoted(other));
            return Err(Refusal::Failed(text));
        }
    };
    call.print(&parsed, "smart", &value)
}

/// Asks for more storage. Nothing comes of it: the volumes of a `StatefulSet` are the same in all
/// its pods.
pub(super) fn add(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[])?;
    if parsed.positionals.is_empty() {
        return Err(Refusal::Usage("storage add requires a storage directive".to_owned()));
    }
    for directive in &parsed.positionals {
        let Some((name, constraints)) = directive.split_once('=') else { continue };
        let number = constraints.strip_prefix('-').unwrap_or(constraints);
        let is_count = !number.is_empty() && number.chars().all(|each| each.is_ascii_digit());
        if !is_count {
            let text = format!("only count can be specified for {}", quoted(name));
            return Err(Refusal::Usage(text));
        }
        if constraints.starts_with('-') || number.chars().all(|each| each == '0') {
            return Err(Refusal::Usage(format!(
                "cannot parse constraints for storage {}: parsing storage count: \
                 count must be greater than zero, got {}",
                quoted(name),
                quoted(constraints)
            )));
        }
    }
    Ok(String::new())
}

/// Whether the unit has the storage of that id; if not, the reason.
pub(super) fn check(call: &Call<'_>, id: &str) -> Result<(), String> {
    let number = id.split_once('/').map(|(_, number)| number);
    let is_id = number.is_some_and(|number| number.parse::<u32>().is_ok());
    if !is_id || name_of(id).is_empty() {
        return Err(format!("invalid storage ID {}", quoted(id)));
    }
    let unit = &call.context.unit;
    let record = call.world.model.unit(unit).and_then(|record| record.storage.get(id));
    let storage = record.ok_or_else(|| format!("storage attachment {id}:{unit} not found"))?;
    if storage.not_provisioned {
        let kind = storage.kind.word();
        return Err(format!("{kind} attachment \"{id}\" on \"unit {unit}\" not provisioned"));
    }
    Ok(())
}

fn name_of(id: &str) -> &str {
    id.split_once('/').map_or(id, |(name, _)| name)
}

const STORAGE: Flag = Flag { names: &["s"], takes: Takes::Storage };
