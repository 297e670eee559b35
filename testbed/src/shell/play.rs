//! A file of commands, played from its beginning to the first command that fails.

use std::error::Error;
use std::io::BufRead;
use std::io::Write;

use super::error::ShellError;
use super::line;
use super::session::Flow;
use super::session::Session;

/// Carries out line after line, each shown before what it has to say. Gives whether all went well.
pub fn play(
    session: &mut Session,
    name: &str,
    lines: impl BufRead,
    out: &mut dyn Write,
) -> Result<bool, ShellError> {
    for (number, text) in lines.lines().enumerate() {
        let text = text?;
        let order = match line::parse(&text) {
            Ok(None) => continue,
            Ok(Some(order)) => order,
            Err(error) => {
                let text = text.trim();
                writeln!(out, "{PROMPT}{text}\n{name}:{}: {}", number + 1, told(&error))?;
                if text.starts_with('-') {
                    continue;
                }
                return Ok(false);
            }
        };
        writeln!(out, "{PROMPT}{}", text.trim())?;
        let said = text.trim().trim_start_matches('-').trim_start();
        match session.perform(said, &order.command, out) {
            Ok(Flow::On) => {}
            Ok(Flow::Over) => return Ok(true),
            Err(error @ ShellError::Output(_)) => return Err(error),
            Err(error) => {
                writeln!(out, "{name}:{}: {}", number + 1, told(&error))?;
                if !order.may_fail {
                    return Ok(false);
                }
            }
        }
        out.flush()?;
    }
    Ok(true)
}

/// An error with all that caused it, as an operator is told.
pub fn told(error: &dyn Error) -> String {
    let mut text = format!("ERROR {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// What stands before a command.
pub(crate) const PROMPT: &str = "lab> ";
