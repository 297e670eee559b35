//! Every argv that a bed has started, kept to be searched for secrets.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

use crate::lock::lock;

/// The argvs that were started, one a line, shared by all parts of a bed. One that is started again and
/// again, as a look at a server is, is there once.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    lines: Arc<Mutex<BTreeSet<String>>>,
}

impl Transcript {
    /// Notes the argv of a command that is complete and about to be started.
    pub fn record(&self, command: &Command) {
        let mut line = command.get_program().to_string_lossy().into_owned();
        for argument in command.get_args() {
            line.push(' ');
            line.push_str(&argument.to_string_lossy());
        }
        self.note(line);
    }

    /// Notes an argv that was seen in the process table.
    pub(crate) fn note(&self, line: String) {
        lock(&self.lines).insert(line);
    }

    /// All of it, one argv a line.
    pub fn text(&self) -> String {
        lock(&self.lines).iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// The lines of `text` that hold one of the secrets; the secrets themselves are masked.
pub fn lines_that_leak(text: &str, secrets: &[&str]) -> Vec<String> {
    let leaking = |line: &&str| secrets.iter().any(|secret| line.contains(secret));
    let masked = |line: &str| {
        secrets.iter().fold(line.to_owned(), |line, secret| line.replace(secret, "***"))
    };
    text.lines().filter(leaking).map(masked).collect()
}
