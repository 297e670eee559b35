//! Juju's hook tools: one function for each, argv in one place, JSON read, every failure told apart.
//! Source of every fact: Juju 3.6.28, tool server and commands.
#![expect(clippy::disallowed_methods, reason = "hook tools are started here and nowhere else")]

pub mod action;
pub mod goal_state;
pub mod leadership;
pub mod log;
pub mod relation;
pub mod state;
pub mod status;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::clients::json::NotJson;
use crate::clients::json::parse;
use crate::clients::masking::masked;
use crate::clock::Budget;

/// How a hook tool failed.
#[derive(Debug, Error)]
pub enum ToolError {
    /// There is no such program.
    #[error("{0} is not on PATH; Juju puts its hook tools there when it runs a hook")]
    Missing(Call),
    /// It could not be started.
    #[error("cannot start {call}")]
    NotStarted {
        /// The tool and its arguments.
        call: Call,
        /// Why.
        source: io::Error,
    },
    /// It gave no answer within its deadline, and was killed.
    #[error("{0} gave no answer in time")]
    TimedOut(Call),
    /// A signal ended it.
    #[error("{call} was ended by signal {signal}")]
    Killed {
        /// The tool and its arguments.
        call: Call,
        /// The signal's number.
        signal: i32,
    },
    /// It ran and failed (exit code 1, or another that Juju does not document).
    #[error("{call} failed (exit code {code}): {stderr}")]
    Failed {
        /// The tool and its arguments.
        call: Call,
        /// The exit code.
        code: i32,
        /// What it said, without the values that it was given.
        stderr: String,
    },
    /// It did not understand its arguments (exit code 2).
    #[error("{call} was called wrongly (exit code 2): {stderr}")]
    Misused {
        /// The tool and its arguments.
        call: Call,
        /// What it said, without the values that it was given.
        stderr: String,
    },
    /// It printed something else than the JSON that was expected.
    #[error("cannot read what {call} printed")]
    Garbage {
        /// The tool and its arguments.
        call: Call,
        /// What is wrong with it.
        source: NotJson,
    },
}

impl ToolError {
    /// True when the tool died of a SIGTERM, which a stopping pod sends to it and to us.
    pub fn is_termination(&self) -> bool {
        matches!(self, Self::Killed { signal, .. } if *signal == signal_hook::consts::SIGTERM)
    }

    /// True when the tool hung.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut(_))
    }
}

/// A tool and its arguments as an error may show them: without any value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call(String);

impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}`", self.0)
    }
}

/// One call of a hook tool.
struct Invocation<'a> {
    tool: &'static str,
    /// Arguments that an error may show.
    arguments: &'a [&'a str],
    /// Free text after `--`, which an error does not show.
    text: Option<&'a str>,
    /// What the tool reads from its standard input.
    input: Option<String>,
    /// Values to be masked wherever the tool repeats them.
    hidden: Vec<&'a str>,
}

impl<'a> Invocation<'a> {
    fn new(tool: &'static str, arguments: &'a [&'a str]) -> Self {
        Self { tool, arguments, text: None, input: None, hidden: Vec::new() }
    }

    fn with_text(self, text: &'a str) -> Self {
        Self { text: Some(text), hidden: vec![text], ..self }
    }

    fn call(&self) -> Call {
        Call([&[self.tool], self.arguments].concat().join(" "))
    }

    fn run(mut self, budget: &Budget) -> Result<Vec<u8>, ToolError> {
        let call = self.call();
        let budget = budget.at_most(DEADLINE);
        if budget.left().is_none() {
            return Err(cut_off(call, &budget));
        }
        let mut child = match self.start() {
            Ok(child) => child,
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                return Err(ToolError::Missing(call));
            }
            Err(source) => return Err(ToolError::NotStarted { call, source }),
        };
        let stdout = read_aside(child.stdout.take());
        let stderr = read_aside(child.stderr.take());
        let finished = budget.receive(&stdout).and_then(|output| {
            let complaint = budget.receive(&stderr)?;
            let status = budget.wait_for(|| child.try_wait().ok().flatten())?;
            Some((output, complaint, status))
        });
        let Some((output, complaint, status)) = finished else {
            // It may have ended in this very moment.
            drop(child.kill());
            drop(child.wait());
            return Err(cut_off(call, &budget));
        };
        let stderr = self.masked(&complaint);
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(output),
            (Some(2), _) => Err(ToolError::Misused { call, stderr }),
            (Some(code), _) => Err(ToolError::Failed { call, code, stderr }),
            (None, signal) => Err(ToolError::Killed { call, signal: signal.unwrap_or_default() }),
        }
    }

    fn ask<T: DeserializeOwned>(self, budget: &Budget) -> Result<T, ToolError> {
        let call = self.call();
        parse(&self.run(budget)?).map_err(|source| ToolError::Garbage { call, source })
    }

    fn start(&mut self) -> io::Result<Child> {
        let mut command = Command::new(self.tool);
        command.args(self.arguments);
        if let Some(text) = self.text {
            command.arg("--").arg(text);
        }
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child =
            command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), self.input.take()) {
            // A tool that does not read its input fails or hangs, which is noticed below.
            thread::Builder::new().spawn(move || drop(pipe.write_all(input.as_bytes())))?;
        }
        Ok(child)
    }

    fn masked(&self, complaint: &[u8]) -> String {
        masked(String::from_utf8_lossy(complaint).trim(), &self.hidden)
    }
}

/// No answer in time. A tool that a SIGTERM of ours cut off counts as ended by it.
fn cut_off(call: Call, budget: &Budget) -> ToolError {
    if budget.is_terminated() {
        ToolError::Killed { call, signal: signal_hook::consts::SIGTERM }
    } else {
        ToolError::TimedOut(call)
    }
}

/// Reads a stream to its end on a thread of its own, so that a tool that never closes it can be
/// left behind.
fn read_aside(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stream) = stream {
        // Where no thread can be had the receiver finds nobody sending, as at a deadline.
        drop(thread::Builder::new().spawn(move || {
            let mut bytes = Vec::new();
            drop(stream.take(LONGEST_OUTPUT).read_to_end(&mut bytes));
            drop(sender.send(bytes));
        }));
    }
    receiver
}

/// A map as `relation-set --file -` and `state-set --file -` read it. It is JSON, and Juju reads it
/// as YAML 1.1, which refuses or alters some characters that JSON leaves raw: they are escaped.
fn yaml_safe_json(map: &BTreeMap<String, String>) -> String {
    let json = serde_json::to_string(map).unwrap_or_default();
    json.chars()
        .map(|character| match character {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => {
                format!("\\u{:04x}", u32::from(character))
            }
            other => other.to_string(),
        })
        .collect()
}

/// A hook tool answers in milliseconds; one that takes longer than this hangs.
const DEADLINE: Duration = Duration::from_secs(5);

/// In bytes: far above what a databag holds.
const LONGEST_OUTPUT: u64 = 32 * 1024 * 1024;
