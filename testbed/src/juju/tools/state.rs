//! `state-get`, `state-set`, `state-delete`: the charm's own store.

use super::Call;
use super::Refusal;
use super::settings;
use crate::juju::flags::FORMAT;
use crate::juju::flags::Flag;
use crate::juju::flags::OUTPUT;
use crate::juju::flags::Takes;
use crate::juju::names::quoted;
use crate::juju::output::Value;

/// Prints the state or a key of it.
pub(super) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[STRICT, FORMAT, OUTPUT])?;
    parsed.at_most(1)?;
    let state = call.context.state(call.world).clone();
    let value = match parsed.positional(0) {
        None | Some("" | "-") if state.is_empty() => Value::NilMap,
        None | Some("" | "-") => Value::from(&state),
        Some(key) => match state.get(key) {
            None if parsed.is_set(STRICT) => {
                return Err(Refusal::Failed(format!("{} not found", quoted(key))));
            }
            value => Value::Text(value.cloned().unwrap_or_default()),
        },
    };
    call.print(&parsed, "smart", &value)
}

/// Sets keys; the empty value is one as well.
pub(super) fn set(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[settings::FILE])?;
    let arguments = settings::of_arguments(&parsed)?;
    let settings = settings::with_file(call, &parsed, arguments)?;
    for (key, value) in settings {
        if key.len() > KEY_LIMIT {
            let text = format!("max allowed key length ({KEY_LIMIT}) exceeded");
            return Err(Refusal::Failed(text));
        }
        if value.len() > VALUE_LIMIT {
            let text = format!("max allowed value length ({VALUE_LIMIT}) exceeded");
            return Err(Refusal::Failed(text));
        }
        call.context.state(call.world).insert(key, value);
    }
    Ok(String::new())
}

/// Deletes a key, whether or not there is one.
pub(super) fn delete(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[])?;
    parsed.at_most(1)?;
    if let Some(key) = parsed.positional(0) {
        call.context.state(call.world).remove(key);
    }
    Ok(String::new())
}

const STRICT: Flag = Flag { names: &["strict"], takes: Takes::Nothing };

/// Longest key, in bytes.
const KEY_LIMIT: usize = 256;

/// Longest value, in bytes.
const VALUE_LIMIT: usize = 65536;
