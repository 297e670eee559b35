//! The hook tools, a file for each family. They answer from the model and from nothing else.

mod action;
mod config;
mod credential;
mod goal_state;
mod leader_settings;
mod leadership;
mod log;
mod network;
mod ports;
#[cfg(test)]
mod properties;
mod reboot;
mod relation;
mod relation_ids;
mod resource;
mod secret;
mod settings;
mod state;
mod status;
mod status_get;
mod storage;

use std::path::Path;

use super::context::Context;
use super::flags;
use super::flags::Flag;
use super::flags::Known;
use super::flags::Parsed;
use super::output;
use super::output::Value;
use super::world::World;

/// Why a tool did not do what it was told.
pub(crate) enum Refusal {
    /// Help was asked for: usage on standard output, exit 0.
    Help,
    /// The command line is wrong: exit 2.
    Usage(String),
    /// The tool ran and failed: exit 1.
    Failed(String),
    /// The tool wants its standard input first; it has changed nothing.
    NeedsStdin,
}

/// One call of a tool while it is being answered.
pub(crate) struct Call<'a> {
    pub(crate) context: &'a mut Context,
    pub(crate) world: &'a mut World,
    /// The tool's working directory, which file names are relative to.
    pub(crate) directory: &'a Path,
    /// The name that it was started by.
    pub(crate) tool: &'a str,
    pub(crate) arguments: &'a [String],
    /// Its standard input, once it was asked for.
    pub(crate) stdin: Option<&'a [u8]>,
    /// What goes to standard error beside an error.
    pub(crate) notice: String,
}

/// Exit code and output of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) exit: u8,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// What a tool does; returns what it prints.
type Tool = fn(&mut Call<'_>) -> Result<String, Refusal>;

/// The tools that there are, sorted by name.
pub(crate) const TOOLS: &[(&str, Tool)] = &[
    ("action-fail", action::fail),
    ("action-get", action::get),
    ("action-log", action::log),
    ("action-set", action::set),
    ("application-version-set", status::set_version),
    ("close-port", ports::close),
    ("config-get", config::get),
    ("credential-get", credential::get),
    ("goal-state", goal_state::goal_state),
    ("is-leader", leadership::is_leader),
    ("juju-log", log::juju_log),
    ("juju-reboot", reboot::reboot),
    ("leader-get", leader_settings::get),
    ("leader-set", leader_settings::set),
    ("network-get", network::network_get),
    ("open-port", ports::open),
    ("opened-ports", ports::opened),
    ("relation-get", relation::get),
    ("relation-ids", relation_ids::ids),
    ("relation-list", relation_ids::list),
    ("relation-model-get", relation_ids::model),
    ("relation-set", relation::set),
    ("resource-get", resource::get),
    ("secret-add", secret::change::add),
    ("secret-get", secret::get::get),
    ("secret-grant", secret::access::grant),
    ("secret-ids", secret::info::ids),
    ("secret-info-get", secret::info::get),
    ("secret-remove", secret::change::remove),
    ("secret-revoke", secret::access::revoke),
    ("secret-set", secret::change::set),
    ("state-delete", state::delete),
    ("state-get", state::get),
    ("state-set", state::set),
    ("status-get", status_get::get),
    ("status-set", status::set),
    ("storage-add", storage::add),
    ("storage-get", storage::get),
    ("storage-list", storage::list),
    ("unit-get", network::unit_get),
];

/// Answers a call; nothing means that the tool wants its standard input first.
pub(crate) fn answer(mut call: Call<'_>) -> Option<Answer> {
    let found = TOOLS.iter().find(|(name, _)| *name == call.tool);
    let result = match found {
        Some((_, tool)) => tool(&mut call),
        None => Err(Refusal::Failed(format!("bad request: unknown command: {}", call.tool))),
    };
    let notice = call.notice;
    match result {
        Ok(stdout) => Some(Answer::new(0, stdout, notice)),
        Err(Refusal::Help) => {
            Some(Answer::new(0, format!("Usage: {} [options]\n", call.tool), notice))
        }
        Err(Refusal::Usage(text)) => Some(Answer::error(2, &(notice + &format!("ERROR {text}")))),
        Err(Refusal::Failed(text)) => Some(Answer::error(1, &(notice + &format!("ERROR {text}")))),
        Err(Refusal::NeedsStdin) => None,
    }
}

impl Answer {
    pub(crate) fn error(exit: u8, text: &str) -> Self {
        Self::new(exit, String::new(), format!("{text}\n"))
    }

    fn new(exit: u8, stdout: String, stderr: String) -> Self {
        Self { exit, stdout: stdout.into_bytes(), stderr: stderr.into_bytes() }
    }
}

impl Call<'_> {
    fn parse(&self, flags: &[Flag]) -> Result<Parsed, Refusal> {
        flags::parse(self.arguments, flags, self)
    }

    /// Prints a value in the format asked for, to standard output or the file named.
    fn print(&self, parsed: &Parsed, default: &str, value: &Value) -> Result<String, Refusal> {
        let format = parsed.value(flags::FORMAT).unwrap_or(default);
        let text = output::text(value, format)
            .map_err(|error| Refusal::Failed(format!("yaml: {error}")))?;
        let Some(file) = parsed.value(flags::OUTPUT).filter(|file| !file.is_empty()) else {
            return Ok(text);
        };
        let path = self.directory.join(file);
        self.context
            .files
            .write(&path, text.as_bytes())
            .map_err(|error| unopened(&path, &error))?;
        Ok(String::new())
    }

    /// The relation named by `-r`, or the hook's own.
    fn relation(&self, parsed: &Parsed) -> Result<u32, Refusal> {
        let named = parsed.value(flags::RELATION).and_then(|value| value.parse().ok());
        let of_hook = self.context.relation.as_ref().map(|relation| relation.id);
        named.or(of_hook).ok_or_else(|| Refusal::Usage("no relation id specified".to_owned()))
    }

    /// Tells, as some tools do, that `--format` means nothing to them.
    fn notice_format(&mut self, parsed: &Parsed) {
        if parsed.value(flags::IGNORED_FORMAT).is_some_and(|format| !format.is_empty()) {
            let tool = self.tool;
            self.notice = format!("--format flag deprecated for command \"{tool}\"");
        }
    }
}

impl Known for Call<'_> {
    fn has_relation(&self, number: u32) -> bool {
        self.context.knows(number)
    }

    fn check_storage(&self, id: &str) -> Result<(), String> {
        storage::check(self, id)
    }
}

/// The error of a file that does not open.
fn unopened(path: &Path, error: &std::io::Error) -> Refusal {
    let reason = if error.kind() == std::io::ErrorKind::NotFound {
        "no such file or directory".to_owned()
    } else {
        error.to_string()
    };
    Refusal::Failed(format!("open {}: {reason}", path.display()))
}
