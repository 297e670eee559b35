//! Replays what was recorded of Juju's own hook tools (version 3.6.28) against the bed's.
//!
//! Each row runs as a hook of its own: a shell script as the hook, the tools as processes of it.

use std::collections::BTreeSet;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use testbed::juju::controller::Controller;
use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Happening;
use testbed::juju::hook::Hook;
use testbed::juju::model::Bag;
use testbed::juju::model::Model;
use testbed::juju::model::Status;
use testbed::juju::run::Commit;
use testbed::juju::run::HookRun;
use testbed::juju::run::RunningHook;

/// Rows that the bed answers otherwise, and why that is borne.
const LEFT_OUT: &[(&str, &str)] = &[];

/// The tools that the bed has; a row that calls another one is out of reach.
const TOOLS: &[&str] = &[
    "action-fail",
    "goal-state",
    "is-leader",
    "juju-log",
    "relation-get",
    "relation-ids",
    "relation-list",
    "relation-set",
    "state-delete",
    "state-get",
    "state-set",
    "status-set",
];

/// What may happen between calls, as far as the bed models it.
const HAPPENINGS: &[&str] = &[
    "application-data",
    "hook-end",
    "hook-start",
    "leader",
    "lease",
    "service-address",
    "unit-data",
    "unit-status",
];

const LIMIT: Duration = Duration::from_secs(20);

type Outcome<T> = Result<T, Box<dyn Error>>;

#[test]
fn hook_tool_table() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hook-tools.json");
    let further = env::var_os("HOOK_TOOL_TABLES").unwrap_or_default();
    let mut complaints = String::new();
    let further = env::split_paths(&further).filter(|path| !path.as_os_str().is_empty());
    for path in [recorded].into_iter().chain(further) {
        let text = fs::read(&path).expect("the table is there");
        let table: Value = serde_json::from_slice(&text).expect("the table is JSON");
        complaints.push_str(&replay(&path, &table));
    }
    assert!(complaints.is_empty(), "{complaints}");
}

/// Replays one table and prints the count; the text returned says what differs.
fn replay(path: &Path, table: &Value) -> String {
    let rows = table["cases"].as_array().expect("a table has cases");
    let mut complaints = String::new();
    let (mut reached, mut passed, mut left_out) = (0, 0, 0);
    for row in rows.iter().filter(|row| is_in_reach(row)) {
        reached += 1;
        let name = row["name"].as_str().unwrap_or_default();
        let reason = LEFT_OUT.iter().find(|(left_out, _)| *left_out == name);
        let differences = Row::new(table, row).and_then(Row::run);
        let differences = differences.unwrap_or_else(|error| vec![format!("cannot run: {error}")]);
        match (differences.is_empty(), reason) {
            (true, None) => passed += 1,
            (false, Some(_)) => left_out += 1,
            (true, Some(_)) => {
                writeln!(complaints, "{name}: passes, though it is left out").expect("text grows");
            }
            (false, None) => {
                let differences = differences.join("\n    ");
                writeln!(complaints, "{name}:\n    {differences}").expect("text grows");
            }
        }
    }
    let count = rows.len();
    let line = format!(
        "{}: {passed} passed, {left_out} left out, of {reached} in reach of {count} rows\n",
        path.display()
    );
    io::stdout().write_all(line.as_bytes()).expect("there is a standard output");
    if left_out * 50 > reached {
        writeln!(complaints, "{left_out} of {reached} rows left out").expect("text grows");
    }
    complaints
}

/// Whether the bed has all the tools that the row calls and knows all that happens in it.
fn is_in_reach(row: &Value) -> bool {
    let around = ["before", "after"].iter().filter_map(|key| row[key].as_array()).flatten();
    [row].into_iter().chain(around).all(|step| match (&step["argv"][0], &step["event"]) {
        (Value::String(tool), _) => TOOLS.contains(&tool.as_str()),
        (_, Value::String(event)) => HAPPENINGS.contains(&event.as_str()),
        _ => false,
    })
}

/// A row while it is replayed.
struct Row<'a> {
    row: &'a Value,
    fixture: Model,
    controller: Controller,
    scratch: TempDir,
    differences: Vec<String>,
    /// How many calls were made, over all hooks of the row.
    calls: usize,
}

/// A hook of the row: what happens before its calls and after the last one.
struct Script<'a> {
    hook: &'a Value,
    steps: Vec<&'a Value>,
    exit: i64,
}

impl<'a> Row<'a> {
    fn new(table: &'a Value, row: &'a Value) -> Outcome<Self> {
        let fixture = &table["fixtures"][row["fixture"].as_str().unwrap_or_default()];
        let fixture: Model = serde_json::from_value(fixture.clone())?;
        let controller = Controller::new(fixture.clone())?;
        let scratch = TempDir::new()?;
        Ok(Self { row, fixture, controller, scratch, differences: Vec::new(), calls: 0 })
    }

    /// Runs the row's hooks; returns what differs from the record.
    fn run(mut self) -> Outcome<Vec<String>> {
        let unit = self.row["hook"]["unit"].as_str().unwrap_or_default().to_owned();
        let charm = self.controller.charm_directory(&unit)?;
        for (name, content) in self.row["files"].as_object().into_iter().flatten() {
            let path = charm.join(name);
            fs::create_dir_all(path.parent().unwrap_or(&charm))?;
            fs::write(path, content.as_str().unwrap_or_default())?;
        }
        let mut last = None;
        for script in self.scripts() {
            last = Some(self.run_hook(&script, &charm)?);
        }
        if let Some(run) = last {
            self.compare_run(&run);
        }
        self.compare_model(&charm);
        Ok(self.differences)
    }

    fn scripts(&self) -> Vec<Script<'a>> {
        let row = self.row;
        let exit = |value: &Value| value.as_i64().unwrap_or_default();
        let steps = |key: &str| row[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let steps = steps("before").iter().chain([row]).chain(steps("after"));
        let mut scripts = Vec::new();
        let mut script = Script { hook: &row["hook"], steps: Vec::new(), exit: 0 };
        for step in steps {
            match step["event"].as_str() {
                Some("hook-end") => script.exit = exit(&step["exit"]),
                Some("hook-start") => {
                    let next = Script { hook: &step["hook"], steps: Vec::new(), exit: 0 };
                    scripts.push(std::mem::replace(&mut script, next));
                }
                _ => script.steps.push(step),
            }
        }
        script.exit = exit(&row["hook_exit"]);
        scripts.push(script);
        scripts
    }

    fn run_hook(&mut self, script: &Script<'_>, charm: &Path) -> Outcome<HookRun> {
        let mut hook = hook(script.hook);
        let (mut text, mut number) = (String::new(), 0);
        let mut happenings: Vec<(usize, Vec<&Value>)> = Vec::new();
        let mut pending = Vec::new();
        let first_call = self.calls;
        for step in &script.steps {
            if step["argv"].is_null() {
                pending.push(*step);
                continue;
            }
            number += 1;
            if !pending.is_empty() {
                hook = hook.fault(number, FaultKind::Hold);
                happenings.push((number, std::mem::take(&mut pending)));
            }
            self.calls += 1;
            let files = Files::of(self.scratch.path(), self.calls);
            text.push_str(&command_line(step, &files, charm)?);
        }
        let streams = [("hook_stdout", ""), ("hook_stderr", " >&2")];
        for (key, redirected) in streams {
            if let Some(output) = self.row[key].as_str() {
                writeln!(text, "printf %s {}{redirected}", quoted(output))?;
            }
        }
        writeln!(text, "exit {}", script.exit)?;
        let program = self.scratch.path().join(format!("hook-{}", self.calls));
        fs::write(&program, text)?;
        let mut command = Command::new("/bin/sh");
        command.arg(program);
        let running = self.controller.start(hook, command)?;
        self.compare_environment(script.hook, &running);
        for (number, happenings) in happenings {
            running.wait_for_call(number, LIMIT)?;
            happenings.iter().for_each(|happening| self.happen(happening));
            running.release();
        }
        running.wait_for_exit(LIMIT)?;
        pending.iter().for_each(|happening| self.happen(happening));
        let run = running.finish(LIMIT)?;
        let calls = script.steps.iter().filter(|step| !step["argv"].is_null());
        for (step, call) in calls.zip(first_call + 1..) {
            let files = Files::of(self.scratch.path(), call);
            self.compare_call(step, &files, charm)?;
        }
        Ok(run)
    }

    fn happen(&self, happening: &Value) {
        let text = |key: &str| happening[key].as_str().unwrap_or_default();
        let data = || serde_json::from_value::<Bag>(happening["data"].clone()).unwrap_or_default();
        let relation = happening["relation"].as_u64().and_then(|id| u32::try_from(id).ok());
        let relation = relation.unwrap_or_default();
        let (application, unit) = (text("application"), text("unit"));
        match text("event") {
            "leader" if happening["leader"].is_null() => self.controller.clear_leader(application),
            "leader" => self.controller.set_leader(text("leader")),
            "lease" => {
                let unit = self.row["hook"]["unit"].as_str().unwrap_or_default();
                self.controller.claim_leadership(unit, happening["claim"].as_bool());
            }
            event => self.controller.edit(|model| match event {
                "unit-data" => {
                    let relation = model.relation_mut(relation).expect("the relation is there");
                    relation.units.entry(unit.to_owned()).or_default().data = data();
                }
                "application-data" => {
                    let relation = model.relation_mut(relation).expect("the relation is there");
                    relation.application_data.insert(application.to_owned(), data());
                }
                "service-address" => {
                    let record = model.applications.get_mut(application);
                    let record = record.expect("the application is there");
                    text("address").clone_into(&mut record.service_address);
                }
                "unit-status" => {
                    let status = model.status(text("status"), text("message"));
                    model.unit_mut(unit).expect("the unit is there").status = status;
                }
                other => panic!("nobody knows what {other} is"),
            }),
        }
    }

    fn compare_environment(&mut self, hook: &Value, running: &RunningHook) {
        for (name, value) in hook["env"].as_object().into_iter().flatten() {
            let given = running.environment.get(name).map_or(Value::Null, |given| json!(given));
            self.compare(name, value, &given);
        }
    }

    fn compare_call(&mut self, step: &Value, files: &Files, charm: &Path) -> Outcome<()> {
        let tool = step["argv"][0].as_str().unwrap_or_default();
        let step = expanded(step, charm);
        let read = |path: &Path| fs::read(path).map(|it| String::from_utf8_lossy(&it).into_owned());
        let (stdout, stderr) = (read(&files.stdout)?, read(&files.stderr)?);
        let exit: i64 = read(&files.exit)?.trim().parse()?;
        self.compare(&format!("exit of {tool}"), &step["exit"], &json!(exit));
        if let Some(prefix) = step["stdout_prefix"].as_str() {
            let start: String = stdout.chars().take(prefix.chars().count()).collect();
            self.compare("start of stdout", &json!(prefix), &json!(start));
        } else if !step["stdout"].is_null() {
            self.compare(&format!("stdout of {tool}"), &step["stdout"], &json!(stdout));
        }
        for part in step["stderr_contains"].as_array().into_iter().flatten() {
            if !stderr.contains(part.as_str().unwrap_or_default()) {
                self.differences.push(format!("stderr without {part}: {stderr:?}"));
            }
        }
        if !step["stderr"].is_null() {
            self.compare(&format!("stderr of {tool}"), &step["stderr"], &json!(stderr));
        }
        Ok(())
    }

    fn compare_run(&mut self, run: &HookRun) {
        let error = match &run.commit {
            Commit::Failed(text) => json!(text),
            Commit::Committed | Commit::Discarded => Value::Null,
        };
        self.compare("commit_error", &self.row["commit_error"], &error);
        let is_committed = run.commit == Commit::Committed;
        let is_kept = !self.row["committed"].is_null();
        let is_dropped = !self.row["discarded"].is_null();
        if is_kept || is_dropped {
            self.compare("whether it was committed", &json!(is_kept), &json!(is_committed));
        }
        let line =
            |it: &testbed::juju::run::LogLine| json!({"level": it.level, "message": it.message});
        let log: Vec<Value> = run.log.iter().map(line).collect();
        let recorded = self.row["log"].as_array().cloned().unwrap_or_default();
        self.compare("log", &json!(recorded), &json!(log));
        let result = run.action_result.as_ref().map(|result| {
            let mut results =
                Map::from_iter([("return-code".to_owned(), json!(result.return_code))]);
            let streams = [("stdout", &result.stdout), ("stderr", &result.stderr)];
            for (key, text) in streams.into_iter().filter(|(_, text)| !text.is_empty()) {
                results.insert(key.to_owned(), json!(text));
            }
            json!({"status": result.status, "message": result.message, "results": results})
        });
        self.compare("action_result", &self.row["action_result"], &json!(result));
    }

    fn compare_model(&mut self, charm: &Path) {
        let recorded = [&self.row["committed"], &self.row["discarded"]];
        let recorded = recorded.into_iter().find(|it| !it.is_null()).cloned();
        let recorded = expanded(&recorded.unwrap_or_else(|| json!({})), charm);
        let changed = self.controller.read(|model| changed(&self.fixture, model));
        self.compare("changes", &recorded, &changed);
    }

    fn compare(&mut self, what: &str, recorded: &Value, seen: &Value) {
        if recorded != seen {
            let short = |value: &Value| value.to_string().chars().take(400).collect::<String>();
            let (recorded, seen) = (short(recorded), short(seen));
            self.differences.push(format!("{what}: recorded {recorded}, seen {seen}"));
        }
    }
}

/// Where a call's output goes.
struct Files {
    stdin: PathBuf,
    stdout: PathBuf,
    stderr: PathBuf,
    exit: PathBuf,
}

impl Files {
    fn of(directory: &Path, call: usize) -> Self {
        let file = |kind: &str| directory.join(format!("{kind}-{call}"));
        Self { stdin: file("in"), stdout: file("out"), stderr: file("err"), exit: file("exit") }
    }
}

/// The line of the hook's script that makes a call.
fn command_line(step: &Value, files: &Files, charm: &Path) -> Outcome<String> {
    let step = expanded(step, charm);
    let mut line = String::from("env");
    for name in step["unset_env"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        write!(line, " -u {name}")?;
    }
    for (name, value) in step["set_env"].as_object().into_iter().flatten() {
        write!(line, " {name}={}", quoted(value.as_str().unwrap_or_default()))?;
    }
    // Most calls need no change of the environment, and env costs a process.
    if line == "env" {
        line.clear();
    }
    for argument in step["argv"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        write!(line, " {}", quoted(argument))?;
    }
    if let Some(stdin) = step["stdin"].as_str() {
        fs::write(&files.stdin, stdin)?;
        write!(line, " < {}", files.stdin.display())?;
    }
    let (stdout, stderr, exit) =
        (files.stdout.display(), files.stderr.display(), files.exit.display());
    Ok(format!("{line} > {stdout} 2> {stderr}; echo $? > {exit}\n"))
}

/// The hook that a table describes.
fn hook(described: &Value) -> Hook {
    let unit = described["unit"].as_str().unwrap_or_default();
    let event = described["event"].as_str().unwrap_or_default();
    let environment = described["env"].as_object().cloned().unwrap_or_default();
    let variable = |name: &str| environment.get(name).and_then(Value::as_str);
    let mut hook = if let Some(name) = event.strip_prefix("actions/") {
        Hook::action(unit, name, variable("JUJU_ACTION_UUID").unwrap_or_default())
    } else if let Some(id) = variable("JUJU_RELATION_ID") {
        let id = id.rsplit(':').next().and_then(|id| id.parse().ok()).unwrap_or_default();
        Hook::relation(unit, id, happening(event, &variable))
    } else if let Some(name) = event.strip_prefix("hooks/") {
        let known = ["JUJU_DISPATCH_PATH", "JUJU_HOOK_NAME"];
        let further = environment.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        further.fold(Hook::new(unit, name), |hook, (name, value)| {
            hook.variable(name, value.as_str().unwrap_or_default())
        })
    } else {
        Hook::exec(unit)
    };
    for (relation, units) in described["delivered_members"].as_object().into_iter().flatten() {
        let units: Vec<&str> =
            units.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        hook = hook.delivered(relation.parse().unwrap_or_default(), &units);
    }
    hook
}

fn happening<'a>(event: &str, variable: &impl Fn(&str) -> Option<&'a str>) -> Happening {
    let unit = variable("JUJU_REMOTE_UNIT").unwrap_or_default().to_owned();
    match event.rsplit('-').next() {
        Some("created") => Happening::Created,
        Some("joined") => Happening::Joined { unit },
        Some("changed") if unit.is_empty() => Happening::ApplicationChanged,
        Some("changed") => Happening::Changed { unit },
        Some("departed") => {
            let departing = variable("JUJU_DEPARTING_UNIT").unwrap_or_default().to_owned();
            Happening::Departed { unit, departing }
        }
        _ => Happening::Broken,
    }
}

/// What differs between two models, in the table's form.
fn changed(before: &Model, after: &Model) -> Value {
    let mut changes = Map::new();
    let mut note = |path: &[&str], value: Value| {
        let mut place = &mut changes;
        for key in path.iter().take(path.len() - 1) {
            let inner = place.entry((*key).to_owned()).or_insert_with(|| json!({}));
            place = inner.as_object_mut().expect("only the last of a path is no object");
        }
        if let Some(key) = path.last() {
            place.insert((*key).to_owned(), value);
        }
    };
    for relation in &after.relations {
        let Some(old) = before.relation(relation.id) else { continue };
        let id = relation.id.to_string();
        for (unit, member) in &relation.units {
            if old.units.get(unit).map(|old| &old.data) != Some(&member.data) {
                note(&["relations", &id, "unit_data", unit], json!(member.data));
            }
        }
        for (application, bag) in &relation.application_data {
            if old.application_data.get(application) != Some(bag) {
                note(&["relations", &id, "application_data", application], json!(bag));
            }
        }
    }
    let shown = |status: &Status| json!({"status": status.status, "message": status.message});
    for (name, application) in &after.applications {
        let Some(old) = before.applications.get(name) else { continue };
        if old.status != application.status {
            note(&["application_status", name], shown(&application.status));
        }
        for (name, unit) in &application.units {
            let Some(old) = old.units.get(name) else { continue };
            if old.status != unit.status {
                note(&["unit_status", name], shown(&unit.status));
            }
            if old.state != unit.state {
                note(&["state", name], json!(unit.state));
            }
        }
    }
    Value::Object(changes)
}

/// The value with the table's abbreviations written out.
fn expanded(value: &Value, charm: &Path) -> Value {
    match value {
        Value::String(text) => Value::String(expanded_text(text, charm)),
        Value::Array(items) => items.iter().map(|item| expanded(item, charm)).collect(),
        Value::Object(pairs) => pairs
            .iter()
            .map(|(key, value)| (expanded_text(key, charm), expanded(value, charm)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn expanded_text(text: &str, charm: &Path) -> String {
    let mut text = text.replace("{{cwd}}", &charm.display().to_string());
    while let Some((before, rest)) = text.split_once("{{rep:") {
        let (what, after) = rest.split_once("}}").expect("an abbreviation is closed");
        let (what, count) = what.rsplit_once(':').expect("an abbreviation has a count");
        let count = count.parse().expect("a count is a number");
        text = format!("{before}{}{after}", what.repeat(count));
    }
    text
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[test]
fn every_tool_is_in_the_table() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hook-tools.json");
    let text = fs::read(recorded).expect("the table is there");
    let table: Value = serde_json::from_slice(&text).expect("the table is JSON");
    let rows = table["cases"].as_array().expect("a table has cases");
    let called: BTreeSet<&str> = rows.iter().filter_map(|row| row["argv"][0].as_str()).collect();
    let missing: Vec<&&str> = TOOLS.iter().filter(|tool| !called.contains(**tool)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
