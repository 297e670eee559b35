//! `juju-log`: a line in the unit's log, at once.

use super::Call;
use super::Refusal;
use crate::juju::flags::Flag;
use crate::juju::flags::IGNORED_FORMAT;
use crate::juju::flags::Takes;
use crate::juju::names::quoted;
use crate::juju::run::LogLine;

/// Logs its arguments, joined by blanks.
pub(super) fn juju_log(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[DEBUG, LEVEL, IGNORED_FORMAT])?;
    if parsed.positionals.is_empty() {
        return Err(Refusal::Usage("no message specified".to_owned()));
    }
    call.notice_format(&parsed);
    let asked = parsed.value(LEVEL).unwrap_or_default();
    let level = match asked.to_uppercase().as_str() {
        _ if parsed.is_set(DEBUG) => "DEBUG",
        "" | "INFO" => "INFO",
        "TRACE" => "TRACE",
        "DEBUG" => "DEBUG",
        "WARN" | "WARNING" => "WARNING",
        "ERROR" => "ERROR",
        "CRITICAL" => "CRITICAL",
        "UNSPECIFIED" => return Ok(String::new()),
        _ => {
            let text = format!("Specified log level of {} is not valid", quoted(asked));
            record(call, "WARNING", text);
            "INFO"
        }
    };
    let prefix = match &call.context.relation {
        Some(relation) => format!("{}:{}: ", relation.endpoint, relation.id),
        None => String::new(),
    };
    record(call, level, prefix + &parsed.positionals.join(" "));
    Ok(String::new())
}

fn record(call: &mut Call<'_>, level: &str, message: String) {
    let unit = &call.context.unit;
    call.world.log(unit, level, message.clone());
    call.context.log.push(LogLine { level: level.to_owned(), message });
}

const DEBUG: Flag = Flag { names: &["debug"], takes: Takes::Nothing };
const LEVEL: Flag = Flag { names: &["log-level", "l"], takes: Takes::Text };
