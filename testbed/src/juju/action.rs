//! An action: what it was asked, what it has said so far, and what its caller is told in the end.

use nix::sys::signal::Signal;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::base64;
use super::run::Commit;
use super::run::Exit;
use super::run::HookRun;

/// A running action.
#[derive(Debug, Default)]
pub(crate) struct Action {
    /// Its parameters, defaults filled in.
    pub(crate) parameters: Value,
    /// What it has set by `action-set`.
    pub(crate) results: Map<String, Value>,
    /// Message of `action-fail`.
    pub(crate) failure: Option<String>,
    /// Lines by `action-log`.
    pub(crate) log: Vec<String>,
}

/// What the caller of an action is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionResult {
    /// `completed` or `failed`.
    pub status: String,
    /// Why it failed.
    pub message: String,
    /// What it has set, with `return-code`, `stdout` and `stderr` as Juju adds them.
    pub results: Map<String, Value>,
    /// Its lines by `action-log`.
    pub log: Vec<String>,
}

impl ActionResult {
    /// The result of an action that has ended.
    pub(crate) fn of(
        action: &Action,
        exit: Exit,
        commit: &Commit,
        stdout: &[u8],
        stderr: &[u8],
    ) -> Self {
        let (code, error) = match exit {
            Exit::Code(0) => (0, None),
            Exit::Code(code) => (code, Some(format!("exit status {code}"))),
            Exit::Signal(number) => {
                let name = Signal::try_from(number).map_or("unknown", signal_word);
                (-1, Some(format!("signal: {name}")))
            }
        };
        let mut message = error.or_else(|| action.failure.clone());
        let mut stderr = whole_lines(stderr);
        if let Commit::Failed(text) = commit {
            stderr.extend_from_slice(text.as_bytes());
            message.get_or_insert_with(|| "committing requested changes failed".to_owned());
        }
        let mut results = action.results.clone();
        results.insert("return-code".to_owned(), json!(code));
        add_output(&mut results, "stdout", &whole_lines(stdout));
        add_output(&mut results, "stderr", &stderr);
        Self {
            status: if message.is_some() { "failed" } else { "completed" }.to_owned(),
            message: message.unwrap_or_default(),
            results,
            log: action.log.clone(),
        }
    }

    /// Of an action that was not run, or not to its end.
    pub(crate) fn failed(message: &str) -> Self {
        Self {
            status: "failed".to_owned(),
            message: message.to_owned(),
            results: Map::new(),
            log: Vec::new(),
        }
    }

    /// Of a command of `juju exec`, which is completed whatever its exit code.
    pub(crate) fn of_command(run: &HookRun) -> Self {
        let (stdout, stderr) = (run.stdout.as_bytes(), run.stderr.as_bytes());
        let mut result = Self::of(&Action::default(), run.exit, &run.commit, stdout, stderr);
        if matches!((run.exit, &run.commit), (Exit::Code(_), Commit::Committed)) {
            "completed".clone_into(&mut result.status);
            result.message.clear();
        }
        result
    }

    /// The whole lines of its standard output, or these in base64.
    pub fn stdout(&self) -> &str {
        self.text("stdout")
    }

    /// The whole lines of its standard error, and the error of a failed commit.
    pub fn stderr(&self) -> &str {
        self.text("stderr")
    }

    fn text(&self, key: &str) -> &str {
        self.results.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Adds an output that there is, in base64 where it is no text.
fn add_output(results: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let text = if let Ok(text) = std::str::from_utf8(bytes) {
        text.to_owned()
    } else {
        results.insert(format!("{name}-encoding"), json!("base64"));
        base64::encode(bytes)
    };
    results.insert(name.to_owned(), Value::String(text));
}

/// The output as Juju captures it: a last line without its end is lost.
fn whole_lines(output: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for line in output.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_suffix(b"\n") else { break };
        lines.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        lines.push(b'\n');
    }
    lines
}

fn signal_word(signal: Signal) -> &'static str {
    if signal == Signal::SIGKILL {
        "killed"
    } else if signal == Signal::SIGTERM {
        "terminated"
    } else {
        signal.as_str()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Action;
    use super::ActionResult;
    use crate::juju::run::Commit;
    use crate::juju::run::Exit;

    fn result(action: &Action, exit: Exit, commit: &Commit, stdout: &[u8]) -> serde_json::Value {
        let result = ActionResult::of(action, exit, commit, stdout, b"");
        json!([result.status, result.message, result.results])
    }

    #[test]
    fn the_end_of_the_process_the_message_and_the_commit_make_the_result() {
        let fine = Action::default();
        let failed = Action { failure: Some("mine".to_owned()), ..Action::default() };
        let refused = Commit::Failed("no".to_owned());
        let kept = Commit::Committed;
        let no_commit = "committing requested changes failed";
        let cases = [
            (&fine, Exit::Code(0), &kept, "completed", "", json!({"return-code": 0})),
            (&failed, Exit::Code(0), &kept, "failed", "mine", json!({"return-code": 0})),
            (&failed, Exit::Code(3), &kept, "failed", "exit status 3", json!({"return-code": 3})),
            (&fine, Exit::Signal(9), &kept, "failed", "signal: killed", json!({"return-code": -1})),
            (
                &fine,
                Exit::Code(0),
                &refused,
                "failed",
                no_commit,
                json!({"return-code": 0, "stderr": "no"}),
            ),
            (
                &failed,
                Exit::Code(0),
                &refused,
                "failed",
                "mine",
                json!({"return-code": 0, "stderr": "no"}),
            ),
        ];
        for (action, exit, commit, status, message, results) in cases {
            let expected = json!([status, message, results]);
            assert_eq!(result(action, exit, commit, b""), expected);
        }
    }

    #[test]
    fn output_that_is_no_text_is_encoded_and_a_last_line_without_its_end_is_lost() {
        let cases: [(&[u8], serde_json::Value); 4] = [
            (b"a\r\nb\nc", json!({"return-code": 0, "stdout": "a\nb\n"})),
            (b"all", json!({"return-code": 0})),
            (b"\r\r\n", json!({"return-code": 0, "stdout": "\r\n"})),
            (b"\xff\n", json!({"return-code": 0, "stdout": "/wo=", "stdout-encoding": "base64"})),
        ];
        for (stdout, results) in cases {
            let seen = result(&Action::default(), Exit::Code(0), &Commit::Committed, stdout);
            assert_eq!(seen, json!(["completed", "", results]));
        }
    }
}
