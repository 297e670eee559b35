//! One recorded case, replayed as a hook of its own.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use testbed::juju::controller::Controller;
use testbed::juju::hook::FaultKind;
use testbed::juju::model::Bag;
use testbed::juju::model::Model;
use testbed::juju::run::Commit;
use testbed::juju::run::HookRun;
use testbed::juju::run::LogLine;
use testbed::juju::run::RunningHook;

use super::capture::Captures;
use super::form::changed;
use super::form::expanded;
use super::form::hook;
use super::form::quoted;

type Outcome<T> = Result<T, Box<dyn Error>>;

const LIMIT: Duration = Duration::from_secs(20);

/// A row while it is replayed.
pub(crate) struct Row<'a> {
    record: &'a Value,
    fixture: Model,
    controller: Controller,
    scratch: TempDir,
    differences: Vec<String>,
    /// How many calls were made, over all hooks of the row.
    calls: usize,
    captures: Captures,
}

/// A hook of the row: what happens before its calls and after the last one.
struct Script<'a> {
    hook: &'a Value,
    steps: Vec<&'a Value>,
    exit: i64,
}

impl<'a> Row<'a> {
    pub(crate) fn new(table: &'a Value, row: &'a Value) -> Outcome<Self> {
        let fixture = &table["fixtures"][row["fixture"].as_str().unwrap_or_default()];
        let fixture: Model = serde_json::from_value(fixture.clone())?;
        let controller = Controller::new(fixture.clone())?;
        let scratch = TempDir::new()?;
        Ok(Self {
            record: row,
            fixture,
            controller,
            scratch,
            differences: Vec::new(),
            calls: 0,
            captures: Captures::default(),
        })
    }

    /// Runs the row's hooks; returns what differs from the record.
    pub(crate) fn run(mut self) -> Outcome<Vec<String>> {
        let unit = self.record["hook"]["unit"].as_str().unwrap_or_default().to_owned();
        let charm = self.controller.charm_directory(&unit)?;
        for (name, content) in self.record["files"].as_object().into_iter().flatten() {
            let path = charm.join(name);
            fs::create_dir_all(path.parent().unwrap_or(&charm))?;
            let content = expanded(content, &charm);
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
        let row = self.record;
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
            text.push_str(&command_line(step, &files, charm, &self.captures)?);
            self.captures.expect(step, &files.stdout);
        }
        let streams = [("hook_stdout", ""), ("hook_stderr", " >&2")];
        for (key, redirected) in streams {
            if let Some(output) = self.record[key].as_str() {
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
            for happening in happenings {
                self.happen(happening);
            }
            running.release();
        }
        running.wait_for_exit(LIMIT)?;
        for happening in pending {
            self.happen(happening);
        }
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
                let unit = self.record["hook"]["unit"].as_str().unwrap_or_default();
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
                "config" => {
                    let record = model.applications.get_mut(application);
                    let record = record.expect("the application is there");
                    let option = record.config.get_mut(text("option"));
                    option.expect("the option is there").value = Some(happening["value"].clone());
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
        let read = |path: &Path| fs::read(path).map(|it| String::from_utf8_lossy(&it).into_owned());
        let (stdout, stderr) = (read(&files.stdout)?, read(&files.stderr)?);
        let exit: i64 = read(&files.exit)?.trim().parse()?;
        self.differences.extend(self.captures.take(step, &stdout));
        let step = self.captures.expanded(&expanded(step, charm));
        self.compare(&format!("exit of {tool}"), &step["exit"], &json!(exit));
        if let Some(prefix) = step["stdout_prefix"].as_str() {
            let start: String = stdout.chars().take(prefix.chars().count()).collect();
            self.compare("start of stdout", &json!(prefix), &json!(start));
        } else if step["stdout_json_unordered"] == true {
            let recorded = step["stdout"].as_str().unwrap_or_default();
            self.compare(&format!("items of {tool}"), &sorted(recorded)?, &sorted(&stdout)?);
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
        self.compare("hook_error", &self.record["hook_error"], &json!(run.error));
        self.compare("commit_error", &self.record["commit_error"], &error);
        let is_committed = run.commit == Commit::Committed;
        let is_kept = !self.record["committed"].is_null();
        let is_dropped = !self.record["discarded"].is_null();
        if is_kept || is_dropped {
            self.compare("whether it was committed", &json!(is_kept), &json!(is_committed));
        }
        let line = |it: &LogLine| json!({"level": it.level, "message": it.message});
        let log: Vec<Value> = run.log.iter().map(line).collect();
        let recorded = self.record["log"].as_array().cloned().unwrap_or_default();
        self.compare("log", &json!(recorded), &json!(log));
        let result = run.action_result.as_ref().map(|result| {
            let mut told = json!({
                "status": result.status,
                "message": result.message,
                "results": result.results,
            });
            if !result.log.is_empty() {
                told["log"] = json!(result.log);
            }
            told
        });
        self.compare("action_result", &self.record["action_result"], &json!(result));
    }

    fn compare_model(&mut self, charm: &Path) {
        let recorded = [&self.record["committed"], &self.record["discarded"]];
        let recorded = recorded.into_iter().find(|it| !it.is_null()).cloned();
        let recorded = expanded(&recorded.unwrap_or_else(|| json!({})), charm);
        let recorded = self.captures.expanded(&recorded);
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

/// A list in JSON without the order of its items.
fn sorted(json: &str) -> Outcome<Value> {
    let mut items: Vec<String> = serde_json::from_str(json)?;
    items.sort();
    Ok(json!(items))
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
fn command_line(step: &Value, files: &Files, charm: &Path, captures: &Captures) -> Outcome<String> {
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
    let mut arguments = step["argv"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let tool = tool(arguments.next().unwrap_or_default(), charm, files)?;
    for word in [tool.as_str()].into_iter().chain(arguments) {
        write!(line, " {}", captures.word(word))?;
    }
    if let Some(stdin) = step["stdin"].as_str() {
        fs::write(&files.stdin, stdin)?;
        write!(line, " < {}", files.stdin.display())?;
    }
    let (stdout, stderr, exit) =
        (files.stdout.display(), files.stderr.display(), files.exit.display());
    Ok(format!("{line} > {stdout} 2> {stderr}; echo $? > {exit}\n"))
}

/// The word to start a tool by; one that the bed does not have is linked like the others.
fn tool(name: &str, charm: &Path, files: &Files) -> Outcome<String> {
    let others = charm.join("../../tools");
    if others.join(name).exists() {
        return Ok(name.to_owned());
    }
    let link = files.stdin.with_file_name(name);
    symlink(others.join("is-leader").canonicalize()?, &link)?;
    Ok(link.display().to_string())
}
