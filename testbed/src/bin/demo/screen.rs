//! The lines of the demo: indented, labelled, at most 80 columns, coloured on a terminal only.

use std::env;
use std::io;
use std::io::IsTerminal;
use std::io::Write;
use std::time::Instant;

use crate::paint::Paint;

/// Where the demo prints; it keeps what it printed, to be searched for passwords.
#[derive(Debug)]
pub(crate) struct Screen {
    colours: bool,
    printed: String,
    step: usize,
    begun: Instant,
}

/// A piece of a line.
pub(crate) type Piece = (Paint, String);

impl Screen {
    /// Colours on a terminal, unless `NO_COLOR` is set.
    pub(crate) fn open() -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            colours: io::stdout().is_terminal() && !refused,
            printed: String::new(),
            step: 0,
            begun: Instant::now(),
        }
    }

    /// Everything printed so far.
    pub(crate) fn printed(&self) -> &str {
        &self.printed
    }

    /// How many steps have begun.
    pub(crate) fn steps(&self) -> usize {
        self.step
    }

    /// The first line.
    pub(crate) fn title(&mut self, text: &str) {
        self.line(&[]);
        self.line(&[(Paint::Bold, text.to_owned())]);
    }

    /// The heading of the next step.
    pub(crate) fn step(&mut self, title: &str) {
        self.step += 1;
        self.begun = Instant::now();
        self.rule(&format!("{}  {title}", self.step));
    }

    /// A heading on a line of its own across the screen.
    pub(crate) fn rule(&mut self, title: &str) {
        let rest = WIDTH.saturating_sub(title.chars().count() + 4);
        self.line(&[]);
        self.line(&[
            (Paint::Dim, "── ".to_owned()),
            (Paint::Bold, title.to_owned()),
            (Paint::Dim, format!(" {}", "─".repeat(rest))),
        ]);
    }

    /// A remark: what the test bed does, what a sign means.
    pub(crate) fn remark(&mut self, text: &str) {
        for line in wrapped(text, WIDTH - INDENT.len()) {
            self.line(&[(Paint::Dim, format!("{INDENT}{line}"))]);
        }
    }

    /// Labelled text, wrapped below itself.
    pub(crate) fn row(&mut self, label: &str, paint: Paint, text: &str) {
        for (at, line) in wrapped(text, WIDTH - INDENT.len() - LABEL).into_iter().enumerate() {
            self.pieces(if at == 0 { label } else { "" }, &[(paint, line)]);
        }
    }

    /// A labelled line of several colours; not wrapped.
    pub(crate) fn pieces(&mut self, label: &str, pieces: &[Piece]) {
        let mut line = vec![(Paint::Dim, format!("{INDENT}{label:LABEL$}"))];
        line.extend_from_slice(pieces);
        self.line(&line);
    }

    /// A line of news: when, of whom, from where; its text is wrapped below itself.
    pub(crate) fn told(&mut self, at: &str, who: &str, source: &str, paint: Paint, text: &str) {
        let before = format!("{at:TIME$}{who:WHO$}{source:SOURCE$}");
        let width = WIDTH - INDENT.len() - before.len();
        for (number, line) in wrapped(text, width).into_iter().enumerate() {
            let before = if number == 0 { before.clone() } else { " ".repeat(before.len()) };
            self.line(&[(Paint::Dim, format!("{INDENT}{before}")), (paint, line)]);
        }
    }

    /// The end of a step: what is shown by it, with the time since its heading.
    pub(crate) fn passed(&mut self, text: &str) {
        let seconds = format!("{:.1} s", self.begun.elapsed().as_secs_f64());
        let lines = wrapped(text, WIDTH - INDENT.len() - 2 - seconds.len() - 2);
        let last = lines.len().saturating_sub(1);
        for (at, line) in lines.into_iter().enumerate() {
            let mark = if at == 0 { "✓ " } else { "  " };
            let used = INDENT.len() + 2 + line.chars().count();
            let gap = WIDTH.saturating_sub(used + seconds.len());
            let mut pieces = vec![(Paint::Green, format!("{INDENT}{mark}{line}"))];
            if at == last {
                pieces.push((Paint::Dim, format!("{}{seconds}", " ".repeat(gap))));
            }
            self.line(&pieces);
        }
    }

    /// The last line of all.
    pub(crate) fn done(&mut self, text: &str) {
        self.line(&[]);
        self.line(&[(Paint::Green, format!("{INDENT}✓ {text}"))]);
        self.line(&[]);
    }

    /// What went wrong, and in which step.
    pub(crate) fn trouble(&mut self, text: &str) {
        let place = if self.step == 0 { String::new() } else { format!("step {}: ", self.step) };
        self.line(&[]);
        self.line(&[(Paint::Red, format!("✗ {place}{text}"))]);
    }

    fn line(&mut self, pieces: &[Piece]) {
        let text: String =
            pieces.iter().map(|(paint, text)| paint.on(text, self.colours)).collect();
        self.printed.push_str(&text);
        self.printed.push('\n');
        let mut stdout = io::stdout().lock();
        // Nobody may be reading any more; the exit code still tells.
        let _ = writeln!(stdout, "{}", text.trim_end());
        let _ = stdout.flush();
    }
}

/// Text in lines of at most that many characters, broken at spaces.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Fits a terminal of 80 columns.
const WIDTH: usize = 78;

const INDENT: &str = "   ";

const LABEL: usize = 11;

/// The columns before a line of news.
const TIME: usize = 8;
const WHO: usize = 8;
const SOURCE: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_a_long_word_stays_whole() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a relation-get b", 5), ["a", "relation-get", "b"]);
        assert_eq!(wrapped("", 5), [""]);
    }

    #[test]
    fn without_colours_nothing_but_the_text_is_printed() {
        assert_eq!(Paint::Red.on("no", false), "no");
        assert_eq!(Paint::Red.on("no", true), "\x1b[1;31mno\x1b[0m");
    }
}
