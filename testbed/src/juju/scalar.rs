//! What a YAML 1.1 scalar means to Juju's reader, and which text it becomes.

use super::base64;

/// Whether a plain scalar of that text is read back as text, and so needs no quotes.
pub(crate) fn reads_as_text(text: &str) -> bool {
    resolved(text) == STRING && !is_base_60(text)
}

/// What a scalar is and says; no text for null.
pub(crate) struct Meaning {
    pub(crate) tag: String,
    pub(crate) text: Option<String>,
}

pub(crate) fn meaning(tag: Option<&str>, value: &str, plain: bool) -> Result<Meaning, String> {
    let kept = |tag: &str| Meaning { tag: tag.to_owned(), text: Some(value.to_owned()) };
    match tag {
        None if !plain => Ok(kept(STRING)),
        None => {
            let found = resolved(value);
            let text = (found != NULL).then(|| value.to_owned());
            Ok(Meaning { tag: found.to_owned(), text })
        }
        Some(BINARY) => {
            let bytes =
                base64::decode(value).ok_or("!!binary value contains invalid base64 data")?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Ok(Meaning { tag: BINARY.to_owned(), text: Some(text) })
        }
        Some(STRING) => Ok(kept(STRING)),
        Some(tag @ (BOOL | INT | FLOAT | NULL | TIMESTAMP)) => {
            // Only what has no tag, or that of a time, is tried as one.
            let found = resolved(value);
            let found = if found == TIMESTAMP && tag != TIMESTAMP { STRING } else { found };
            if found != tag && (tag, found) != (FLOAT, INT) {
                let (found, tag) = (short(found), short(tag));
                return Err(format!("cannot decode {found} `{value}` as a {tag}"));
            }
            let text = (found != NULL).then(|| value.to_owned());
            Ok(Meaning { tag: tag.to_owned(), text })
        }
        Some(other) => Ok(kept(other)),
    }
}

/// The tag that a plain scalar has by its looks.
fn resolved(text: &str) -> &'static str {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NULL,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" | "n"
        | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return BOOL;
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
        | "-.inf" | "-.Inf" | "-.INF" => return FLOAT,
        _ => {}
    }
    if is_date(text) {
        return TIMESTAMP;
    }
    let starts_as_number =
        text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    if !starts_as_number {
        return STRING;
    }
    let plain = text.replace('_', "");
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    if is_integer(digits) {
        INT
    } else if is_float(digits) {
        FLOAT
    } else {
        STRING
    }
}

fn is_integer(digits: &str) -> bool {
    let lower = digits.to_ascii_lowercase();
    let radixes = [("0x", 16), ("0b", 2), ("0o", 8)];
    for (prefix, radix) in radixes {
        if let Some(rest) = lower.strip_prefix(prefix) {
            return u64::from_str_radix(rest, radix).is_ok() && !rest.starts_with('+');
        }
    }
    let octal = lower.len() > 1 && lower.starts_with('0');
    let radix = if octal { 8 } else { 10 };
    u64::from_str_radix(&lower, radix).is_ok() && !lower.starts_with('+')
}

fn is_float(digits: &str) -> bool {
    digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.chars().any(|each| each.is_ascii_digit())
        && digits.chars().all(|each| each.is_ascii_digit() || "+-.eE".contains(each))
        && digits.parse::<f64>().is_ok()
}

/// A date, alone or with a time of day after it.
fn is_date(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let (Some(month), Some(day)) = (number(month, 12), number(day, 31)) else { return false };
    let Some(years) = year.parse::<u32>().ok().filter(|_| year.len() == 4) else { return false };
    let is_leap = years.is_multiple_of(4) && !years.is_multiple_of(100) || years % 400 == 0;
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_timed = match time.split_at_checked(1) {
        None => time.is_empty(),
        Some((" ", time)) => is_time(time),
        Some((_, time)) => zoneless(time).is_some_and(is_time),
    };
    month > 0 && (1..=days).contains(&day) && is_timed
}

/// Hours, minutes and seconds, these perhaps with a fraction.
fn is_time(time: &str) -> bool {
    let parts: Vec<&str> = time.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else { return false };
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    number(hours, 23).is_some()
        && number(minutes, 59).is_some()
        && number(seconds, 59).is_some()
        && !fraction.is_empty()
        && fraction.chars().all(|each| each.is_ascii_digit())
}

/// The time without its zone: `Z` or `+01:00`.
fn zoneless(time: &str) -> Option<&str> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some(time);
    }
    let (time, zone) = time.split_at_checked(time.rfind(['+', '-'])?)?;
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let is_zone = zone.len() == 6 && number(hours, 24).is_some() && number(minutes, 60).is_some();
    is_zone.then_some(time)
}

/// One or two digits up to a limit.
fn number(digits: &str, high: u32) -> Option<u32> {
    let is_short = (1..=2).contains(&digits.len());
    let is_plain = is_short && digits.chars().all(|each| each.is_ascii_digit());
    digits.parse().ok().filter(|number| is_plain && *number <= high)
}

/// `1:30` and the like, which older readers take for a number of base 60.
fn is_base_60(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut places = digits.split(':');
    let first = places.next().unwrap_or_default();
    let mut later = places.peekable();
    first.starts_with(|each: char| each.is_ascii_digit())
        && first.chars().all(|each| each.is_ascii_digit() || each == '_')
        && later.peek().is_some()
        && later.all(|place| {
            let whole = place.split('.').next().unwrap_or_default();
            whole.len() <= 2 && whole.parse::<u32>().is_ok_and(|it| it < 60)
        })
}

pub(crate) fn short(tag: &str) -> String {
    tag.strip_prefix(PREFIX).map_or_else(|| tag.to_owned(), |name| format!("!!{name}"))
}

const PREFIX: &str = "tag:yaml.org,2002:";
const STRING: &str = "tag:yaml.org,2002:str";
const NULL: &str = "tag:yaml.org,2002:null";
const BOOL: &str = "tag:yaml.org,2002:bool";
const INT: &str = "tag:yaml.org,2002:int";
const FLOAT: &str = "tag:yaml.org,2002:float";
const TIMESTAMP: &str = "tag:yaml.org,2002:timestamp";
pub(crate) const MERGE: &str = "tag:yaml.org,2002:merge";
const BINARY: &str = "tag:yaml.org,2002:binary";
pub(crate) const SEQUENCE: &str = "tag:yaml.org,2002:seq";
pub(crate) const MAPPING: &str = "tag:yaml.org,2002:map";
