//! The words of a command line that have a form of their own.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// A word that is not what stands at its place.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected {expected}")]
pub struct Unexpected {
    expected: &'static str,
}

/// A unit: `app/0`, or `app/leader` for whichever leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitName {
    /// Its application.
    pub application: String,
    /// Its number; nothing for the leader.
    pub number: Option<u32>,
}

impl FromStr for UnitName {
    type Err = Unexpected;

    fn from_str(text: &str) -> Result<Self, Unexpected> {
        let wrong = Unexpected { expected: "a unit: APPLICATION/NUMBER or APPLICATION/leader" };
        let Some((application, number)) = text.split_once('/') else { return Err(wrong) };
        let number = match number {
            "leader" => None,
            number => Some(number.parse().map_err(|_| Unexpected { ..wrong })?),
        };
        if application.is_empty() {
            return Err(Unexpected {
                expected: "a unit: APPLICATION/NUMBER or APPLICATION/leader",
            });
        }
        Ok(Self { application: application.to_owned(), number })
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(to, "{}/{number}", self.application),
            None => write!(to, "{}/leader", self.application),
        }
    }
}

/// `key=value`; the value may hold further signs of equality, or be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What stands before the first sign of equality.
    pub key: String,
    /// What stands after it.
    pub value: String,
}

impl FromStr for Pair {
    type Err = Unexpected;

    fn from_str(text: &str) -> Result<Self, Unexpected> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                Ok(Self { key: key.to_owned(), value: value.to_owned() })
            }
            _ => Err(Unexpected { expected: "KEY=VALUE" }),
        }
    }
}

/// An option to set, or one to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `key=value`.
    Set(Pair),
    /// `key`.
    Show(String),
}

impl FromStr for Setting {
    type Err = Unexpected;

    fn from_str(text: &str) -> Result<Self, Unexpected> {
        if text.contains('=') {
            text.parse().map(Self::Set)
        } else {
            Ok(Self::Show(text.to_owned()))
        }
    }
}

/// A span of time: `500ms`, `30s`, `5m`, `1h`; a number alone is one of seconds.
pub fn span(text: &str) -> Result<Duration, Unexpected> {
    span_in(text, 1.0)
}

/// As `span`, but that a number alone is one of milliseconds.
pub fn short_span(text: &str) -> Result<Duration, Unexpected> {
    span_in(text, 0.001)
}

fn span_in(text: &str, unit: f64) -> Result<Duration, Unexpected> {
    let wrong = || Unexpected { expected: "a span of time, such as 500ms, 30s or 5m" };
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" => unit,
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(number * unit).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_named_by_number_or_by_leading() {
        let unit = |number| UnitName { application: "redis-k8s".to_owned(), number };
        assert_eq!("redis-k8s/12".parse(), Ok(unit(Some(12))));
        assert_eq!("redis-k8s/leader".parse(), Ok(unit(None)));
        for wrong in ["redis-k8s", "redis-k8s/", "redis-k8s/x", "/0", "redis-k8s-0", ""] {
            assert!(wrong.parse::<UnitName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans_have_units() {
        let table = [("2", 2000), ("500ms", 500), ("1.5s", 1500), ("5m", 300_000), ("0", 0)];
        for (text, milliseconds) in table {
            assert_eq!(span(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(short_span("2"), Ok(Duration::from_millis(2)));
        for wrong in ["", "s", "-1s", "5 m", "5d", "nan", "1e99h"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_value_may_hold_a_sign_of_equality() {
        let pair = |key: &str, value: &str| Pair { key: key.to_owned(), value: value.to_owned() };
        assert_eq!("a=b=c".parse(), Ok(pair("a", "b=c")));
        assert_eq!("a=".parse(), Ok(pair("a", "")));
        assert!("=a".parse::<Pair>().is_err());
        assert_eq!("a".parse(), Ok(Setting::Show("a".to_owned())));
    }
}
