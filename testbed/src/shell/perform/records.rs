//! Commands that show what has happened.

use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::shell::error::ShellError;
use crate::shell::log;
use crate::shell::session::Session;
use crate::trace::timeline as form;

pub(super) fn debug_log(
    session: &Session,
    include: &[String],
    lines: usize,
    tail: bool,
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let trace = session.lab.trace();
    let mut seen = 0;
    let mut earlier = Vec::new();
    for entry in trace.entries() {
        seen += 1;
        if log::is_of(&entry, include) {
            earlier.extend(log::line(&entry, session.began));
        }
    }
    for line in earlier.iter().skip(earlier.len().saturating_sub(lines)) {
        writeln!(out, "{line}")?;
    }
    while tail && !session.is_interrupted() {
        for entry in trace.wait_beyond(seen, LOOK) {
            seen += 1;
            let line = log::line(&entry, session.began).filter(|_| log::is_of(&entry, include));
            if let Some(line) = line {
                writeln!(out, "{line}")?;
            }
        }
        out.flush()?;
    }
    Ok(())
}

pub(super) fn last_lines(
    text: &str,
    lines: Option<usize>,
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let all = text.lines().count();
    let skipped = lines.map_or(0, |lines| all.saturating_sub(lines));
    for line in text.lines().skip(skipped) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

pub(super) fn timeline(
    session: &Session,
    lines: Option<usize>,
    file: Option<&Path>,
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let entries = session.lab.trace().entries();
    let skipped = lines.map_or(0, |lines| entries.len().saturating_sub(lines));
    let text = form::render(entries.get(skipped..).unwrap_or_default());
    let Some(path) = file else { return Ok(write!(out, "{text}")?) };
    std::fs::write(path, text).map_err(|source| ShellError::File { path: path.to_owned(), source })
}

pub(super) fn trace(session: &Session, path: &Path) -> Result<(), ShellError> {
    let failed = |source| ShellError::File { path: path.to_owned(), source };
    let file = File::create(path).map_err(failed)?;
    session.lab.trace().write_json_lines(&mut BufWriter::new(file)).map_err(failed)
}

/// How long ctrl-C may go unnoticed.
const LOOK: Duration = Duration::from_millis(200);
