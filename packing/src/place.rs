//! A place in a YAML document, which says where it is when something is wrong there.

use std::fmt;

use serde_yaml::Mapping;
use serde_yaml::Value;

/// Everything that is wrong, one sentence each.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Notes one more.
    pub fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// All of them, in the order found.
    pub fn all(&self) -> &[String] {
        &self.0
    }
}

/// A value in a document and the path to it.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Place<'a> {
    /// The whole document of a file.
    pub fn root(file: &str, value: &'a Value) -> Self {
        Self { path: file.to_owned(), value }
    }

    /// The value itself.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// What stands under a key of this map, even if it is null. Whatever is no map has no keys.
    pub fn key(&self, name: &str) -> Option<Self> {
        let value = self.value.as_mapping()?.get(name)?;
        Some(self.below(name, value))
    }

    /// What stands under a key that must be there.
    pub fn needed(&self, name: &str, problems: &mut Problems) -> Option<Self> {
        let found = self.key(name);
        if found.is_none() {
            self.wrong(problems, format!("has no `{name}`"));
        }
        found
    }

    /// The keys and values of a map.
    pub fn entries(&self, problems: &mut Problems) -> Vec<(&'a str, Self)> {
        let Value::Mapping(map) = self.value else {
            self.wrong(problems, "is not a map");
            return Vec::new();
        };
        let mut entries = Vec::new();
        for (key, value) in map {
            match key.as_str() {
                Some(name) if !is_old_boolean(name) => {
                    entries.push((name, self.below(name, value)));
                }
                _ => self
                    .wrong(problems, format!("has the key {}, not a string to Juju", shown(key))),
            }
        }
        entries
    }

    /// The items of a list.
    pub fn items(&self, problems: &mut Problems) -> Vec<Self> {
        let Value::Sequence(list) = self.value else {
            self.wrong(problems, "is not a list");
            return Vec::new();
        };
        list.iter().enumerate().map(|(at, value)| self.below(&at.to_string(), value)).collect()
    }

    /// A string that is one to Juju's reader too.
    pub fn text(&self, problems: &mut Problems) -> Option<&'a str> {
        match self.value {
            Value::String(text) if is_old_boolean(text) => {
                self.wrong(problems, format!("`{text}` is a boolean to Juju, not a string"));
                None
            }
            Value::String(text) => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Sequence(_)
            | Value::Mapping(_)
            | Value::Tagged(_) => {
                self.wrong(problems, format!("is {}, not a string: quote it", shown(self.value)));
                None
            }
        }
    }

    /// The string under a key, if that is there.
    pub fn text_at(&self, name: &str, problems: &mut Problems) -> Option<&'a str> {
        self.key(name)?.text(problems)
    }

    /// A boolean.
    pub fn boolean(&self, problems: &mut Problems) -> Option<bool> {
        let found = self.value.as_bool();
        if found.is_none() {
            self.wrong(problems, format!("is {}, not a boolean", shown(self.value)));
        }
        found
    }

    /// A whole number.
    pub fn integer(&self, problems: &mut Problems) -> Option<i64> {
        let found = self.value.as_i64();
        if found.is_none() {
            self.wrong(problems, format!("is {}, not a whole number", shown(self.value)));
        }
        found
    }

    /// Notes what is wrong here.
    pub fn wrong(&self, problems: &mut Problems, what: impl fmt::Display) {
        problems.add(format!("{}: {what}", self.path));
    }

    fn below(&self, name: &str, value: &'a Value) -> Self {
        let between = if self.path.contains(": ") { "." } else { ": " };
        Self { path: format!("{}{between}{name}", self.path), value }
    }
}

/// A value as a message shows it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Bool(it) => format!("the boolean {it}"),
        Value::Number(it) => format!("the number {it}"),
        Value::String(it) => format!("the string `{it}`"),
        Value::Sequence(_) => "a list".to_owned(),
        Value::Mapping(_) => "a map".to_owned(),
        Value::Tagged(_) => "a tagged value".to_owned(),
    }
}

/// A document that is an empty map, for files that are not there.
pub fn nothing() -> Value {
    Value::Mapping(Mapping::new())
}

/// Words that YAML 1.1, which Juju reads, takes for booleans and YAML 1.2 for strings.
fn is_old_boolean(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "n"
            | "N"
            | "yes"
            | "Yes"
            | "YES"
            | "no"
            | "No"
            | "NO"
            | "on"
            | "On"
            | "ON"
            | "off"
            | "Off"
            | "OFF"
    )
}
