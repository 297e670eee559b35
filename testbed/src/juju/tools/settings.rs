//! The settings that `relation-set` and `state-set` take: `key=value` arguments over a file.

use super::Call;
use super::Refusal;
use super::unopened;
use crate::juju::flags::Flag;
use crate::juju::flags::Parsed;
use crate::juju::flags::Takes;
use crate::juju::model::Bag;
use crate::juju::names::quoted;
use crate::juju::yaml;

/// `--file` of both tools.
pub(super) const FILE: Flag = Flag { names: &["file"], takes: Takes::Text };

/// The settings among the arguments, with blanks around keys and values dropped.
pub(super) fn of_arguments(parsed: &Parsed) -> Result<Bag, Refusal> {
    let mut settings = Bag::new();
    let arguments = parsed.positionals.iter().map(|argument| argument.trim());
    for argument in arguments.filter(|argument| !argument.is_empty()) {
        let pair = argument.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        let Some((key, value)) = pair.filter(|(key, _)| !key.is_empty()) else {
            let text = format!("expected \"key=value\", got {}", quoted(argument));
            return Err(Refusal::Usage(text));
        };
        if settings.insert(key.to_owned(), value.to_owned()).is_some() {
            let text = format!("key {} specified more than once", quoted(key));
            return Err(Refusal::Usage(text));
        }
    }
    Ok(settings)
}

/// The file's settings with those of the arguments over them.
pub(super) fn with_file(call: &Call<'_>, parsed: &Parsed, arguments: Bag) -> Result<Bag, Refusal> {
    let bytes = match parsed.value(FILE) {
        None | Some("") => return Ok(arguments),
        Some("-") => call.stdin.ok_or(Refusal::NeedsStdin)?.to_vec(),
        Some(file) => {
            let path = call.directory.join(file);
            call.context.files.read(&path).map_err(|error| unopened(&path, &error))?
        }
    };
    let mut settings = yaml::read_map(&bytes).map_err(Refusal::Failed)?;
    settings.extend(arguments);
    Ok(settings)
}
