//! Medians and ranges.

use std::time::Duration;

/// The smallest, the middle and the largest of some durations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) least: Duration,
    pub(crate) median: Duration,
    pub(crate) most: Duration,
}

impl Spread {
    /// Of any samples; of none, all zero.
    pub(crate) fn of(samples: &[Duration]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        let last = sorted.len().saturating_sub(1);
        Self { least: at(0), median: at(sorted.len() / 2), most: at(last) }
    }

    /// In milliseconds: median (least to most).
    pub(crate) fn text(&self) -> String {
        let [least, median, most] = [self.least, self.median, self.most].map(milliseconds);
        format!("{median:.1} ms ({least:.1} to {most:.1})")
    }
}

/// Milliseconds with their fraction.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// All samples in milliseconds, with three digits.
pub(crate) fn all_milliseconds(samples: &[Duration]) -> Vec<f64> {
    samples.iter().map(|sample| (milliseconds(*sample) * 1000.0).round() / 1000.0).collect()
}

/// Seconds, with two digits.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// Megabytes, with one digit.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
