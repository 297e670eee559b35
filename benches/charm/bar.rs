//! A bar and what was measured for it.

use serde_json::Value;

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// What is measured.
    pub(crate) what: String,
    /// What is promised; a measurement without a promise has `-`.
    pub(crate) promise: &'static str,
    /// What was measured.
    pub(crate) measured: String,
    /// The same of a bare program that runs the same hook tools.
    pub(crate) floor: String,
    /// The Python charm's figure, as it was measured for the project's design.
    pub(crate) python: &'static str,
    /// Whether the promise is kept; nothing where nothing is promised, or nothing was there to measure.
    pub(crate) holds: Option<bool>,
}

/// What one part of the bench gives.
#[derive(Debug)]
pub(crate) struct Measured {
    /// The bars that it reaches.
    pub(crate) bars: Vec<Bar>,
    /// Details for people, a line each, in Markdown.
    pub(crate) details: Vec<String>,
    /// Every sample.
    pub(crate) samples: Value,
}

impl Bar {
    /// The line on the terminal.
    pub(crate) fn line(&self) -> String {
        let Self { what, promise, measured, floor, .. } = self;
        let sign = self.sign();
        let floor = if floor == "-" { String::new() } else { format!("; bare program: {floor}") };
        let bar = if *promise == "-" { String::new() } else { format!(" (bar: {promise})") };
        format!("  {sign} {what}: {measured}{bar}{floor}")
    }

    /// The row of the table.
    pub(crate) fn row(&self) -> String {
        let Self { what, promise, measured, floor, python, .. } = self;
        format!("| {} | {what} | {promise} | {measured} | {floor} | {python} |", self.sign())
    }

    fn sign(&self) -> &'static str {
        match self.holds {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "·",
        }
    }
}
