//! Waiting for a fact, with a deadline. The only file of the test bed that sleeps.
#![expect(clippy::disallowed_methods, reason = "every pause of the test bed is here")]

use std::time::Duration;
use std::time::Instant;

use thiserror::Error;

/// Something that was waited for never happened.
#[derive(Debug, Error)]
#[error("never happened within {limit:?}: {what}{seen}")]
pub struct TimedOut {
    /// What was waited for.
    pub what: String,
    /// How long it was waited for.
    pub limit: Duration,
    /// What was there instead: the tail of a log, the last answer. Empty, or begins with a line break.
    pub seen: String,
}

impl TimedOut {
    /// Adds what was there instead, under its title.
    #[must_use]
    pub fn with(mut self, title: &str, text: &str) -> Self {
        self.seen.push_str("\n--- ");
        self.seen.push_str(title);
        self.seen.push('\n');
        self.seen.push_str(text.trim_end());
        self
    }
}

/// Looks again and again until `check` gives a value; `what` says in words what is waited for.
pub fn until<T>(
    what: &str,
    limit: Duration,
    mut check: impl FnMut() -> Option<T>,
) -> Result<T, TimedOut> {
    let start = Instant::now();
    loop {
        let looked = Instant::now();
        if let Some(value) = check() {
            return Ok(value);
        }
        if start.elapsed() >= limit {
            return Err(TimedOut { what: what.to_owned(), limit, seen: String::new() });
        }
        // A look that starts programs must not take the machine from what it looks at.
        std::thread::sleep(looked.elapsed().clamp(PAUSE, LONGEST_PAUSE));
    }
}

/// Looks again and again for the whole `span` and fails at the first look that is not true;
/// `what` says in words what must hold.
pub fn steadily(
    what: &str,
    span: Duration,
    mut check: impl FnMut() -> bool,
) -> Result<(), TimedOut> {
    let start = Instant::now();
    while start.elapsed() < span {
        if !check() {
            let what = format!("{what}, steadily");
            return Err(TimedOut { what, limit: start.elapsed(), seen: String::new() });
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Lets `period` pass between two samples of a measurement; never a substitute for waiting for a fact.
pub fn pace(period: Duration) {
    std::thread::sleep(period);
}

/// Short against everything that is waited for, long against one look.
const PAUSE: Duration = Duration::from_millis(5);

const LONGEST_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_names_what_never_happened_and_what_was_there_instead() {
        let error = until("the moon turns blue", Duration::from_millis(1), || None::<()>)
            .expect_err("nothing happens")
            .with("the sky's log", "grey\n");
        assert_eq!(
            error.to_string(),
            "never happened within 1ms: the moon turns blue\n--- the sky's log\ngrey"
        );
    }

    #[test]
    fn a_wait_looks_once_even_without_time() {
        assert_eq!(until("now", Duration::ZERO, || Some(1)).ok(), Some(1));
    }
}
