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
    let input = Input::of(bytes);
    let mut bytes = input.text.as_bytes();
    let mut reader = Reader { parser: Parser::new(), anchors: BTreeMap::new(), input: &input };
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
    Sequence { items: Vec<Self>, line: u64 },
    Mapping { pairs: Vec<(Self, Self)>, line: u64 },
}

struct Reader<'r> {
    parser: Parser<&'r mut &'r [u8]>,
    anchors: BTreeMap<String, Option<Node>>,
    input: &'r Input,
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
            EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let value = self.restored(value, is_block);
                let node = Node::Scalar { tag, value, plain: plain_implicit, line };
                self.keep(anchor, &node);
                Ok(node)
            }
            EventData::Alias { anchor } => match self.anchors.get(&anchor) {
                Some(Some(node)) => Ok(node.clone()),
                Some(None) => Err(format!("anchor '{anchor}' value contains itself")),
                None => Err(format!("unknown anchor '{anchor}' referenced")),
            },
            EventData::SequenceStart { anchor, .. } => {
                self.open(anchor.as_ref());
                let mut items = Vec::new();
                loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::SequenceEnd) {
                        break;
                    }
                    items.push(self.node(event)?);
                }
                let node = Node::Sequence { items, line };
                self.keep(anchor, &node);
                Ok(node)
            }
            EventData::MappingStart { anchor, .. } => {
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
                let node = Node::Mapping { pairs, line };
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

    /// The scalar as it stood before the input was made readable.
    fn restored(&self, value: String, is_block: bool) -> String {
        let mut value = value.replace(self.input.slash, "/").replace(self.input.end, "");
        if is_block && self.input.has_added_break && value.ends_with('\n') {
            value.pop();
        }
        value
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
            Node::Sequence { line, .. } => {
                self.mismatch(*line, SEQUENCE, None, MAP_OF_TEXT);
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
            Node::Sequence { line, .. } => {
                self.mismatch(*line, SEQUENCE, None, TEXT);
                Ok(None)
            }
            Node::Mapping { line, .. } => {
                self.mismatch(*line, MAPPING, None, TEXT);
                Ok(None)
            }
        }
    }

    fn mismatch(&mut self, line: u64, tag: &str, value: Option<&str>, into: &str) {
        let value = match value {
            Some(value) if value.len() > 10 => {
                // Cut by bytes, also within a character.
                let start = value.as_bytes().get(..7).unwrap_or_default();
                let start = String::from_utf8_lossy(start);
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
    match (number, error.problem()) {
        // U+FFFF looks like the beginning of a mark.
        (_, "invalid byte order marker") => "control characters are not allowed".to_owned(),
        (0, problem) => problem.to_owned(),
        (number, problem) => format!("line {number}: {problem}"),
    }
}

/// The input, made readable for a port of libyaml that differs from Juju's reader in three points.
struct Input {
    text: String,
    /// Stands behind a backslash that is the last character, where the port panics and Juju's reader
    /// finds an escape that it does not know.
    end: char,
    /// Stands for a slash behind a backslash. The escape `\/` is known to newer ports, but not to
    /// Juju's reader, and any other character there is refused in the right place.
    slash: char,
    /// A block of text that ends with the input and without a line break is a trap to the port.
    has_added_break: bool,
}

impl Input {
    fn of(bytes: &[u8]) -> Self {
        let mut text =
            String::from_utf8_lossy(if bytes.is_empty() { b"\n" } else { bytes }).into_owned();
        let mut unused = PRIVATE.into_iter().filter(|each| !text.contains(*each));
        let slash = unused.next().unwrap_or('/');
        let end = unused.next().unwrap_or('\u{fffd}');
        text = text.replace("\\/", &format!("\\{slash}"));
        if text.ends_with('\\') {
            text.push(end);
        }
        let last_line = text.lines().next_back().unwrap_or_default();
        let has_added_break = !text.ends_with(['\n', '\r'])
            && !last_line.trim().is_empty()
            && text.lines().any(opens_block);
        if has_added_break {
            text.push('\n');
        }
        Self { text, end, slash, has_added_break }
    }
}

/// Whether a block of text may begin behind the line.
fn opens_block(line: &str) -> bool {
    let modifiers = |each: char| "+-".contains(each) || each.is_ascii_digit();
    line.trim_end().trim_end_matches(modifiers).ends_with(['|', '>'])
}

/// Characters without a meaning, of which hardly any text holds all.
const PRIVATE: [char; 4] = ['\u{e0f0}', '\u{e0f1}', '\u{e0f2}', '\u{e0f3}'];
const TEXT: &str = "string";
const MAP_OF_TEXT: &str = "map[string]string";

#[cfg(test)]
mod tests {
    use super::read_map;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        read_map(text.as_bytes()).map(|map| map.into_iter().collect())
    }

    fn value(text: &str) -> String {
        read(text).unwrap().pop().unwrap().1
    }

    #[test]
    fn a_slash_behind_a_backslash_is_refused_in_double_quotes_only() {
        let refused = Err("yaml: found unknown escape character".to_owned());
        assert_eq!(read(r#"a: "b\/c""#), refused);
        assert_eq!(value(r"a: b\/c"), r"b\/c");
        assert_eq!(value(r#"a: "b\\/c""#), r"b\/c");
    }

    #[test]
    fn an_escape_that_the_input_cuts_off_is_refused_in_double_quotes_only() {
        let refused = Err("yaml: found unknown escape character".to_owned());
        assert_eq!(read("a: \"b\\"), refused);
        assert_eq!(value("a: b\\"), "b\\");
        assert_eq!(value("a: |\n  b\\"), "b\\");
    }

    #[test]
    fn a_block_may_end_with_the_input() {
        assert_eq!(value("a: |\n  b"), "b");
        assert_eq!(value("a: |\n  b\n"), "b\n");
        assert_eq!(value("a: |-\n  b"), "b");
        assert_eq!(value("a: >+\n  b"), "b");
        assert_eq!(value("a: |\n  b\n  "), "b\n");
    }

    #[test]
    fn maps_merge_and_anchors_repeat() {
        let merged = read("x: &x b\n<<: {a: *x, c: d}\n").unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(merged, [pair("a", "b"), pair("c", "d"), pair("x", "b")]);
        assert_eq!(read("a: *y"), Err("yaml: unknown anchor 'y' referenced".to_owned()));
    }
}
