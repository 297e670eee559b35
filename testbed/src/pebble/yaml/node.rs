//! A YAML document as a tree whose scalars are still text.

use saphyr_parser::Event;
use saphyr_parser::Parser;
use saphyr_parser::ScalarStyle;
use saphyr_parser::Span;
use std::collections::BTreeMap;
use thiserror::Error;

use crate::pebble::quote::quoted;

/// One value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// In the order of the text.
    Map(Vec<(Node, Node)>),
}

/// Why a text is no YAML.
#[derive(Debug, Error)]
pub(crate) enum YamlError {
    #[error("yaml: {0}")]
    Syntax(String),
    #[error("yaml: unmarshal errors:\n  line {line}: mapping key {} already defined", quoted(.key))]
    Twice { line: usize, key: String },
    #[error("yaml: document contains excessive aliasing or nesting")]
    TooMuch,
    #[error("yaml: unknown anchor referenced")]
    UnknownAnchor,
}

impl Node {
    /// The scalar's text, whatever its type.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Whether this is YAML's null, which leaves a field as it is.
    pub(crate) fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, plain: true } => {
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => false,
        }
    }

    /// The same in JSON: whole numbers, truth values and null are told apart from text.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Scalar { .. } if self.is_null() => serde_json::Value::Null,
            Value::Scalar { text, plain } => {
                let number = text.parse::<i64>().ok().filter(|_| *plain).map(Into::into);
                let truth = text.parse::<bool>().ok().filter(|_| *plain).map(Into::into);
                number.or(truth).unwrap_or_else(|| text.clone().into())
            }
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => {
                let pair = |(key, value): &(Self, Self)| {
                    (key.text().unwrap_or_default().to_owned(), value.to_json())
                };
                serde_json::Value::Object(entries.iter().map(pair).collect())
            }
        }
    }

    /// The first document of a text; none when it is empty.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, YamlError> {
        let mut reader = Reader::default();
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| YamlError::Syntax(error.to_string()))?;
            if reader.take(event, span)? {
                break;
            }
        }
        Ok(reader.root)
    }
}

/// An unfinished list or map.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<Node>,
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    size: usize,
    root: Option<Node>,
}

impl Reader {
    /// Answers whether the document is over.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<bool, YamlError> {
        let line = span.start.line();
        match event {
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(true),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned().ok_or(YamlError::UnknownAnchor)?;
                self.size += weight(&node);
                self.place(node, 0)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let value = Value::Scalar { text: text.into_owned(), plain };
                self.place(Node { line, value }, anchor)?;
            }
            Event::SequenceStart(anchor, ..) => self.begin(line, Value::List(vec![]), anchor)?,
            Event::MappingStart(anchor, ..) => self.begin(line, Value::Map(vec![]), anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(mut done) = self.open.pop() {
                    self.size += merge(&mut done.node);
                    self.place(done.node, done.anchor)?;
                }
            }
        }
        Ok(false)
    }

    fn begin(&mut self, line: usize, value: Value, anchor: usize) -> Result<(), YamlError> {
        if self.open.len() > DEEPEST {
            return Err(YamlError::TooMuch);
        }
        self.open.push(Open { node: Node { line, value }, anchor, key: None });
        Ok(())
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        self.size += 1;
        if self.size > LARGEST {
            return Err(YamlError::TooMuch);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => {
                    let name = key.text().map(str::to_owned);
                    if name.is_some() && entries.iter().any(|(k, _)| k.text() == name.as_deref()) {
                        let key = name.unwrap_or_default();
                        return Err(YamlError::Twice { line: node.line, key });
                    }
                    entries.push((key, node));
                }
            },
            Value::Scalar { .. } => {}
        }
        Ok(())
    }
}

/// Takes in the maps under the key `<<`; the map's own entries win. Answers how much was added.
fn merge(node: &mut Node) -> usize {
    let Value::Map(entries) = &mut node.value else { return 0 };
    let is_merge =
        |key: &Node| matches!(&key.value, Value::Scalar { text, plain: true } if text == "<<");
    let Some(at) = entries.iter().position(|(key, _)| is_merge(key)) else { return 0 };
    let (_, merged) = entries.remove(at);
    let sources = match merged.value {
        Value::List(items) => items,
        Value::Map(_) | Value::Scalar { .. } => vec![merged],
    };
    let mut added = 0;
    for source in sources {
        let Value::Map(others) = source.value else { continue };
        for (key, value) in others {
            if !entries.iter().any(|(own, _)| own.text() == key.text()) {
                added += weight(&value) + 1;
                entries.push((key, value));
            }
        }
    }
    added
}

fn weight(node: &Node) -> usize {
    match &node.value {
        Value::Scalar { .. } => 1,
        Value::List(items) => items.iter().map(weight).sum::<usize>() + 1,
        Value::Map(entries) => {
            entries.iter().map(|(k, v)| weight(k) + weight(v)).sum::<usize>() + 1
        }
    }
}

/// Deeper than any plan, and shallow enough for the stack.
const DEEPEST: usize = 100;

/// Nodes, with aliases counted as often as they are used.
const LARGEST: usize = 200_000;
