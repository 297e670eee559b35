//! When a secret is to expire: a time, with or without a zone, or how long from now.

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::Unit;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::juju::names::quoted;
use crate::juju::tools::Refusal;

/// The time that `--expire` means.
pub(super) fn time(text: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    if let Some(time) = stated(text) {
        return Ok(time);
    }
    let invalid = || Refusal::Usage(format!("expire time or duration {} not valid", quoted(text)));
    let duration = duration(text).ok_or_else(invalid)?;
    if !duration.is_positive() {
        let text = format!("negative expire duration {} not valid", quoted(text));
        return Err(Refusal::Usage(text));
    }
    let time = now.checked_add(duration).map_err(|_| invalid())?;
    Ok(time.round(Unit::Second).unwrap_or(time))
}

fn stated(text: &str) -> Option<Timestamp> {
    // Less would do for the parser: a date alone, a blank, no seconds.
    let has_form = text.is_ascii()
        && text.len() >= "2030-01-02T03:04:05".len()
        && text.as_bytes().get(10) == Some(&b'T')
        && text.as_bytes().get(16) == Some(&b':')
        && !text.contains('[');
    if !has_form {
        return None;
    }
    let zoneless = || {
        let time: DateTime = text.parse().ok()?;
        Some(time.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(zoneless)
}

/// A duration as Go writes it: numbers, each with a unit, `1h30m`.
fn duration(text: &str) -> Option<SignedDuration> {
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|each: char| !each.is_ascii_digit() && each != '.')?;
        let (number, behind) = rest.split_at_checked(end)?;
        let number: f64 = number.parse().ok()?;
        let end = behind.find(|each: char| each.is_ascii_digit() || each == '.');
        let (unit, behind) = behind.split_at_checked(end.unwrap_or(behind.len()))?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        seconds += number * factor;
        rest = behind;
    }
    let duration = SignedDuration::try_from_secs_f64(seconds).ok()?;
    Some(if is_negative { -duration } else { duration })
}

const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

#[cfg(test)]
mod tests {
    use super::time;
    use crate::juju::tools::Refusal;

    #[test]
    fn an_expiry_is_a_time_or_a_duration() {
        let cases = [
            ("2030-01-02T03:04:05Z", Ok("2030-01-02T03:04:05Z")),
            ("2030-01-02T03:04:05+01:00", Ok("2030-01-02T02:04:05Z")),
            ("2030-01-02T03:04:05", Ok("2030-01-02T03:04:05Z")),
            ("24h", Ok("2026-01-03T00:00:00Z")),
            ("1h30m", Ok("2026-01-02T01:30:00Z")),
            ("1.5h", Ok("2026-01-02T01:30:00Z")),
            ("+90s", Ok("2026-01-02T00:01:30Z")),
            ("0", Err("negative expire duration \"0\" not valid")),
            ("-1h", Err("negative expire duration \"-1h\" not valid")),
            ("2030-01-02", Err("expire time or duration \"2030-01-02\" not valid")),
            (
                "2030-01-02 03:04:05Z",
                Err("expire time or duration \"2030-01-02 03:04:05Z\" not valid"),
            ),
            ("soon", Err("expire time or duration \"soon\" not valid")),
            ("1 h", Err("expire time or duration \"1 h\" not valid")),
            ("1", Err("expire time or duration \"1\" not valid")),
            ("h", Err("expire time or duration \"h\" not valid")),
            ("é", Err("expire time or duration \"é\" not valid")),
            ("-", Err("expire time or duration \"-\" not valid")),
            ("9e9h", Err("expire time or duration \"9e9h\" not valid")),
            (
                "99999999999999999999h",
                Err("expire time or duration \"99999999999999999999h\" not valid"),
            ),
        ];
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        for (text, meant) in cases {
            let found = match time(text, now) {
                Ok(time) => Ok(time.to_string()),
                Err(Refusal::Usage(text)) => Err(text),
                Err(Refusal::Help | Refusal::Failed(_) | Refusal::NeedsStdin) => {
                    panic!("{text} is refused in another way")
                }
            };
            assert_eq!(found.as_deref().map_err(String::as_str), meant, "{text}");
        }
    }
}
