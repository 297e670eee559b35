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
use libyaml_safer::ScalarStyle;

use super::model::Bag;
use super::scalar::MAPPING;
use super::scalar::MERGE;
use super::scalar::SEQUENCE;
use super::scalar::meaning;
use super::scalar::short;

/// Reads the first document as a map of texts; the error is the text that the tool prints.
pub(crate) fn read_map(bytes: &[u8]) -> Result<Bag, String> {
    let mut bytes = if bytes.is_empty() { b"\n" } else { bytes };
    let source = String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').chars().collect();
    let mut reader = Reader { parser: Parser::new(), anchors: BTreeMap::new(), source };
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

#[derive(Clone)]
enum Node {
    Scalar { tag: Option<String>, value: String, plain: bool, line: u64 },
    Sequence { items: Vec<Self>, tag: Option<String>, line: u64 },
    Mapping { pairs: Vec<(Self, Self)>, tag: Option<String>, line: u64 },
}

struct Reader<'r> {
    parser: Parser<&'r mut &'r [u8]>,
    anchors: BTreeMap<String, Option<Node>>,
    /// What is read, as the marks of events count it.
    source: Vec<char>,
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
        let event = self.parser.parse().map_err(|error| reason(&error))?;
        if let EventData::Scalar { style: ScalarStyle::DoubleQuoted, .. } = event.data {
            self.check_escapes(&event)?;
        }
        Ok(event)
    }

    fn check_escapes(&self, event: &Event) -> Result<(), String> {
        let start = usize::try_from(event.start_mark.index).unwrap_or_default();
        let end = usize::try_from(event.end_mark.index).unwrap_or_default();
        let scalar: String = self.source.get(start..end).unwrap_or_default().iter().collect();
        let Some(place) = refused_escape(&scalar) else { return Ok(()) };
        let breaks = scalar.chars().take(place).filter(|each| *each == '\n').count();
        let text = "found unknown escape character";
        match event.start_mark.line + breaks as u64 {
            0 => Err(text.to_owned()),
            line => Err(format!("line {}: {text}", line + 1)),
        }
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

fn is_merge(node: &Node) -> bool {
    matches!(node, Node::Scalar { tag, value, plain, .. }
        if value == "<<" && (*plain || tag.as_deref() == Some(MERGE)))
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

/// Where the escape `\/` stands in a quoted scalar: newer ports of libyaml let it pass, Juju's does not.
fn refused_escape(scalar: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (place, each) in scalar.char_indices() {
        if is_escaped && each == '/' {
            return Some(place);
        }
        is_escaped = each == '\\' && !is_escaped;
    }
    None
}

const TEXT: &str = "string";
const MAP_OF_TEXT: &str = "map[string]string";
