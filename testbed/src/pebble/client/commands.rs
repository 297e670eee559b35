//! What a script in a container may call: `pebble notify` and the like.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::io;
use std::io::Write;

use crate::pebble::VERSION;
use crate::pebble::client::http::Client;
use crate::pebble::client::http::ClientError;
use crate::pebble::client::http::Reply;
use crate::pebble::client::logs;
use crate::pebble::clock::Span;
use crate::pebble::quote::quoted;
use crate::pebble::run::Place;

/// The exit code, or the text of the error.
pub(crate) type Done = Result<u8, String>;

/// Runs a command. Answers nothing if there is none of that name.
pub(crate) fn run(command: &str, words: &[String]) -> Option<Done> {
    Some(match command {
        "help" | "--help" | "-h" => say(HELP),
        "version" | "--version" => version(words),
        "notify" => notify(words),
        "services" => services(words),
        "start" | "stop" | "restart" | "signal" if words.is_empty() => {
            let needed =
                if command == "signal" { "<SIGNAL>" } else { "<service> (at least 1 argument)" };
            Err(format!("the required argument `{needed}` was not provided"))
        }
        "start" | "stop" | "restart" => act(command, words),
        "replan" | "autostart" => act_on_all(command, words),
        "signal" => signal(words),
        "plan" if words.is_empty() => plan(),
        "plan" => Err("too many arguments for command".to_owned()),
        "checks" => checks(words),
        "health" => health(words),
        "logs" => logs::print(words),
        _ => return None,
    })
}

/// Asks the daemon. Answers the result, or the message of the error.
fn ask(method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value), String> {
    let client = Client::new(&Place::from_env().socket);
    let asked = match body {
        None => client.get(path),
        Some(body) => client.post(path, body),
    };
    let reply = asked.map_err(|error| unreachable(method, path, &error))?;
    let answer = reply.json();
    refused(&answer)?;
    if answer.is_null() {
        return Ok((reply.status, String::from_utf8_lossy(&reply.body).into_owned().into()));
    }
    Ok((reply.status, answer))
}

/// Asks the daemon for what may have no end, and hands on each line as it comes.
pub(crate) fn follow(path: &str, each: impl FnMut(&str) -> io::Result<()>) -> Done {
    let client = Client::new(&Place::from_env().socket);
    let reply: Reply =
        client.follow(path, each).map_err(|error| unreachable("GET", path, &error))?;
    refused(&reply.json())?;
    Ok(0)
}

fn unreachable(method: &str, path: &str, error: &ClientError) -> String {
    let verb = if method == "GET" { "Get" } else { "Post" };
    let url = quoted(&format!("http://localhost{}", path.trim_end_matches('?')));
    format!("cannot communicate with server: {verb} {url}: {error}")
}

fn refused(answer: &Value) -> Result<(), String> {
    if answer.get("type").and_then(Value::as_str) != Some("error") {
        return Ok(());
    }
    let message = answer.pointer("/result/message").and_then(Value::as_str);
    Err(message.unwrap_or("unknown error").to_owned())
}

fn result_of(path: &str) -> Result<Value, String> {
    ask("GET", path, None).map(|(_, answer)| answer.get("result").cloned().unwrap_or_default())
}

pub(crate) fn say(text: &str) -> Done {
    writeln!(io::stdout(), "{text}").map(|()| 0).map_err(|error| error.to_string())
}

fn remark(text: &str) -> Done {
    writeln!(io::stderr(), "{text}").map(|()| 0).map_err(|error| error.to_string())
}

/// The words that are no flags, and the values of the flags that are known: `--name value`,
/// `--name=value`, and of a single letter `-n value` or `-nvalue`. After `--` there are no flags.
pub(crate) fn parsed<'a>(
    words: &'a [String],
    flags: &[&str],
) -> Result<(Vec<&'a str>, Map<String, Value>), String> {
    let mut plain = Vec::new();
    let mut found = Map::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            plain.extend(words.by_ref().map(String::as_str));
            break;
        }
        let Some((name, value)) = flag_and_value(word) else {
            plain.push(word.as_str());
            continue;
        };
        let Some(known) = flags.iter().find(|known| known.trim_end_matches('=') == name) else {
            return Err(format!("unknown flag `{name}'"));
        };
        let value = match (known.ends_with('='), value) {
            (false, _) => "true".to_owned(),
            (true, Some(value)) => value.to_owned(),
            (true, None) => words
                .next()
                .cloned()
                .ok_or_else(|| format!("expected argument for flag `--{name}'"))?,
        };
        found.insert(name.to_owned(), value.into());
    }
    Ok((plain, found))
}

fn flag_and_value(word: &str) -> Option<(&str, Option<&str>)> {
    if let Some(long) = word.strip_prefix("--") {
        return Some(
            long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value))),
        );
    }
    let short = word.strip_prefix('-').filter(|short| !short.is_empty())?;
    let (name, value) = short.split_at(short.chars().next().map_or(0, char::len_utf8));
    let value = value.strip_prefix('=').unwrap_or(value);
    Some((name, Some(value).filter(|value| !value.is_empty())))
}

pub(crate) fn flag<'a>(flags: &'a Map<String, Value>, name: &str) -> &'a str {
    flags.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn version(words: &[String]) -> Done {
    let (_, flags) = parsed(words, &["client"])?;
    if flags.contains_key("client") {
        return say(VERSION);
    }
    let info = result_of("/v1/system-info")?;
    let server = info.get("version").and_then(Value::as_str).unwrap_or("-");
    say(&format!("client  {VERSION}\nserver  {server}"))
}

fn notify(words: &[String]) -> Done {
    let (plain, flags) = parsed(words, &["repeat-after="])?;
    let repeat_after = flag(&flags, "repeat-after");
    if !repeat_after.is_empty() {
        Span::parse(repeat_after).map_err(|why| {
            format!("invalid argument for flag `--repeat-after' (expected time.Duration): {why}")
        })?;
    }
    let Some((key, pairs)) = plain.split_first() else {
        return Err("the required argument `<key>` was not provided".to_owned());
    };
    let mut data = Map::new();
    for pair in pairs {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            format!("data args must be in \"name=value\" format, not {}", quoted(pair))
        })?;
        data.insert(name.to_owned(), value.into());
    }
    let mut body = json!({"action": "add", "type": "custom", "key": key, "data": data});
    if let (Value::Object(fields), false) = (&mut body, repeat_after.is_empty()) {
        fields.insert("repeat-after".to_owned(), repeat_after.into());
    }
    let (_, answer) = ask("POST", "/v1/notices", Some(&body))?;
    let id = answer.pointer("/result/id").and_then(Value::as_str).unwrap_or_default();
    say(&format!("Recorded notice {id}"))
}

/// Columns that are as wide as their widest cell.
fn table(rows: &[Vec<String>]) -> Done {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        say(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(0)
}

fn cell(row: &Value, name: &str) -> String {
    match row.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
            "-".to_owned()
        }
    }
}

fn listed(path: &str, words: &[&str]) -> Result<Vec<Value>, String> {
    let mark = if path.contains('?') { '&' } else { '?' };
    let names = if words.is_empty() { String::new() } else { format!("names={}", words.join(",")) };
    let result = result_of(format!("{path}{mark}{names}").trim_end_matches(['?', '&']))?;
    Ok(result.as_array().cloned().unwrap_or_default())
}

fn services(words: &[String]) -> Done {
    let (names, _) = parsed(words, &["abs-time"])?;
    let found = listed("/v1/services", &names)?;
    if found.is_empty() {
        let told = if names.is_empty() { "Plan has no services." } else { "No matching services." };
        return remark(told);
    }
    let mut rows = vec![["Service", "Startup", "Current", "Since"].map(str::to_owned).to_vec()];
    rows.extend(found.iter().map(|service| {
        ["name", "startup", "current", "current-since"].map(|name| cell(service, name)).to_vec()
    }));
    table(&rows)
}

fn checks(words: &[String]) -> Done {
    let (names, flags) = parsed(words, &["level="])?;
    let level = flag(&flags, "level");
    let found = listed(&format!("/v1/checks?level={level}"), &names)?;
    if found.is_empty() {
        let all = names.is_empty() && level.is_empty();
        return remark(if all {
            "Plan has no health checks."
        } else {
            "No matching health checks."
        });
    }
    let head = ["Check", "Level", "Startup", "Status", "Successes", "Failures", "Change"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(found.iter().map(|check| {
        let failures = check.get("failures").and_then(Value::as_u64).unwrap_or(0);
        let mut row =
            ["name", "level", "startup", "status", "successes"].map(|n| cell(check, n)).to_vec();
        row.push(format!("{failures}/{}", cell(check, "threshold")));
        row.push(cell(check, "change-id"));
        row
    }));
    table(&rows)
}

fn health(words: &[String]) -> Done {
    let (names, flags) = parsed(words, &["level="])?;
    let level = flag(&flags, "level");
    let path = format!("/v1/health?level={level}&names={}", names.join(","));
    let (status, _) = ask("GET", &path, None)?;
    let healthy = status == 200;
    say(if healthy { "healthy" } else { "unhealthy" })?;
    Ok(u8::from(!healthy))
}

/// Begins a change and waits for it.
fn act(action: &str, words: &[String]) -> Done {
    let (names, flags) = parsed(words, &["no-wait"])?;
    perform(action, &names, flags.contains_key("no-wait"))
}

/// An action on the whole plan: names that are given do not count.
fn act_on_all(action: &str, words: &[String]) -> Done {
    let (_, flags) = parsed(words, &["no-wait"])?;
    perform(action, &[], flags.contains_key("no-wait"))
}

fn perform(action: &str, names: &[&str], without_waiting: bool) -> Done {
    let body = json!({"action": action, "services": names});
    let (_, answer) = ask("POST", "/v1/services", Some(&body))?;
    let change = answer.get("change").and_then(Value::as_str).unwrap_or_default();
    if without_waiting {
        return say(change);
    }
    loop {
        match result_of(&format!("/v1/changes/{change}/wait?timeout=10s")) {
            Ok(done) => match done.get("err").and_then(Value::as_str) {
                Some(error) => return Err(format!("{error}{}", task_logs(&done))),
                None => return Ok(0),
            },
            Err(why) if why.starts_with("timed out waiting for change") => {}
            Err(why) => return Err(why),
        }
    }
}

/// What the tasks of a failed change logged, each under its number.
fn task_logs(change: &Value) -> String {
    let tasks = change.get("tasks").and_then(Value::as_array).into_iter().flatten();
    let logs: String = tasks
        .enumerate()
        .filter_map(|(number, task)| {
            let lines = task.get("log")?.as_array()?.iter().filter_map(Value::as_str);
            let lines = lines.collect::<Vec<_>>().join("\n");
            Some(format!("\n----- Logs from task {number} -----\n{lines}"))
        })
        .collect();
    if logs.is_empty() { logs } else { format!("{logs}\n-----") }
}

fn signal(words: &[String]) -> Done {
    let (plain, _) = parsed(words, &[])?;
    let Some((signal, names)) = plain.split_first() else { return Ok(0) };
    let signal =
        if signal.starts_with("SIG") { (*signal).to_owned() } else { format!("SIG{signal}") };
    ask("POST", "/v1/signals", Some(&json!({"signal": signal, "services": names}))).map(|_| 0)
}

fn plan() -> Done {
    let text = result_of("/v1/plan?format=yaml")?;
    say(text.as_str().unwrap_or_default().trim_end())
}

const HELP: &str = "Pebble of the test bed.

Usage: pebble <command> [<options>...]

Run:       run
Plan:      plan
Services:  services, logs, start, restart, signal, stop, replan, autostart
Checks:    checks, health
Notices:   notify
Other:     help, version";
