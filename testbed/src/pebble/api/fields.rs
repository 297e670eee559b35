//! The members of a request's JSON object, read as Go does: names in any case, null is absent.

use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Deserializer;
use serde_json::Map;
use serde_json::Value;
use serde_json::error::Category;
use std::collections::BTreeMap;

use crate::pebble::api::body::whole;
use crate::pebble::api::reply::Refusal;

/// A JSON object.
pub(crate) struct Fields {
    members: Map<String, Value>,
    /// What a message about a bad member begins with.
    prefix: &'static str,
}

/// How most endpoints begin to complain.
pub(crate) const REQUEST: &str = "cannot decode request body: ";

/// How the older endpoints do.
pub(crate) const DATA: &str = "cannot decode data from request body: ";

impl Fields {
    /// Reads a body's first JSON value; what follows it does not matter.
    pub(crate) async fn read(incoming: Incoming, prefix: &'static str) -> Result<Self, Refusal> {
        let body = whole(incoming, prefix).await?;
        Self::parse(&body, prefix)
    }

    /// Reads an object from text.
    pub(crate) fn parse(text: &[u8], prefix: &'static str) -> Result<Self, Refusal> {
        let bad = |why: &str| Refusal::bad(format!("{prefix}{why}"));
        if text.iter().all(u8::is_ascii_whitespace) {
            return Err(bad("EOF"));
        }
        let value =
            Value::deserialize(&mut Deserializer::from_slice(text)).map_err(|error| match error
                .classify()
            {
                Category::Eof => bad("unexpected EOF"),
                Category::Io | Category::Syntax | Category::Data => bad(&error.to_string()),
            })?;
        Self::of(value, prefix)
    }

    /// An object that is part of another value.
    pub(crate) fn of(value: Value, prefix: &'static str) -> Result<Self, Refusal> {
        match value {
            Value::Object(members) => Ok(Self { members, prefix }),
            Value::Null => Ok(Self { members: Map::new(), prefix }),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(unfit(prefix, "", "object"))
            }
        }
    }

    /// A member as it came; none if it is null.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        let exact = self.members.get(name);
        let any_case =
            || self.members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v);
        exact.or_else(any_case).filter(|value| !value.is_null())
    }

    /// A string; empty if it is absent.
    pub(crate) fn text(&self, name: &str) -> Result<String, Refusal> {
        match self.value(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(unfit(self.prefix, name, "string")),
        }
    }

    /// A truth value; false if it is absent.
    pub(crate) fn boolean(&self, name: &str) -> Result<bool, Refusal> {
        match self.value(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| unfit(self.prefix, name, "bool")),
        }
    }

    /// An integer, if it is there.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| unfit(self.prefix, name, "int")),
        }
    }

    /// A list of strings; empty if it is absent.
    pub(crate) fn strings(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let unfit = || unfit(self.prefix, name, "[]string");
        match self.value(name) {
            None => Ok(vec![]),
            Some(Value::Array(items)) => {
                let text = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(unfit);
                items.iter().map(text).collect()
            }
            Some(_) => Err(unfit()),
        }
    }

    /// A map of strings; empty if it is absent.
    pub(crate) fn string_map(&self, name: &str) -> Result<BTreeMap<String, String>, Refusal> {
        let unfit = || unfit(self.prefix, name, "map[string]string");
        match self.value(name) {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(members)) => members
                .iter()
                .map(|(key, value)| match value {
                    Value::Null => Ok((key.clone(), String::new())),
                    Value::String(text) => Ok((key.clone(), text.clone())),
                    Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        Err(unfit())
                    }
                })
                .collect(),
            Some(_) => Err(unfit()),
        }
    }

    /// A list of objects; empty if it is absent.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Self>, Refusal> {
        match self.value(name) {
            None => Ok(vec![]),
            Some(Value::Array(items)) => {
                items.iter().map(|item| Self::of(item.clone(), self.prefix)).collect()
            }
            Some(_) => Err(unfit(self.prefix, name, "[]object")),
        }
    }
}

fn unfit(prefix: &str, name: &str, wanted: &str) -> Refusal {
    let told =
        format!("json: cannot unmarshal value into Go struct field .{name} of type {wanted}");
    Refusal::bad(format!("{prefix}{told}"))
}
