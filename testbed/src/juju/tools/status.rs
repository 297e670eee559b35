//! `status-set` and `application-version-set`: at once, and never taken back.

use super::Call;
use super::Refusal;
use crate::juju::flags::Flag;
use crate::juju::flags::Takes;
use crate::juju::names::quoted;

/// Sets the status of the unit, or as leader that of the application.
pub(super) fn set(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[APPLICATION])?;
    let word = parsed
        .positional(0)
        .ok_or_else(|| Refusal::Usage("invalid args, require <status> [message]".to_owned()))?;
    if !WORDS.contains(&word) {
        let (word, words) = (quoted(word), WORDS.join(" "));
        let text = format!("invalid status {word}, expected one of [{words}]");
        return Err(Refusal::Usage(text));
    }
    parsed.at_most(2)?;
    let status = call.world.model.status(word, parsed.positional(1).unwrap_or_default());
    if parsed.is_set(APPLICATION) {
        if !call.context.is_leader(call.world) {
            return Err(Refusal::Failed("this unit is not the leader".to_owned()));
        }
        let application = &call.context.application;
        call.world.record_status(application, &status);
        if let Some(record) = call.world.model.applications.get_mut(application) {
            record.status = status;
        }
    } else {
        let unit = &call.context.unit;
        call.world.record_status(unit, &status);
        if let Some(record) = call.world.model.unit_mut(unit) {
            record.status = status;
        }
    }
    Ok(String::new())
}

/// Sets the version of the workload.
pub(super) fn set_version(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[])?;
    let missing = || Refusal::Usage("no version specified".to_owned());
    let version = parsed.positional(0).ok_or_else(missing)?;
    parsed.at_most(1)?;
    if let Some(unit) = call.world.model.unit_mut(&call.context.unit) {
        version.clone_into(&mut unit.workload_version);
    }
    Ok(String::new())
}

const APPLICATION: Flag = Flag { names: &["application"], takes: Takes::Nothing };
const WORDS: &[&str] = &["maintenance", "blocked", "waiting", "active"];
