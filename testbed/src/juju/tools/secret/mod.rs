//! The secret tools.

pub(super) mod access;
pub(super) mod change;
mod content;
mod expiry;
pub(super) mod get;
pub(super) mod info;

use super::Refusal;
use crate::juju::flags::Flag;
use crate::juju::flags::Parsed;
use crate::juju::flags::Takes;
use crate::juju::model::secret::error::SecretError;
use crate::juju::names::quoted;

/// The id in a secret's URI: `secret:ID`, `secret://MODEL/ID`, or the id itself.
fn id(uri: &str) -> Result<String, Refusal> {
    let path = uri.strip_prefix("secret:").unwrap_or(uri);
    let id = match path.strip_prefix("//") {
        Some(path) => path.split_once('/').filter(|(model, _)| is_uuid(model)).map(|(_, id)| id),
        None => Some(path),
    };
    let is_id = |id: &&str| {
        let is_part = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit();
        id.len() == ID_LENGTH && id.chars().all(is_part)
    };
    let refused = || Refusal::Usage(format!("secret URI {} not valid", quoted(uri)));
    id.filter(is_id).map(str::to_owned).ok_or_else(refused)
}

/// The id in the URI that a tool must be given first.
fn first_id(parsed: &Parsed) -> Result<String, Refusal> {
    let missing = || Refusal::Usage("missing secret URI".to_owned());
    id(parsed.positional(0).ok_or_else(missing)?)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|each| each == '-' || each.is_ascii_hexdigit())
}

/// The value of a flag where one was given, as the empty one counts as none.
fn given(parsed: &Parsed, flag: Flag) -> Option<&str> {
    parsed.value(flag).filter(|value| !value.is_empty())
}

/// What the tool says of a secret that the hook cannot change.
fn not_found(name: &str) -> Refusal {
    Refusal::Failed(format!("secret {} not found", quoted(name)))
}

impl From<SecretError> for Refusal {
    fn from(error: SecretError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// `--label` of several tools.
const LABEL: Flag = Flag { names: &["label"], takes: Takes::Text };

/// `--unit` of the tools that grant and revoke.
const UNIT: Flag = Flag { names: &["unit"], takes: Takes::Text };

/// `--format` of the tools that print structures.
const STRUCTURE: Flag = Flag { names: &["format"], takes: Takes::FormatOfStructure };

/// Length of a secret's id.
const ID_LENGTH: usize = 20;

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn a_secret_is_named_in_three_ways() {
        let known = "d0a1b2c3d4e5f6g7h8i0";
        let model = "7d1f0c56-3c1b-4e0a-8a53-0f1c2b3d4e5f";
        for uri in
            [known.to_owned(), format!("secret:{known}"), format!("secret://{model}/{known}")]
        {
            assert_eq!(id(&uri).ok().as_deref(), Some(known), "{uri}");
        }
        let long = format!("{known}0");
        let foreign = format!("secret://model/{known}");
        let upper = known.to_uppercase();
        for uri in ["", "secret:", "secret:xyz", "//", &long, &foreign, &upper] {
            assert!(id(uri).is_err(), "{uri}");
        }
    }
}
