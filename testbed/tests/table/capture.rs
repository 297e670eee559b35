//! Secrets that a row adds: their ids differ from run to run, and later parts of the row name them.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;

use super::form::quoted;

/// What the calls of a row have printed that the row has a name for.
#[derive(Default)]
pub(crate) struct Captures {
    /// Where a call's output goes, by the name for it.
    files: BTreeMap<String, PathBuf>,
    /// The output, once the call is over.
    found: BTreeMap<String, String>,
}

impl Captures {
    /// Notes that a call prints what later calls name so.
    pub(crate) fn expect(&mut self, step: &Value, stdout: &Path) {
        if let Some(name) = step["capture"].as_str() {
            self.files.insert(name.to_owned(), stdout.to_owned());
        }
    }

    /// Takes what the call has printed; the text returned says what is wrong with it.
    pub(crate) fn take(&mut self, step: &Value, stdout: &str) -> Option<String> {
        let name = step["capture"].as_str()?;
        let id = stdout.trim_end().strip_prefix("secret:").unwrap_or_default();
        let is_id = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit();
        let is_right = id.len() == 20 && id.chars().all(is_id);
        self.found.insert(name.to_owned(), id.to_owned());
        (!is_right).then(|| format!("{name} is no URI of a secret: {stdout:?}"))
    }

    /// The value with all names replaced by what they stand for.
    pub(crate) fn expanded(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.expanded_text(text)),
            Value::Array(items) => items.iter().map(|item| self.expanded(item)).collect(),
            Value::Object(pairs) => pairs
                .iter()
                .map(|(key, value)| (self.expanded_text(key), self.expanded(value)))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn expanded_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, id) in &self.found {
            text = text.replace(&format!("{{{{{name}.id}}}}"), id);
            text = text.replace(&format!("{{{{{name}}}}}"), &format!("secret:{id}"));
        }
        text
    }

    /// The argument as a word of a shell that has what the name stands for in a file.
    pub(crate) fn word(&self, argument: &str) -> String {
        let named = argument.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        match named.and_then(|name| self.files.get(name)) {
            Some(file) => format!("\"$(cat {})\"", quoted(&file.display().to_string())),
            None => quoted(argument),
        }
    }
}
