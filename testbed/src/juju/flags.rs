//! Flags as Juju's tools parse them: mixed with positionals, `--x=v`, `--x v`, `-r7`, `--`.

use std::collections::BTreeMap;

use super::names::quoted;
use super::tools::Refusal;

/// A flag that a tool knows.
#[derive(Clone, Copy)]
pub(crate) struct Flag {
    /// Its spellings, without dashes.
    pub(crate) names: &'static [&'static str],
    /// What stands after it.
    pub(crate) takes: Takes,
}

/// What a flag wants after it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing, or `=true`, `=false`.
    Nothing,
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// The number of a relation that the hook knows.
    Relation,
    /// The id of a storage that the unit has.
    Storage,
    /// `smart`, `yaml` or `json`.
    Format,
    /// `yaml` or `json`.
    FormatOfStructure,
}

/// What was on the command line.
#[derive(Default)]
pub(crate) struct Parsed {
    values: BTreeMap<&'static str, String>,
    /// Everything that is no flag, in order.
    pub(crate) positionals: Vec<String>,
}

/// `--format` of the tools that print a value.
pub(crate) const FORMAT: Flag = Flag { names: &["format"], takes: Takes::Format };

/// `--output` of the tools that print a value.
pub(crate) const OUTPUT: Flag = Flag { names: &["output", "o"], takes: Takes::Text };

/// `--format` of the tools that ignore it.
pub(crate) const IGNORED_FORMAT: Flag = Flag { names: &["format"], takes: Takes::Text };

/// `-r` of the relation tools.
pub(crate) const RELATION: Flag = Flag { names: &["r", "relation"], takes: Takes::Relation };

/// `--app` of the relation tools.
pub(crate) const APP: Flag = Flag { names: &["app"], takes: Takes::Nothing };

impl Parsed {
    /// The last value given for the flag, by the first of its names.
    pub(crate) fn value(&self, flag: Flag) -> Option<&str> {
        self.values.get(flag.names.first()?).map(String::as_str)
    }

    /// Whether the switch is on.
    pub(crate) fn is_set(&self, flag: Flag) -> bool {
        self.value(flag) == Some("true")
    }

    /// Refuses positionals beyond the first few.
    pub(crate) fn at_most(&self, count: usize) -> Result<(), Refusal> {
        let rest: Vec<String> = self.positionals.iter().skip(count).map(|it| quoted(it)).collect();
        if rest.is_empty() {
            return Ok(());
        }
        Err(Refusal::Usage(format!("unrecognized args: [{}]", rest.join(" "))))
    }

    /// The positional of that place.
    pub(crate) fn positional(&self, place: usize) -> Option<&str> {
        self.positionals.get(place).map(String::as_str)
    }
}

/// What flags may name.
pub(crate) trait Known {
    /// Whether the hook knows the relation of that number.
    fn has_relation(&self, number: u32) -> bool;

    /// Whether the unit has the storage of that id; if not, the reason.
    fn check_storage(&self, id: &str) -> Result<(), String>;
}

/// Parses a command line.
pub(crate) fn parse(
    arguments: &[String],
    flags: &[Flag],
    known: &impl Known,
) -> Result<Parsed, Refusal> {
    let before_dashes = arguments.iter().take_while(|argument| *argument != "--");
    if before_dashes.into_iter().any(|it| it == "-h" || it == "--help" || it.starts_with("--help="))
    {
        return Err(Refusal::Help);
    }
    let mut parser = Parser { flags, known, parsed: Parsed::default() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            parser.parsed.positionals.extend(rest.cloned());
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            parser.long(argument, long, &mut rest)?;
        } else if let Some(short) = argument.strip_prefix('-').filter(|it| !it.is_empty()) {
            parser.short(short, &mut rest)?;
        } else {
            parser.parsed.positionals.push(argument.clone());
        }
    }
    Ok(parser.parsed)
}

/// The number in a relation argument: only what is after its last colon counts.
pub(crate) fn relation_number(value: &str) -> Option<i64> {
    value.rsplit(':').next()?.parse().ok()
}

struct Parser<'a> {
    flags: &'a [Flag],
    known: &'a dyn Known,
    parsed: Parsed,
}

impl Parser<'_> {
    fn long<'a>(
        &mut self,
        argument: &str,
        long: &str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), Refusal> {
        let (name, attached) = match long.split_once('=') {
            Some(("", _)) => {
                let text = format!("empty option in argument {}", quoted(argument));
                return Err(Refusal::Usage(text));
            }
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        let spelled = format!("--{name}");
        let found = (name.chars().count() > 1).then(|| self.find(name)).flatten();
        let flag = found.ok_or_else(|| undefined(&spelled))?;
        let value = match (attached, flag.takes) {
            (Some(value), _) => value.to_owned(),
            (None, Takes::Nothing) => "true".to_owned(),
            (None, _) => rest.next().ok_or_else(|| argument_missing(&spelled))?.clone(),
        };
        self.keep(flag, &spelled, value)
    }

    fn short<'a>(
        &mut self,
        letters: &str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), Refusal> {
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let spelled = format!("-{letter}");
            let flag = self.find(&letter.to_string()).ok_or_else(|| undefined(&spelled))?;
            if flag.takes == Takes::Nothing {
                self.keep(flag, &spelled, "true".to_owned())?;
                continue;
            }
            let attached = letters.as_str();
            let value = if attached.is_empty() {
                rest.next().ok_or_else(|| argument_missing(&spelled))?.clone()
            } else {
                attached.to_owned()
            };
            return self.keep(flag, &spelled, value);
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<Flag> {
        self.flags.iter().copied().find(|flag| flag.names.contains(&name))
    }

    fn keep(&mut self, flag: Flag, spelled: &str, value: String) -> Result<(), Refusal> {
        let value = self.checked(flag.takes, value.clone()).map_err(|reason| {
            let value = quoted(&value);
            Refusal::Usage(format!("invalid value {value} for option {spelled}: {reason}"))
        })?;
        if let Some(name) = flag.names.first() {
            self.parsed.values.insert(name, value);
        }
        Ok(())
    }

    /// The value as it is kept, or what is wrong with it.
    fn checked(&self, takes: Takes, value: String) -> Result<String, String> {
        match takes {
            Takes::Text => Ok(value),
            Takes::Nothing => match value.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".to_owned()),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".to_owned()),
                other => {
                    Err(format!("strconv.ParseBool: parsing {}: invalid syntax", quoted(other)))
                }
            },
            Takes::Number => go_number(&value).map(|number| number.to_string()),
            Takes::Relation => {
                let number = relation_number(&value).ok_or("invalid relation id")?;
                let number = u32::try_from(number).map_err(|_| "relation not found")?;
                let known = self.known.has_relation(number);
                if known { Ok(number.to_string()) } else { Err("relation not found".to_owned()) }
            }
            Takes::Storage => self.known.check_storage(&value).map(|()| value),
            Takes::Format if value == "smart" => Ok(value),
            Takes::Format | Takes::FormatOfStructure => match value.as_str() {
                "json" | "yaml" => Ok(value),
                other => Err(format!("unknown format {}", quoted(other))),
            },
        }
    }
}

/// A number as Go reads it: decimal, or with `0x`, `0o`, `0b` or a plain `0` before it.
fn go_number(text: &str) -> Result<i64, String> {
    let refused = |why: &str| format!("strconv.ParseInt: parsing {}: {why}", quoted(text));
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let radixes = [("0x", 16), ("0b", 2), ("0o", 8), ("0", 8)];
    let based = radixes.into_iter().find_map(|(start, radix)| {
        let rest = lower.strip_prefix(start).filter(|rest| !rest.is_empty())?;
        Some((rest, radix))
    });
    let (digits, radix) = based.unwrap_or((lower.as_str(), 10));
    let is_number = !digits.is_empty() && digits.chars().all(|each| each.is_digit(radix));
    if !is_number {
        return Err(refused("invalid syntax"));
    }
    i64::from_str_radix(&format!("{sign}{digits}"), radix)
        .map_err(|_| refused("value out of range"))
}

fn undefined(spelled: &str) -> Refusal {
    Refusal::Usage(format!("option provided but not defined: {spelled}"))
}

fn argument_missing(spelled: &str) -> Refusal {
    Refusal::Usage(format!("option needs an argument: {spelled}"))
}
