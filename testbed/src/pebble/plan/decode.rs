//! From YAML to the entries of a layer. Fields are strict: an unknown one refuses the layer.

use std::collections::BTreeMap;

use crate::pebble::accounts::Owner;
use crate::pebble::clock::Span;
use crate::pebble::plan::PlanError;
use crate::pebble::plan::entries::Check;
use crate::pebble::plan::entries::Entries;
use crate::pebble::plan::entries::ExecCheck;
use crate::pebble::plan::entries::HttpCheck;
use crate::pebble::plan::entries::LogTarget;
use crate::pebble::plan::entries::Override;
use crate::pebble::plan::entries::Service;
use crate::pebble::plan::entries::TcpCheck;
use crate::pebble::quote::quoted;
use crate::pebble::yaml::node::Node;
use crate::pebble::yaml::node::Value;

/// Reads a layer's text.
pub(crate) fn layer(label: &str, text: &str) -> Result<Entries, PlanError> {
    let broken =
        |why: String| PlanError::Layer(format!("cannot parse layer {}: {why}", quoted(label)));
    let mut entries = Entries::default();
    let Some(root) = Node::parse(text).map_err(|error| broken(error.to_string()))? else {
        return Ok(entries);
    };
    if root.is_null() {
        return Ok(entries);
    }
    let sections = pairs(&root, "map[string]yaml.Node").map_err(|why| broken(unmarshal(&why)))?;
    for (name, section) in sections {
        let broken = |why: String| {
            let (label, name) = (quoted(label), quoted(name));
            PlanError::Layer(format!("cannot parse layer {label} section {name}: {why}"))
        };
        let known = ["services", "checks", "log-targets"].contains(&name);
        if known && section.is_null() {
            return Err(broken("EOF".to_owned()));
        }
        let wrong = |why: Wrong| match why {
            Wrong::Null(what) => PlanError::Layer(format!(
                "{what} object cannot be null for {what} {}",
                quoted(&null_entry(section))
            )),
            Wrong::Other(why) => broken(unmarshal(&why)),
        };
        match name {
            "summary" | "description" => {
                string(section).map_err(|why| broken(unmarshal(&why)))?;
            }
            "services" => entries.services = map_of(section, "service", service).map_err(wrong)?,
            "checks" => entries.checks = map_of(section, "check", check).map_err(wrong)?,
            "log-targets" => {
                entries.log_targets = map_of(section, "log target", log_target).map_err(wrong)?;
            }
            _ => {
                let (label, name) = (quoted(label), quoted(name));
                let why = format!("cannot parse layer {label}: unknown section {name}");
                return Err(PlanError::Layer(why));
            }
        }
    }
    Ok(entries)
}

/// Why a section cannot be read.
enum Wrong {
    /// An entry without a body; the word for what it should have been.
    Null(&'static str),
    Other(String),
}

fn unmarshal(why: &str) -> String {
    format!("yaml: unmarshal errors:\n  {why}")
}

fn null_entry(section: &Node) -> String {
    let Value::Map(pairs) = &section.value else { return String::new() };
    pairs
        .iter()
        .find(|(_, value)| value.is_null())
        .and_then(|(key, _)| key.text())
        .unwrap_or_default()
        .to_owned()
}

type Read<T> = Result<T, String>;

fn map_of<T>(
    section: &Node,
    what: &'static str,
    read: fn(&Node) -> Read<T>,
) -> Result<BTreeMap<String, T>, Wrong> {
    let mut found = BTreeMap::new();
    for (name, node) in pairs(section, "map").map_err(Wrong::Other)? {
        if node.is_null() {
            return Err(Wrong::Null(what));
        }
        found.insert(name.to_owned(), read(node).map_err(Wrong::Other)?);
    }
    Ok(found)
}

fn pairs<'a>(node: &'a Node, into: &str) -> Read<Vec<(&'a str, &'a Node)>> {
    match &node.value {
        Value::Map(entries) => {
            entries.iter().map(|(key, value)| Ok((string(key)?, value))).collect()
        }
        Value::Scalar { .. } if node.is_null() => Ok(vec![]),
        Value::Scalar { .. } | Value::List(_) => Err(mismatch(node, into)),
    }
}

fn mismatch(node: &Node, into: &str) -> String {
    let what = match &node.value {
        Value::Scalar { text, .. } => {
            format!("!!str `{}`", text.chars().take(10).collect::<String>())
        }
        Value::List(_) => "!!seq".to_owned(),
        Value::Map(_) => "!!map".to_owned(),
    };
    format!("line {}: cannot unmarshal {what} into {into}", node.line)
}

fn unknown<T>(name: &str, node: &Node, of: &str) -> Read<T> {
    Err(format!("line {}: field {name} not found in type plan.{of}", node.line))
}

/// Any scalar is a string, as it was written.
fn string(node: &Node) -> Read<&str> {
    if node.is_null() {
        return Ok("");
    }
    node.text().ok_or_else(|| mismatch(node, "string"))
}

fn owned(node: &Node) -> Read<String> {
    string(node).map(str::to_owned)
}

fn strings(node: &Node) -> Read<Vec<String>> {
    match &node.value {
        Value::List(items) => items.iter().map(owned).collect(),
        Value::Scalar { .. } if node.is_null() => Ok(vec![]),
        Value::Scalar { .. } | Value::Map(_) => Err(mismatch(node, "[]string")),
    }
}

fn string_map(node: &Node) -> Read<BTreeMap<String, String>> {
    let entries = pairs(node, "map[string]string")?;
    entries.into_iter().map(|(key, value)| Ok((key.to_owned(), owned(value)?))).collect()
}

/// An integer is a plain scalar; a quoted one is a string.
fn integer(node: &Node) -> Read<i64> {
    let Value::Scalar { text, plain: true } = &node.value else {
        return Err(mismatch(node, "int"));
    };
    let digits = text.replace('_', "");
    let parsed = match digits.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => match digits.strip_prefix("0o") {
            Some(octal) => i64::from_str_radix(octal, 8),
            None => digits.parse(),
        },
    };
    parsed.map_err(|_| mismatch(node, "int"))
}

fn optional_integer(node: &Node) -> Read<Option<i64>> {
    if node.is_null() { Ok(None) } else { integer(node).map(Some) }
}

fn factor(node: &Node) -> Read<Option<f64>> {
    if node.is_null() {
        return Ok(None);
    }
    let text = string(node)?;
    let parsed = text.parse::<f64>().ok().filter(|number| number.is_finite());
    parsed.map(Some).ok_or_else(|| format!("invalid floating-point number {}", quoted(text)))
}

fn span(node: &Node) -> Read<Option<Span>> {
    if node.is_null() {
        return Ok(None);
    }
    let text = string(node)?;
    Span::parse(text).map(Some).map_err(|why| format!("invalid duration {}: {why}", quoted(text)))
}

fn combines(node: &Node) -> Read<Override> {
    Ok(match string(node)? {
        "" => Override::Unset,
        "merge" => Override::Merge,
        "replace" => Override::Replace,
        other => Override::Nonsense(other.to_owned()),
    })
}

/// The four fields about users; answers whether this was one of them.
fn owner_field(owner: &mut Owner, name: &str, node: &Node) -> Read<bool> {
    match name {
        "user" => owner.user = owned(node)?,
        "user-id" => owner.user_id = optional_integer(node)?,
        "group" => owner.group = owned(node)?,
        "group-id" => owner.group_id = optional_integer(node)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn service(node: &Node) -> Read<Service> {
    let mut found = Service::default();
    for (name, value) in pairs(node, "plan.Service")? {
        if owner_field(&mut found.owner, name, value)? {
            continue;
        }
        match name {
            "summary" => found.summary = owned(value)?,
            "description" => found.description = owned(value)?,
            "startup" => found.startup = owned(value)?,
            "override" => found.combines = combines(value)?,
            "command" => found.command = owned(value)?,
            "after" => found.after = strings(value)?,
            "before" => found.before = strings(value)?,
            "requires" => found.requires = strings(value)?,
            "environment" => found.environment = string_map(value)?,
            "working-dir" => found.working_dir = owned(value)?,
            "on-success" => found.on_success = owned(value)?,
            "on-failure" => found.on_failure = owned(value)?,
            "on-check-failure" => found.on_check_failure = string_map(value)?,
            "backoff-delay" => found.backoff_delay = span(value)?,
            "backoff-factor" => found.backoff_factor = factor(value)?,
            "backoff-limit" => found.backoff_limit = span(value)?,
            "kill-delay" => found.kill_delay = span(value)?,
            _ => return unknown(name, value, "Service"),
        }
    }
    Ok(found)
}

fn check(node: &Node) -> Read<Check> {
    let mut found = Check::default();
    for (name, value) in pairs(node, "plan.Check")? {
        match name {
            "override" => found.combines = combines(value)?,
            "level" => found.level = owned(value)?,
            "startup" => found.startup = owned(value)?,
            "period" => found.period = span(value)?,
            "timeout" => found.timeout = span(value)?,
            "threshold" => found.threshold = optional_integer(value)?.unwrap_or(0),
            "http" => found.http = present(value, http_check)?,
            "tcp" => found.tcp = present(value, tcp_check)?,
            "exec" => found.exec = present(value, exec_check)?,
            _ => return unknown(name, value, "Check"),
        }
    }
    Ok(found)
}

fn present<T>(node: &Node, read: fn(&Node) -> Read<T>) -> Read<Option<T>> {
    if node.is_null() { Ok(None) } else { read(node).map(Some) }
}

fn http_check(node: &Node) -> Read<HttpCheck> {
    let mut found = HttpCheck::default();
    for (name, value) in pairs(node, "plan.HTTPCheck")? {
        match name {
            "url" => found.url = owned(value)?,
            "headers" => found.headers = string_map(value)?,
            _ => return unknown(name, value, "HTTPCheck"),
        }
    }
    Ok(found)
}

fn tcp_check(node: &Node) -> Read<TcpCheck> {
    let mut found = TcpCheck::default();
    for (name, value) in pairs(node, "plan.TCPCheck")? {
        match name {
            "port" => found.port = optional_integer(value)?.unwrap_or(0),
            "host" => found.host = owned(value)?,
            _ => return unknown(name, value, "TCPCheck"),
        }
    }
    Ok(found)
}

fn exec_check(node: &Node) -> Read<ExecCheck> {
    let mut found = ExecCheck::default();
    for (name, value) in pairs(node, "plan.ExecCheck")? {
        if owner_field(&mut found.owner, name, value)? {
            continue;
        }
        match name {
            "command" => found.command = owned(value)?,
            "service-context" => found.service_context = owned(value)?,
            "environment" => found.environment = string_map(value)?,
            "working-dir" => found.working_dir = owned(value)?,
            _ => return unknown(name, value, "ExecCheck"),
        }
    }
    Ok(found)
}

fn log_target(node: &Node) -> Read<LogTarget> {
    let mut found = LogTarget::default();
    for (name, value) in pairs(node, "plan.LogTarget")? {
        match name {
            "type" => found.kind = owned(value)?,
            "location" => found.location = owned(value)?,
            "services" => found.services = strings(value)?,
            "override" => found.combines = combines(value)?,
            "labels" => found.labels = string_map(value)?,
            _ => return unknown(name, value, "LogTarget"),
        }
    }
    Ok(found)
}
