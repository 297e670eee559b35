//! Times and durations as Pebble writes them: RFC 3339, and Go's duration syntax.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

use crate::pebble::quote::quoted;

/// The present moment.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// `2026-01-02T03:04:05.678Z`, the form of notices: nanoseconds, without trailing zeros.
pub(crate) fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.fZ").to_string()
}

/// The form of changes and services: with the offset of the daemon's own zone.
pub(crate) fn local(time: Timestamp) -> String {
    let zoned = time.to_zoned_datetime(TimeZone::system());
    if zoned.offset().is_zero() {
        return utc(time);
    }
    zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}

/// Whole seconds and the zone's offset, the form of a file's time.
pub(crate) fn whole_seconds(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(local).unwrap_or_default()
}

/// Always three digits after the point: the form of log lines.
pub(crate) fn log_stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Reads RFC 3339.
pub(crate) fn parsed(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A length of time in nanoseconds; like Go's, it may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) i64);

/// Why a text is no duration, in Go's words.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum SpanError {
    #[error("time: invalid duration {}", quoted(.0))]
    Invalid(String),
    #[error("time: missing unit in duration {}", quoted(.0))]
    NoUnit(String),
    #[error("time: unknown unit {} in duration {}", quoted(.0), quoted(.1))]
    UnknownUnit(String, String),
}

impl Span {
    /// Milliseconds.
    pub(crate) const fn millis(count: i64) -> Self {
        Self(count * 1_000_000)
    }

    /// What one can wait for: nothing, where the span is negative.
    pub(crate) fn duration(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }

    /// Reads `1h30m`, `300ms`, `-1.5s`; a bare number is refused, but for `0`.
    pub(crate) fn parse(text: &str) -> Result<Self, SpanError> {
        let invalid = || SpanError::Invalid(text.to_owned());
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total = 0.0_f64;
        let mut exact = 0_i128;
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (whole, after) = rest.split_at(digits);
            let (fraction, after) = match after.strip_prefix('.') {
                Some(tail) => {
                    let count =
                        tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                    tail.split_at(count)
                }
                None => ("", after),
            };
            if whole.is_empty() && fraction.is_empty() {
                return Err(invalid());
            }
            let letters =
                after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at(letters);
            if unit.is_empty() {
                return Err(SpanError::NoUnit(text.to_owned()));
            }
            let nanos = nanos_of(unit)
                .ok_or_else(|| SpanError::UnknownUnit(unit.to_owned(), text.to_owned()))?;
            let whole: i128 =
                if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
            exact = exact
                .checked_add(whole.checked_mul(nanos.into()).ok_or_else(invalid)?)
                .ok_or_else(invalid)?;
            total += fractional(fraction, nanos);
            rest = after;
        }
        let sum = exact + whole_nanos(total);
        let sum = i64::try_from(sum).map_err(|_| invalid())?;
        Ok(Self(if negative { -sum } else { sum }))
    }
}

fn fractional(digits: &str, nanos: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no unit comes near 2^53 nanoseconds")]
    let unit = nanos as f64;
    format!("0.{digits}0").parse::<f64>().unwrap_or(0.0) * unit
}

fn whole_nanos(value: f64) -> i128 {
    #[expect(clippy::cast_possible_truncation, reason = "a saturating cast is what is wanted")]
    let nanos = value.round() as i128;
    nanos
}

fn nanos_of(unit: &str) -> Option<i64> {
    match unit {
        "ns" => Some(1),
        "us" | "\u{b5}s" | "\u{3bc}s" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(SECOND),
        "m" => Some(60 * SECOND),
        "h" => Some(3600 * SECOND),
        _ => None,
    }
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return out.write_str("0s");
        }
        if self.0 < 0 {
            out.write_str("-")?;
        }
        let nanos = self.0.unsigned_abs();
        let second = SECOND.unsigned_abs();
        match nanos {
            0..1_000 => write!(out, "{nanos}ns"),
            1_000..1_000_000 => write!(out, "{}\u{b5}s", decimal(nanos, 1_000)),
            1_000_000..1_000_000_000 => write!(out, "{}ms", decimal(nanos, 1_000_000)),
            _ => {
                let minutes = nanos / second / 60;
                if minutes >= 60 {
                    write!(out, "{}h", minutes / 60)?;
                }
                if minutes > 0 {
                    write!(out, "{}m", minutes % 60)?;
                }
                write!(out, "{}s", decimal(nanos % (60 * second), second))
            }
        }
    }
}

/// `nanos / unit` without trailing zeros.
fn decimal(nanos: u64, unit: u64) -> String {
    let whole = nanos / unit;
    let rest = nanos % unit;
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.to_string().len() - 1;
    format!("{whole}.{rest:0width$}").trim_end_matches('0').to_owned()
}

const SECOND: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn durations_read_and_print_as_in_go() {
        let cases = [
            ("1h30m", "1h30m0s"),
            ("90s", "1m30s"),
            ("1500ms", "1.5s"),
            ("-5s", "-5s"),
            ("1ns", "1ns"),
            ("1.5us", "1.5\u{b5}s"),
            ("0", "0s"),
            ("168h", "168h0m0s"),
            (".5s", "500ms"),
        ];
        for (text, printed) in cases {
            assert_eq!(Span::parse(text).unwrap().to_string(), printed);
        }
    }

    #[test]
    fn a_bad_duration_is_refused_in_the_words_of_go() {
        let cases = [
            ("5", "time: missing unit in duration \"5\""),
            ("x", "time: invalid duration \"x\""),
            ("", "time: invalid duration \"\""),
            ("5y", "time: unknown unit \"y\" in duration \"5y\""),
            ("99999999999999h", "time: invalid duration \"99999999999999h\""),
        ];
        for (text, said) in cases {
            assert_eq!(Span::parse(text).unwrap_err().to_string(), said);
        }
    }
}
