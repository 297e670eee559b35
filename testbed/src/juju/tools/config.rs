//! `config-get`: the options as the hook first read them.

use super::Call;
use super::Refusal;
use crate::juju::flags::FORMAT;
use crate::juju::flags::Flag;
use crate::juju::flags::OUTPUT;
use crate::juju::flags::Takes;
use crate::juju::names::quoted;
use crate::juju::output::Value;

/// Prints all options that have a value, with `--all` the others too, or one.
pub(super) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[ALL, FORMAT, OUTPUT])?;
    let key = parsed.positional(0).filter(|key| !key.is_empty());
    if let (true, Some(key)) = (parsed.is_set(ALL), key) {
        let key = quoted(key);
        return Err(Refusal::Usage(format!("cannot use argument --all together with key {key}")));
    }
    parsed.at_most(1)?;
    let options = call.context.config(call.world);
    let value = if let Some(key) = key {
        let option = options.get(key).and_then(|option| option.current());
        option.map_or(Value::Nil, Value::from)
    } else {
        let values = options.iter().map(|(name, option)| {
            let value = option.current().map_or(Value::Nil, Value::from);
            (name.clone(), value)
        });
        let is_shown = |(_, value): &(String, Value)| parsed.is_set(ALL) || *value != Value::Nil;
        Value::Map(values.filter(is_shown).collect())
    };
    call.print(&parsed, "smart", &value)
}

const ALL: Flag = Flag { names: &["all", "a"], takes: Takes::Nothing };
