//! Replaces what varies from run to run by stable names, and compares.

use nix::unistd::Group;
use nix::unistd::User;
use nix::unistd::getegid;
use nix::unistd::geteuid;
use regex::Regex;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The names of one scenario; ids are numbered as they come up.
pub(crate) struct Names {
    texts: Vec<(String, &'static str)>,
    ids: BTreeMap<(&'static str, String), String>,
    own: BTreeMap<&'static str, (Value, &'static str)>,
    time: Regex,
    mentioned: Vec<(Regex, &'static str)>,
    notice: Regex,
    random: Regex,
}

impl Names {
    /// The names of a scenario in this directory, whose server has this port.
    pub(crate) fn new(dir: &Path, port: u16) -> Self {
        let user = User::from_uid(geteuid()).unwrap().unwrap();
        let group = Group::from_gid(getegid()).unwrap().unwrap();
        let pattern = |text: &str| Regex::new(text).unwrap();
        Self {
            texts: vec![
                (dir.to_str().unwrap().to_owned(), "$DIR"),
                (format!(":{port}"), ":$PORT"),
                (format!("port: {port}\n"), "port: $PORT\n"),
            ],
            ids: BTreeMap::new(),
            own: BTreeMap::from([
                ("user-id", (user.uid.as_raw().into(), "$UID")),
                ("user", (user.name.into(), "$USER")),
                ("group-id", (group.gid.as_raw().into(), "$GID")),
                ("group", (group.name.into(), "$GROUP")),
            ]),
            time: pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
            mentioned: vec![
                (pattern(r"(change )(\d+)"), "change"),
                (pattern(r"(exec )(\d+)(?::)"), "task:"),
                (pattern(r#"(task ")(\d+)"#), "task"),
                (pattern(r#"(notice with id ")(\d+)"#), "notice"),
            ],
            notice: pattern(r"(Recorded notice) \d+"),
            random: pattern(r"\.[A-Za-z0-9]{12}~"),
        }
    }

    fn name(&mut self, kind: &'static str, id: &str) -> String {
        if kind == "task" {
            self.ids.insert((kind, id.to_owned()), "<task>".to_owned());
            return "<task>".to_owned();
        }
        let count = self.ids.keys().filter(|(known, _)| *known == kind).count();
        let name = || format!("<{kind} {}>", count + 1);
        self.ids.entry((kind, id.to_owned())).or_insert_with(name).clone()
    }

    /// An answer with its names.
    pub(crate) fn tidy(&mut self, value: &Value, key: &str, ignored: &[String]) -> Value {
        if let Some((_, name)) = self.own.get(key).filter(|(own, _)| own == value) {
            return (*name).into();
        }
        match value {
            Value::Array(items) => {
                let mut items = items.clone();
                if items.first().is_some_and(|item| item.get("spawn-time").is_some()) {
                    // The order of changes and tasks is free.
                    let field = |item: &Value, name: &str| item[name].as_str().map(str::to_owned);
                    items.sort_by_key(|i| {
                        (field(i, "kind"), field(i, "summary"), field(i, "spawn-time"))
                    });
                }
                items.iter().map(|item| self.tidy(item, key, ignored)).collect()
            }
            Value::Object(members) => self.tidy_object(members, ignored),
            Value::String(text) if key == "last-modified" && text.contains('.') => value.clone(),
            Value::String(text) => self.tidy_text(text, key).into(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn tidy_object(&mut self, members: &Map<String, Value>, ignored: &[String]) -> Value {
        let mut out = Map::new();
        for (name, value) in members {
            let tidied = if ignored.contains(name) {
                "<any>".into()
            } else {
                self.tidy(value, name, ignored)
            };
            out.insert(name.clone(), tidied);
        }
        let has = |name: &str| members.contains_key(name);
        if has("id") && (has("spawn-time") || has("occurrences") || members.len() == 1) {
            let kind = if has("ready") {
                "change"
            } else if has("progress") {
                "task"
            } else {
                "notice"
            };
            let name = self.name(kind, members["id"].as_str().unwrap());
            out.insert("id".to_owned(), name.into());
        }
        if members.get("type").is_some_and(|kind| kind == "change-update") && has("key") {
            let name = self.name("change", members["key"].as_str().unwrap());
            out.insert("key".to_owned(), name.into());
        }
        Value::Object(out)
    }

    fn tidy_text(&mut self, text: &str, key: &str) -> String {
        let kind = match key {
            "change" | "change-id" => Some("change"),
            "task-id" => Some("task"),
            "boot-id" => Some("boot"),
            _ => None,
        };
        if let Some(kind) = kind {
            return self.name(kind, text);
        }
        let mut text = text.to_owned();
        if key == "err" {
            let mut parts: Vec<&str> = text.split("\n- ").collect();
            parts[1..].sort_unstable();
            text = parts.join("\n- ");
        }
        for (varying, name) in &self.texts {
            text = text.replace(varying, name);
        }
        for (pattern, kind) in &self.mentioned {
            let (kind, end) = kind.strip_suffix(':').map_or((*kind, ""), |kind| (kind, ":"));
            let named = pattern.replace_all(&text, |found: &regex::Captures<'_>| {
                let id = found[2].to_owned();
                let name = self.ids.get(&(kind, id.clone())).cloned().unwrap_or(id);
                format!("{}{name}{end}", &found[1])
            });
            text = named.into_owned();
        }
        let text = self.notice.replace_all(&text, "$1 <notice>");
        let text = self.time.replace_all(&text, "<time>");
        self.random.replace_all(&text, ".<random>~").into_owned()
    }
}

/// Takes out what does not count.
pub(crate) fn loosen(value: &Value, ignored: &[String], prefix: Option<&str>) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let any = ignored.contains(name);
                (name.clone(), if any { "<any>".into() } else { loosen(value, ignored, prefix) })
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| loosen(item, ignored, prefix)).collect(),
        Value::String(text) => {
            match prefix.filter(|prefix| !prefix.is_empty() && text.starts_with(prefix)) {
                Some(prefix) => format!("{prefix}...").into(),
                None => value.clone(),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Whether something fits a subset; a text that begins with `~` is a pattern.
pub(crate) fn matches(wanted: &Value, seen: &Value) -> bool {
    match wanted {
        Value::String(text) if text.starts_with('~') => {
            let seen = seen.as_str().map_or_else(|| spaced(seen), str::to_owned);
            Regex::new(&text[1..]).unwrap().is_match(&seen)
        }
        Value::Object(members) => members
            .iter()
            .all(|(name, value)| seen.get(name).is_some_and(|own| matches(value, own))),
        Value::Array(items) => seen.as_array().is_some_and(|own| {
            own.len() == items.len() && items.iter().zip(own).all(|(item, own)| matches(item, own))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => wanted == seen,
    }
}

/// JSON as the patterns of the table expect it.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// The differences, two lines each.
pub(crate) fn compare(expected: &Value, got: &Value, path: &str, found: &mut Vec<String>) {
    let nothing = Value::from("(nothing)");
    match (expected, got) {
        (Value::Object(wanted), Value::Object(own)) => {
            let added = own.keys().filter(|name| !wanted.contains_key(*name));
            for name in wanted.keys().chain(added) {
                let (wanted, own) = (wanted.get(name), own.get(name));
                let path = format!("{path}.{name}");
                compare(wanted.unwrap_or(&nothing), own.unwrap_or(&nothing), &path, found);
            }
        }
        (Value::Array(wanted), Value::Array(own)) if wanted.len() == own.len() => {
            for (number, (wanted, own)) in wanted.iter().zip(own).enumerate() {
                compare(wanted, own, &format!("{path}[{number}]"), found);
            }
        }
        _ if expected != got => {
            let short = |value: &Value| value.to_string().chars().take(700).collect::<String>();
            found.push(format!("{path}: expected {}", short(expected)));
            found.push(format!("{}       got {}", " ".repeat(path.len()), short(got)));
        }
        _ => {}
    }
}
