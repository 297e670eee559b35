//! Commands to units and their containers.

use std::io;
use std::io::IsTerminal;
use std::io::Write;
use std::process::Child;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::SigSet;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use nix::unistd::getpgrp;
use nix::unistd::tcsetpgrp;
use serde_json::Map;
use serde_json::Value;

use crate::juju::action::ActionResult;
use crate::juju::error::Error;
use crate::juju::output;
use crate::lab::error::LabError;
use crate::shell::error::ShellError;
use crate::shell::session::Session;
use crate::shell::value::Pair;
use crate::shell::value::UnitName;

pub(super) fn run(
    session: &Session,
    unit: &UnitName,
    action: &str,
    parameters: &[Pair],
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let unit = session.unit(unit)?;
    let parameters: Vec<(&str, &str)> =
        parameters.iter().map(|pair| (pair.key.as_str(), pair.value.as_str())).collect();
    let task = session.lab.begin_action(&unit, action, &parameters)?;
    writeln!(out, "Running action {action} on {unit}, task {task}")?;
    out.flush()?;
    let outcome = result(session, task)?;
    for line in &outcome.log {
        writeln!(out, "{line}")?;
    }
    let results = shown_results(&outcome.results);
    if !results.is_empty() {
        let results = Value::Object(results);
        let text = output::text(&output::Value::from(&results), "yaml");
        write!(out, "{}", text.unwrap_or_else(|_| format!("{results}\n")))?;
    }
    if outcome.status == COMPLETED {
        return Ok(());
    }
    Err(ShellError::Failed(format!("action {action} {}: {}", outcome.status, outcome.message)))
}

/// Waits for a task's end, as long as the operator likes to.
fn result(session: &Session, task: u64) -> Result<ActionResult, ShellError> {
    loop {
        match session.lab.outcome(task, LOOK) {
            Err(LabError::Juju(Error::Late { .. })) if session.is_interrupted() => {
                return Err(ShellError::Interrupted);
            }
            Err(LabError::Juju(Error::Late { .. })) => {}
            outcome => return Ok(outcome?),
        }
    }
}

/// What Juju shows of an action's results: not its exit code while it is good.
fn shown_results(results: &Map<String, Value>) -> Map<String, Value> {
    let is_shown = |key: &str, value: &Value| key != "return-code" || *value != 0;
    let kept = results.iter().filter(|(key, value)| is_shown(key, value));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

pub(super) fn exec(
    session: &Session,
    units: &[UnitName],
    command: &[String],
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    // One word is a line for a shell; several are words already.
    let line = match command {
        [line] => line.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    };
    let mut failures = Vec::new();
    for name in units {
        let unit = session.unit(name)?;
        let task = session.lab.controller().exec(&unit, &line).map_err(LabError::from)?;
        let outcome = result(session, task)?;
        if units.len() > 1 {
            writeln!(out, "{unit}:")?;
        }
        write!(out, "{}{}", outcome.stdout(), outcome.stderr())?;
        let code = outcome.results.get("return-code").cloned().unwrap_or_default();
        if outcome.status != COMPLETED || !(code.is_null() || code == 0) {
            let why = if outcome.message.is_empty() {
                format!("exit code {code}")
            } else {
                outcome.message
            };
            failures.push(format!("command on {unit} failed: {why}"));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(ShellError::Failed(failures.join("; "))) }
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

pub(super) fn ssh(
    session: &Session,
    unit: &UnitName,
    container: &str,
    words: &[String],
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let unit = session.unit(unit)?;
    let mut command = session.lab.command(&unit, container, SHELL)?;
    match words {
        [] => {
            // Without job control, which needs a terminal of the container's own.
            command.arg("+m").env("PS1", format!("{unit} {container}# "));
        }
        [line] => {
            command.args(["-c", line]);
        }
        words => {
            command.args(["-c", "exec \"$@\"", SHELL]).args(words);
        }
    }
    command.env("TERM", std::env::var_os("TERM").unwrap_or_else(|| "dumb".into()));
    let status = if io::stdin().is_terminal() && words.is_empty() {
        command.stdin(Stdio::inherit());
        let mut child = command.spawn().map_err(|source| cannot_start(container, source))?;
        in_foreground(&mut child)?
    } else {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let done = command.output().map_err(|source| cannot_start(container, source))?;
        out.write_all(&done.stdout)?;
        out.write_all(&done.stderr)?;
        done.status
    };
    if status.success() || words.is_empty() {
        return Ok(());
    }
    Err(ShellError::Failed(format!("the command in {container} of {unit} ended with {status}")))
}

fn cannot_start(container: &str, source: io::Error) -> ShellError {
    ShellError::File { path: format!("a shell in container {container}").into(), source }
}

/// Waits for a child that has the terminal meanwhile: it leads a process group of its own, and only
/// the one in the foreground may read.
fn in_foreground(child: &mut Child) -> Result<std::process::ExitStatus, ShellError> {
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default());
    // To take the terminal back from the background is only for who has this signal blocked.
    let mut ignored = SigSet::empty();
    ignored.add(Signal::SIGTTOU);
    let before = ignored.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK);
    let given = tcsetpgrp(io::stdin(), group);
    let status = child.wait();
    let taken = tcsetpgrp(io::stdin(), getpgrp());
    if let Ok(before) = before {
        // Only ever a mask that was in force.
        let _ = before.thread_set_mask();
    }
    given.and(taken).map_err(io::Error::from)?;
    Ok(status?)
}

const SHELL: &str = "/bin/sh";
const COMPLETED: &str = "completed";

/// How long ctrl-C may go unnoticed.
const LOOK: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::quoted;
    use super::shown_results;

    #[test]
    fn words_reach_a_shell_as_they_are() {
        let table = [("a-b/c", "a-b/c"), ("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'")];
        for (word, expected) in table {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn a_good_exit_code_is_not_worth_showing() {
        let results = |results: serde_json::Value| results.as_object().cloned().unwrap();
        let good = results(json!({"return-code": 0, "host": "a"}));
        assert_eq!(shown_results(&good), results(json!({"host": "a"})));
        let bad = results(json!({"return-code": 1}));
        assert_eq!(shown_results(&bad), bad);
    }
}
