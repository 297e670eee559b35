//! A session at a terminal: lines with editing, history and completion.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use rustyline::Config;
use rustyline::Context;
use rustyline::Editor;
use rustyline::Helper;
use rustyline::completion::Completer;
use rustyline::completion::FilenameCompleter;
use rustyline::completion::Pair;
use rustyline::config::CompletionType;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;

use super::complete;
use super::complete::Names;
use super::error::ShellError;
use super::line;
use super::play::PROMPT;
use super::play::told;
use super::session::Flow;
use super::session::Session;
use crate::lab::Lab;

/// Reads and carries out lines until the operator leaves.
pub fn converse(session: &mut Session, out: &mut dyn Write) -> Result<(), ShellError> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .auto_add_history(true)
        .history_ignore_space(true);
    let mut editor: Editor<Words, FileHistory> =
        Editor::with_config(config.build()).map_err(unreadable)?;
    editor
        .set_helper(Some(Words { lab: Arc::clone(&session.lab), files: FilenameCompleter::new() }));
    let file = history_file();
    if let Some(file) = &file {
        // There is none before the first session.
        let _ = editor.load_history(file);
    }
    loop {
        let text = match editor.readline(PROMPT) {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(unreadable(error)),
        };
        let done = match line::parse(&text) {
            Ok(None) => continue,
            Ok(Some(order)) => session.perform(text.trim(), &order.command, out),
            Err(error) => Err(error),
        };
        match done {
            Ok(Flow::On) => {}
            Ok(Flow::Over) => break,
            Err(error @ ShellError::Output(_)) => return Err(error),
            Err(error) => writeln!(out, "{}", told(&error))?,
        }
        out.flush()?;
    }
    if let Some(file) = &file {
        // A history that cannot be kept is no reason to leave in anger.
        let _ = file.parent().map(std::fs::create_dir_all);
        let _ = editor.save_history(file);
    }
    Ok(())
}

fn unreadable(error: ReadlineError) -> ShellError {
    ShellError::Output(std::io::Error::other(error))
}

/// Where the state of programs belongs.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|it| !it.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    Some(state.or_else(home)?.join("testbed/history"))
}

/// Completes words from what the model holds at the moment.
struct Words {
    lab: Arc<Lab>,
    files: FilenameCompleter,
}

impl Words {
    fn names(&self) -> Names {
        let mut names = Names::default();
        for application in self.lab.status().applications {
            let actions = self.lab.actions(&application.name).unwrap_or_default();
            names.actions.extend(actions.into_keys());
            let units = application.units.into_iter().map(|unit| unit.name).collect();
            names.applications.insert(application.name, units);
        }
        let containers = self.lab.pods().into_iter().flat_map(|pod| pod.containers);
        names.containers = containers.map(|container| container.name).collect();
        names
    }
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        place: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = line.get(..place).unwrap_or(line);
        let completion = complete::complete(typed, &self.names());
        let pair = |word: String| Pair { display: word.clone(), replacement: word };
        let mut pairs: Vec<Pair> = completion.words.into_iter().map(pair).collect();
        if completion.is_path {
            let (start, files) = self.files.complete_path(line, place)?;
            if start == completion.start || pairs.is_empty() {
                pairs.extend(files);
                return Ok((start, pairs));
            }
        }
        Ok((completion.start, pairs))
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}

impl Validator for Words {}

impl Helper for Words {}
