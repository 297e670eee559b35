//! The content of a secret on the command line: `key=value`, `key#base64=value`, `key#file=path`,
//! and a whole file.

use std::path::Path;

use crate::juju::base64;
use crate::juju::files::Files;
use crate::juju::flags::Flag;
use crate::juju::flags::Parsed;
use crate::juju::flags::Takes;
use crate::juju::model::Bag;
use crate::juju::model::secret::Content;
use crate::juju::model::secret::ENCODED;
use crate::juju::names::quoted;
use crate::juju::tools::Refusal;
use crate::juju::tools::unopened;
use crate::juju::yaml;

/// `--file` of the tools that take content.
pub(super) const FILE: Flag = Flag { names: &["file"], takes: Takes::Text };

/// The content that the arguments give, with that of the file over them.
pub(super) fn content(
    files: &Files,
    parsed: &Parsed,
    arguments: &[String],
) -> Result<Content, Refusal> {
    let mut content = encoded(of_arguments(files, arguments)?)?;
    if let Some(file) = super::given(parsed, FILE) {
        let text = read(files, file)?;
        let bag = match serde_json::from_slice::<Bag>(&text) {
            Ok(bag) => bag,
            Err(_) => yaml::read_map(&text).map_err(Refusal::Usage)?,
        };
        for (key, value) in encoded(bag)?.encoded() {
            content.set_encoded(key, value.clone());
        }
    }
    Ok(content)
}

fn of_arguments(files: &Files, arguments: &[String]) -> Result<Bag, Refusal> {
    let mut bag = Bag::new();
    for argument in arguments {
        // What ends in equals signs may be Base64, whose padding does not split.
        let padded = argument.trim_end_matches('=').len();
        let split = argument.find('=').filter(|place| (1..padded).contains(place));
        let pair = split.and_then(|place| argument.split_at_checked(place));
        let invalid = || Refusal::Usage(format!("key value {} not valid", quoted(argument)));
        let (key, value) = pair.ok_or_else(invalid)?;
        let value = value.strip_prefix('=').unwrap_or(value);
        let Some(key) = key.strip_suffix("#file") else {
            bag.insert(key.to_owned(), value.to_owned());
            continue;
        };
        let bytes = read(files, value).map_err(|refusal| match refusal {
            Refusal::Usage(text) if text.starts_with("open ") => {
                Refusal::Usage(format!("reading content for secret key {}: {text}", quoted(key)))
            }
            other @ (Refusal::Help
            | Refusal::Usage(_)
            | Refusal::Failed(_)
            | Refusal::NeedsStdin) => other,
        })?;
        // Bytes need not be text.
        bag.insert(format!("{key}{ENCODED}"), base64::encode(&bytes));
    }
    Ok(bag)
}

fn encoded(bag: Bag) -> Result<Content, Refusal> {
    let content = Content::from(bag);
    let mut total = 0;
    for (key, value) in content.encoded() {
        if !is_key(key) {
            return Err(Refusal::Usage(format!("key {} not valid", quoted(key))));
        }
        refuse_size(
            &format!("base64 encoded secret content for key {}", quoted(key)),
            value.len(),
        )?;
        total += value.len();
    }
    refuse_size("base64 encoded secret content", total)?;
    Ok(content)
}

/// Reads a file as the agent does: a relative path starts in the agent's directory, not the tool's.
fn read(files: &Files, path: &str) -> Result<Vec<u8>, Refusal> {
    let bytes = files.read(&Path::new("/").join(path)).map_err(|error| {
        match unopened(Path::new(path), &error) {
            Refusal::Failed(text) => Refusal::Usage(text),
            other @ (Refusal::Help | Refusal::Usage(_) | Refusal::NeedsStdin) => other,
        }
    })?;
    refuse_size(&format!("secret content in file {}", quoted(path)), bytes.len())?;
    Ok(bytes)
}

fn refuse_size(what: &str, size: usize) -> Result<(), Refusal> {
    if size > LIMIT {
        return Err(Refusal::Usage(format!("{what} too large: {size} bytes")));
    }
    Ok(())
}

/// A letter first, then at least two letters or digits, each with at most one hyphen before it.
fn is_key(key: &str) -> bool {
    let is_part = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit();
    let starts_well = key.starts_with(|first: char| first.is_ascii_lowercase());
    let words_are_well = key.split('-').all(|word| !word.is_empty() && word.chars().all(is_part));
    let parts = key.chars().filter(|each| is_part(*each)).count();
    starts_well && words_are_well && parts >= 3
}

/// Largest file, value and content, in bytes of Base64 where it is encoded.
const LIMIT: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use super::is_key;

    #[test]
    fn keys_are_words_of_lower_case() {
        for key in ["abc", "a1b", "a-bc", "ab-c", "a-b-c", "user-name", "a00"] {
            assert!(is_key(key), "{key}");
        }
        for key in
            ["", "a", "ab", "a-b", "1bc", "-abc", "abc-", "a--bc", "a_bc", "Abc", "abé", "abc\n"]
        {
            assert!(!is_key(key), "{key}");
        }
    }
}
