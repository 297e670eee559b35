//! What a writer has written, and what of it is there.

use std::fmt::Write;
use std::time::Duration;

use crate::error::BedError;
use crate::pod::Pod;
use crate::writer::Program;
use crate::writer::plan::Line;
use crate::writer::plan::Outcome;
use crate::writer::plan::Plan;
use crate::writer::plan::Task;

/// All writes of one writer.
#[derive(Debug, Clone)]
pub struct Written {
    plan: Plan,
    writes: Vec<(Duration, u64, Outcome)>,
}

impl Written {
    pub(crate) fn new(plan: Plan, lines: Vec<Line>) -> Self {
        let writes = lines.into_iter().filter_map(|line| match line {
            Line::Write { at, number, outcome } => Some((at, number, outcome)),
            Line::Missing(_) | Line::NotAsked(_) => None,
        });
        Self { plan, writes: writes.collect() }
    }

    /// How many writes were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.acknowledgements().count()
    }

    /// How many were not.
    pub fn unacknowledged(&self) -> usize {
        self.writes.len() - self.acknowledged()
    }

    /// The masters that acknowledged writes, in the order of time, each as often as it became the one.
    pub fn masters(&self) -> Vec<&str> {
        let mut masters: Vec<_> = self.acknowledgements().map(|(_, _, master)| master).collect();
        masters.dedup();
        masters
    }

    /// The longest time without an acknowledged write, the time after the last one included.
    pub fn worst_gap(&self) -> Duration {
        let times = self.acknowledgements().map(|(at, _, _)| at);
        let end = self.writes.last().map(|(at, _, _)| *at);
        let later = times.clone().skip(1).chain(end);
        times.zip(later).map(|(one, next)| next.saturating_sub(one)).max().unwrap_or_default()
    }

    /// The time from the first of these writes to the last, each with its period.
    pub fn span(&self, numbers: &[u64]) -> Duration {
        let times = self.writes.iter().filter(|(_, number, _)| numbers.contains(number));
        let times = times.map(|(at, _, _)| *at);
        match (times.clone().min(), times.max()) {
            (Some(first), Some(last)) => last.saturating_sub(first) + self.plan.period,
            _ => Duration::ZERO,
        }
    }

    /// Looks from inside a pod, on the master that Sentinel names, for every acknowledged write, and
    /// gives the numbers of those that are lost.
    pub fn missing(&self, pod: &Pod) -> Result<Vec<u64>, BedError> {
        let numbers = self.acknowledgements().map(|(_, number, _)| number).collect();
        let lines = Program::start(pod, &self.plan, &Task::Find(numbers))?.finish()?;
        let mut reason = "nothing".to_owned();
        for line in lines {
            match line {
                Line::Missing(numbers) => return Ok(numbers),
                Line::NotAsked(error) => reason = error,
                Line::Write { .. } => {}
            }
        }
        Err(BedError::Answer {
            server: format!("the writer {}", self.plan.name),
            command: "look for what was acknowledged".into(),
            answer: reason,
        })
    }

    /// The last lines, for the error of a wait.
    pub fn tail(&self) -> String {
        let mut text = String::new();
        for (at, number, outcome) in self.writes.iter().rev().take(5).rev() {
            let _ = writeln!(text, "{:.3} {number}: {outcome:?}", at.as_secs_f64());
        }
        text
    }

    fn acknowledgements(&self) -> impl Iterator<Item = (Duration, u64, &str)> + Clone {
        self.writes.iter().filter_map(|(at, number, outcome)| match outcome {
            Outcome::Acknowledged { master } => Some((*at, *number, master.as_str())),
            Outcome::Unknown { .. } => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::layout::Layout;
    use crate::writer::plan::Habit;

    use super::*;

    /// Writes at these milliseconds, acknowledged by a master or not.
    fn written(writes: &[(u64, &str)]) -> Written {
        let plan = Plan::of(&Layout::default(), "test", Habit::AsksEachTime);
        let lines = writes.iter().zip(0..).map(|((at, master), number)| {
            let outcome = if master.is_empty() {
                Outcome::Unknown { reason: "refused".into() }
            } else {
                Outcome::Acknowledged { master: (*master).to_owned() }
            };
            Line::Write { at: Duration::from_millis(*at), number, outcome }
        });
        Written::new(plan, lines.collect())
    }

    #[test]
    fn the_worst_gap_is_the_longest_time_without_an_acknowledgement() {
        for (writes, gap) in [
            (&[][..], 0),
            (&[(10, "")], 0),
            (&[(10, "a")], 0),
            (&[(10, "a"), (20, "a"), (50, "a"), (60, "a")], 30),
            (&[(10, "a"), (20, ""), (50, ""), (60, "b"), (70, "b")], 50),
            (&[(10, "a"), (20, "a"), (90, "")], 70),
        ] {
            assert_eq!(written(writes).worst_gap(), Duration::from_millis(gap), "{writes:?}");
        }
    }

    #[test]
    fn the_span_of_writes_is_from_the_first_to_the_last() {
        let written = written(&[(10, "a"), (20, "a"), (50, "a"), (60, "a")]);
        let period = written.plan.period;
        assert_eq!(written.span(&[]), Duration::ZERO);
        assert_eq!(written.span(&[3, 1]), Duration::from_millis(40) + period);
    }

    #[test]
    fn masters_are_told_in_the_order_in_which_they_acknowledged() {
        let written = written(&[(1, "a"), (2, ""), (3, "a"), (4, "b"), (5, "a")]);
        assert_eq!(written.masters(), ["a", "b", "a"]);
        assert_eq!((written.acknowledged(), written.unacknowledged()), (4, 1));
    }
}
