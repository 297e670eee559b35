//! `status-get`: the status of the unit, or for the leader that of the application.

use std::collections::BTreeMap;

use super::Call;
use super::Refusal;
use crate::juju::flags::FORMAT;
use crate::juju::flags::Flag;
use crate::juju::flags::OUTPUT;
use crate::juju::flags::Takes;
use crate::juju::model::Status;
use crate::juju::output::Value;

/// Prints a status; that of the unit stays for the rest of the hook what it was when first read.
pub(super) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[INCLUDE_DATA, APPLICATION, FORMAT, OUTPUT])?;
    parsed.at_most(0)?;
    let includes_data = parsed.is_set(INCLUDE_DATA);
    let is_smart = parsed.value(FORMAT).is_none_or(|format| format == "smart");
    let is_word = is_smart && !includes_data;
    let value = if parsed.is_set(APPLICATION) {
        if !call.context.is_leader(call.world) {
            let text = "finding application status: this unit is not the leader";
            return Err(Refusal::Failed(text.to_owned()));
        }
        let record = call.world.model.applications.get(&call.context.application);
        let Some(application) = record else { return Ok(String::new()) };
        let units = application.units.iter();
        let units = units.map(|(name, unit)| (name.clone(), map(&unit.status, includes_data)));
        let units = Value::Map(units.collect());
        if is_word {
            Value::Text(application.status.status.clone())
        } else {
            let mut pairs = pairs(&application.status, includes_data);
            pairs.insert("units".to_owned(), units);
            let status = Value::Map(pairs.into_iter().collect());
            Value::Map(vec![("application-status".to_owned(), status)])
        }
    } else {
        let status = call.context.status(call.world);
        if is_word { Value::Text(status.status.clone()) } else { map(status, includes_data) }
    };
    call.print(&parsed, "smart", &value)
}

fn map(status: &Status, includes_data: bool) -> Value {
    Value::Map(pairs(status, includes_data).into_iter().collect())
}

fn pairs(status: &Status, includes_data: bool) -> BTreeMap<String, Value> {
    let mut pairs = BTreeMap::from([("status".to_owned(), Value::Text(status.status.clone()))]);
    if includes_data {
        let data = status.data.iter().map(|(key, value)| (key.clone(), Value::from(value)));
        pairs.insert("message".to_owned(), Value::Text(status.message.clone()));
        pairs.insert("status-data".to_owned(), Value::Map(data.collect()));
    }
    pairs
}

const INCLUDE_DATA: Flag = Flag { names: &["include-data"], takes: Takes::Nothing };
const APPLICATION: Flag = Flag { names: &["application"], takes: Takes::Nothing };
