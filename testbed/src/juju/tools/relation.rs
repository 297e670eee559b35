//! `relation-get` and `relation-set`: databags.

use super::Call;
use super::Refusal;
use super::settings;
use crate::juju::flags::APP;
use crate::juju::flags::FORMAT;
use crate::juju::flags::IGNORED_FORMAT;
use crate::juju::flags::OUTPUT;
use crate::juju::flags::Parsed;
use crate::juju::flags::RELATION;
use crate::juju::model::application_of;
use crate::juju::names;
use crate::juju::names::quoted;
use crate::juju::output::Value;

/// Prints a databag or a key of it.
pub(super) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[APP, RELATION, FORMAT, OUTPUT])?;
    let relation = call.relation(&parsed)?;
    let target = target(call, &parsed)?;
    parsed.at_most(2)?;
    let bag = match target {
        Target::Unit(unit) => call.context.read_unit(call.world, relation, &unit)?,
        Target::Application(application) => {
            call.context.read_application(call.world, relation, &application)?
        }
        Target::Nonsense => {
            let text = "\"\" is not a valid unit or application".to_owned();
            return Err(Refusal::Failed(text));
        }
    };
    let value = match parsed.positional(0) {
        None | Some("" | "-") => Value::from(&bag),
        Some(key) => bag.get(key).map_or(Value::Nil, |value| Value::Text(value.clone())),
    };
    call.print(&parsed, "smart", &value)
}

/// Changes the own databag; the empty value deletes.
pub(super) fn set(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[APP, RELATION, settings::FILE, IGNORED_FORMAT])?;
    let relation = call.relation(&parsed)?;
    let arguments = settings::of_arguments(&parsed)?;
    call.notice_format(&parsed);
    let settings = settings::with_file(call, &parsed, arguments)?;
    let bag = if parsed.is_set(APP) {
        if !call.context.is_leader(call.world) {
            return Err(Refusal::Failed("cannot write relation settings".to_owned()));
        }
        call.context.application_bag(call.world, relation)
    } else {
        call.context.unit_bag(call.world, relation)
    };
    for (key, value) in settings {
        bag.write(&key, &value);
    }
    Ok(String::new())
}

enum Target {
    Unit(String),
    Application(String),
    /// A name that is of neither kind, which `--app` finds out about only later.
    Nonsense,
}

/// Whose databag is meant; by default that of the hook's remote unit or application.
fn target(call: &Call<'_>, parsed: &Parsed) -> Result<Target, Refusal> {
    let wants_application = parsed.is_set(APP);
    let Some(name) = parsed.positional(1) else {
        let missing = || Refusal::Usage("no unit or application specified".to_owned());
        let relation = call.context.relation.as_ref().ok_or_else(missing)?;
        return match (&relation.remote_unit, &relation.remote_application) {
            (unit, _) if !wants_application && !unit.is_empty() => Ok(Target::Unit(unit.clone())),
            (_, application) if application.is_empty() => Err(missing()),
            (_, application) => Ok(Target::Application(application.clone())),
        };
    };
    match (wants_application, names::is_unit(name), names::is_application(name)) {
        (true, true, _) => Ok(Target::Application(application_of(name).to_owned())),
        (true, false, true) => Ok(Target::Application(name.to_owned())),
        (true, false, false) => Ok(Target::Nonsense),
        (false, true, _) => Ok(Target::Unit(name.to_owned())),
        (false, false, true) => {
            let text = format!("expected unit name, got application name {}", quoted(name));
            Err(Refusal::Usage(text))
        }
        (false, false, false) => Err(Refusal::Usage(format!("invalid unit name {}", quoted(name)))),
    }
}
