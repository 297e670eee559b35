//! Reads the map of texts in a `--file`, as the YAML 1.1 reader in Juju's tools does.
//!
//! Scanner and parser are libyaml's, of which Juju's reader is a port as well, so that folding,
//! escapes and error texts agree. What a scalar means and how it becomes text is done here.

use std::collections::BTreeMap;

use libyaml_safer::Error;
use libyaml_safer::ErrorKind;
use libyaml_safer::Event;
use libyaml_safer::EventData;
use libyaml_safer::Parser;

use super::model::Bag;

/// Reads the first document as a map of texts; the error is the text that the tool prints.
pub(crate) fn read_map(bytes: &[u8]) -> Result<Bag, String> {
    let mut bytes = if bytes.is_empty() { b"\n" } else { bytes };
    let mut reader = Reader { parser: Parser::new(), anchors: BTreeMap::new() };
    reader.parser.set_input_string(&mut bytes);
    let document = reader.document().map_err(|text| format!("yaml: {text}"))?;
    let mut decoder = Decoder { map: Bag::new(), mismatches: Vec::new() };
    if let Some(document) = document {
        decoder.document(&document).map_err(|text| format!("yaml: {text}"))?;
    }
    if decoder.mismatches.is_empty() {
        return Ok(decoder.map);
    }
    Err(format!("yaml: unmarshal errors:\n  {}", decoder.mismatches.join("\n  ")))
}

/// Whether a plain scalar of that text is read back as text, and so needs no quotes.
pub(crate) fn reads_as_text(text: &str) -> bool {
    resolved(text) == STRING && !is_base_60(text)
}

#[derive(Clone)]
enum Node {
    Scalar { tag: Option<String>, value: String, plain: bool, line: u64 },
    Sequence { items: Vec<Node>, tag: Option<String>, line: u64 },
    Mapping { pairs: Vec<(Node, Node)>, tag: Option<String>, line: u64 },
}

struct Reader<'r> {
    parser: Parser<&'r mut &'r [u8]>,
    anchors: BTreeMap<String, Option<Node>>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Option<Node>, String> {
        self.next()?;
        if matches!(self.next()?.data, EventData::StreamEnd) {
            return Ok(None);
        }
        let event = self.next()?;
        let node = self.node(event)?;
        // The end of a document shows only with what follows it, which may be a broken directive.
        self.next()?;
        Ok(Some(node))
    }

    fn node(&mut self, event: Event) -> Result<Node, String> {
        let line = event.start_mark.line;
        match event.data {
            EventData::Scalar { anchor, tag, value, plain_implicit, .. } => {
                let node = Node::Scalar { tag, value, plain: plain_implicit, line };
                self.keep(anchor, &node);
                Ok(node)
            }
            EventData::Alias { anchor } => match self.anchors.get(&anchor) {
                Some(Some(node)) => Ok(node.clone()),
                Some(None) => Err(format!("anchor '{anchor}' value contains itself")),
                None => Err(format!("unknown anchor '{anchor}' referenced")),
            },
            EventData::SequenceStart { anchor, tag, .. } => {
                self.open(anchor.as_ref());
                let mut items = Vec::new();
                loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::SequenceEnd) {
                        break;
                    }
                    items.push(self.node(event)?);
                }
                let node = Node::Sequence { items, tag, line };
                self.keep(anchor, &node);
                Ok(node)
            }
            EventData::MappingStart { anchor, tag, .. } => {
                self.open(anchor.as_ref());
                let mut pairs = Vec::new();
                loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::MappingEnd) {
                        break;
                    }
                    let key = self.node(event)?;
                    let event = self.next()?;
                    pairs.push((key, self.node(event)?));
                }
                let node = Node::Mapping { pairs, tag, line };
                self.keep(anchor, &node);
                Ok(node)
            }
            EventData::StreamStart { .. }
            | EventData::StreamEnd
            | EventData::DocumentStart { .. }
            | EventData::DocumentEnd { .. }
            | EventData::SequenceEnd
            | EventData::MappingEnd => {
                Err("attempted to go past the end of stream; corrupted value?".to_owned())
            }
        }
    }

    fn next(&mut self) -> Result<Event, String> {
        self.parser.parse().map_err(|error| reason(&error))
    }

    fn open(&mut self, anchor: Option<&String>) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor.clone(), None);
        }
    }

    fn keep(&mut self, anchor: Option<String>, node: &Node) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Some(node.clone()));
        }
    }
}

struct Decoder {
    map: Bag,
    mismatches: Vec<String>,
}

impl Decoder {
    fn document(&mut self, node: &Node) -> Result<(), String> {
        match node {
            Node::Mapping { pairs, .. } => self.mapping(pairs),
            Node::Sequence { tag, line, .. } => {
                self.mismatch(*line, tag.as_deref().unwrap_or(SEQUENCE), None, MAP_OF_TEXT);
                Ok(())
            }
            Node::Scalar { tag, value, plain, line } => {
                let meaning = meaning(tag.as_deref(), value, *plain)?;
                if meaning.text.is_some() {
                    let tag = tag.clone().unwrap_or(meaning.tag);
                    self.mismatch(*line, &tag, Some(value), MAP_OF_TEXT);
                }
                Ok(())
            }
        }
    }

    fn mapping(&mut self, pairs: &[(Node, Node)]) -> Result<(), String> {
        for (key, value) in pairs {
            if is_merge(key) {
                self.merge(value)?;
                continue;
            }
            if let Some(key) = self.text(key)?
                && let Some(value) = self.text(value)?
            {
                self.map.insert(key, value);
            }
        }
        Ok(())
    }

    /// Takes over the pairs of a map, or of several, where the first has precedence.
    fn merge(&mut self, node: &Node) -> Result<(), String> {
        let wanted = || "map merge requires map or sequence of maps as the value".to_owned();
        match node {
            Node::Mapping { pairs, .. } => self.mapping(pairs),
            Node::Sequence { items, .. } => {
                for item in items.iter().rev() {
                    let Node::Mapping { pairs, .. } = item else { return Err(wanted()) };
                    self.mapping(pairs)?;
                }
                Ok(())
            }
            Node::Scalar { .. } => Err(wanted()),
        }
    }

    /// The text of a scalar, null as the empty one; nothing of a collection.
    fn text(&mut self, node: &Node) -> Result<Option<String>, String> {
        match node {
            Node::Scalar { tag, value, plain, .. } => {
                let meaning = meaning(tag.as_deref(), value, *plain)?;
                Ok(Some(meaning.text.unwrap_or_default()))
            }
            Node::Sequence { tag, line, .. } => {
                self.mismatch(*line, tag.as_deref().unwrap_or(SEQUENCE), None, TEXT);
                Ok(None)
            }
            Node::Mapping { tag, line, .. } => {
                self.mismatch(*line, tag.as_deref().unwrap_or(MAPPING), None, TEXT);
                Ok(None)
            }
        }
    }

    fn mismatch(&mut self, line: u64, tag: &str, value: Option<&str>, into: &str) {
        let value = match value {
            Some(value) if value.len() > 10 => {
                let start = value.get(..7).unwrap_or_default();
                format!(" `{start}...`")
            }
            Some(value) => format!(" `{value}`"),
            None => String::new(),
        };
        let line = line + 1;
        let tag = short(tag);
        self.mismatches.push(format!("line {line}: cannot unmarshal {tag}{value} into {into}"));
    }
}

/// What a scalar is and says; no text for null.
struct Meaning {
    tag: String,
    text: Option<String>,
}

fn meaning(tag: Option<&str>, value: &str, plain: bool) -> Result<Meaning, String> {
    let kept = |tag: &str| Meaning { tag: tag.to_owned(), text: Some(value.to_owned()) };
    match tag {
        None if !plain => Ok(kept(STRING)),
        None => {
            let found = resolved(value);
            let text = (found != NULL).then(|| value.to_owned());
            Ok(Meaning { tag: found.to_owned(), text })
        }
        Some(BINARY) => {
            let bytes = base_64(value).ok_or("!!binary value contains invalid base64 data")?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Ok(Meaning { tag: BINARY.to_owned(), text: Some(text) })
        }
        Some(STRING) => Ok(kept(STRING)),
        Some(tag @ (BOOL | INT | FLOAT | NULL | TIMESTAMP)) => {
            let found = resolved(value);
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
        "<<" => return MERGE,
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
    let number = |part: &str, high: u32| {
        part.len() <= 2 && part.parse::<u32>().is_ok_and(|it| (1..=high).contains(&it))
    };
    let dated = matches!(parts.as_slice(), [year, month, day]
        if year.len() == 4
            && year.chars().all(|each| each.is_ascii_digit())
            && number(month, 12)
            && number(day, 31));
    let zoned = time.ends_with('Z') || time.rfind(['+', '-']).is_some();
    let timed = match time.chars().next() {
        None => true,
        Some(' ') => time.matches(':').count() == 2 && !zoned,
        Some(_) => time.matches(':').count() >= 2 && zoned,
    };
    dated && timed
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

fn is_merge(node: &Node) -> bool {
    matches!(node, Node::Scalar { tag, value, plain, .. }
        if value == "<<" && (*plain || tag.as_deref() == Some(MERGE)))
}

fn base_64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let text: Vec<u8> = text.bytes().filter(|each| !matches!(each, b'\n' | b'\r')).collect();
    if text.len() % 4 != 0 {
        return None;
    }
    let padding = text.iter().rev().take_while(|each| **each == b'=').count();
    let (digits, _) = text.split_at_checked(text.len().checked_sub(padding)?)?;
    let (mut value, mut bits) = (0_u32, 0);
    for digit in digits {
        let place = ALPHABET.iter().position(|each| each == digit)?;
        value = (value << 6 | u32::try_from(place).ok()?) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(value >> bits & 0xff).ok()?);
        }
    }
    (padding <= 2).then_some(bytes)
}

/// The text of a reader's error: its line is given only beyond the first.
fn reason(error: &Error) -> String {
    let line = |mark: Option<libyaml_safer::Mark>| mark.map_or(0, |mark| mark.line);
    let mut number = line(error.problem_mark());
    if number == 0 {
        number = line(error.context_mark());
    } else if error.kind() == ErrorKind::Scanner {
        number += 1;
    }
    match number {
        0 => error.problem().to_owned(),
        number => format!("line {number}: {}", error.problem()),
    }
}

fn short(tag: &str) -> String {
    tag.strip_prefix(PREFIX).map_or_else(|| tag.to_owned(), |name| format!("!!{name}"))
}

const PREFIX: &str = "tag:yaml.org,2002:";
const STRING: &str = "tag:yaml.org,2002:str";
const NULL: &str = "tag:yaml.org,2002:null";
const BOOL: &str = "tag:yaml.org,2002:bool";
const INT: &str = "tag:yaml.org,2002:int";
const FLOAT: &str = "tag:yaml.org,2002:float";
const TIMESTAMP: &str = "tag:yaml.org,2002:timestamp";
const MERGE: &str = "tag:yaml.org,2002:merge";
const BINARY: &str = "tag:yaml.org,2002:binary";
const SEQUENCE: &str = "tag:yaml.org,2002:seq";
const MAPPING: &str = "tag:yaml.org,2002:map";
const TEXT: &str = "string";
const MAP_OF_TEXT: &str = "map[string]string";
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
