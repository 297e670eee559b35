//! Writes YAML the way Pebble's library does: four spaces, and quotes only where they are needed.

use std::fmt::Write;

/// A document under construction.
#[derive(Default)]
pub(crate) struct Emitter {
    text: String,
    depth: usize,
}

impl Emitter {
    /// The text; an empty mapping where nothing was written.
    pub(crate) fn finish(self) -> String {
        if self.text.is_empty() { "{}\n".to_owned() } else { self.text }
    }

    /// A nested mapping.
    pub(crate) fn block(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        let begun = self.text.len();
        self.text.push('\n');
        self.depth += 1;
        fill(self);
        self.depth -= 1;
        if self.text.len() == begun + 1 {
            self.text.truncate(begun);
            self.text.push_str(" {}\n");
        }
    }

    /// A string, unless it is empty.
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.string(key, value);
        }
    }

    /// A string, also an empty one.
    pub(crate) fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        self.text.push(' ');
        let scalar = scalar(value, self.depth + 1);
        self.text.push_str(&scalar);
        self.text.push('\n');
    }

    /// A value that needs no quotes: a number or a duration.
    pub(crate) fn bare(&mut self, key: &str, value: &str) {
        self.key(key);
        self.text.push(' ');
        self.text.push_str(value);
        self.text.push('\n');
    }

    /// A list, unless it is empty.
    pub(crate) fn list(&mut self, key: &str, items: &[String]) {
        if !items.is_empty() {
            self.full_list(key, items);
        }
    }

    /// A list, also an empty one.
    pub(crate) fn full_list(&mut self, key: &str, items: &[String]) {
        if items.is_empty() {
            return self.bare(key, "[]");
        }
        self.key(key);
        self.text.push('\n');
        for item in items {
            self.indent(self.depth + 1);
            self.text.push_str("- ");
            let scalar = scalar(item, self.depth + 2);
            self.text.push_str(&scalar);
            self.text.push('\n');
        }
    }

    /// A mapping of strings, unless it is empty.
    pub(crate) fn map<'a>(
        &mut self,
        key: &str,
        entries: impl ExactSizeIterator<Item = (&'a String, &'a String)>,
    ) {
        if entries.len() > 0 {
            self.block(key, |out| {
                for (name, value) in entries {
                    out.string(name, value);
                }
            });
        }
    }

    fn key(&mut self, key: &str) {
        self.indent(self.depth);
        let key = if key.contains('\n') { double(key) } else { scalar(key, 0) };
        self.text.push_str(&key);
        self.text.push(':');
    }

    fn indent(&mut self, depth: usize) {
        self.text.push_str(&"    ".repeat(depth));
    }
}

/// `value` in the plainest style that reads back as the same string.
fn scalar(value: &str, depth: usize) -> String {
    if value.contains('\n') && literal(value) {
        return block(value, depth);
    }
    if has_other_meaning(value) || value.chars().any(unprintable) {
        return double(value);
    }
    if plain(value) { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}

fn literal(value: &str) -> bool {
    !value.chars().any(|c| c != '\n' && unprintable(c))
        && !value.starts_with([' ', '\n'])
        && !value.lines().any(|line| line.ends_with(' '))
}

fn block(value: &str, depth: usize) -> String {
    let chomping = if value.ends_with("\n\n") {
        "+"
    } else if value.ends_with('\n') {
        ""
    } else {
        "-"
    };
    let pad = "    ".repeat(depth);
    let body = value.strip_suffix('\n').unwrap_or(value);
    let lines: Vec<String> = body
        .split('\n')
        .map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") })
        .collect();
    format!("|{chomping}\n{}", lines.join("\n"))
}

fn unprintable(letter: char) -> bool {
    letter.is_control() || letter == '\u{feff}'
}

fn double(value: &str) -> String {
    let mut out = String::from("\"");
    for letter in value.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            _ if unprintable(letter) => {
                let code = u32::from(letter);
                // Writing to a String cannot fail.
                let _ = if code < 0x100 {
                    write!(out, "\\x{code:02X}")
                } else {
                    write!(out, "\\u{code:04X}")
                };
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// Whether a reader would take the bare word for something else than a string.
fn has_other_meaning(value: &str) -> bool {
    const WORDS: [&str; 26] = [
        "", "~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE", ".inf",
        ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN",
        ".NAN", "<<", "0x", "=:",
    ];
    // Readers of the older YAML 1.1 take these for booleans.
    const OLD_WORDS: [&str; 16] = [
        "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off",
        "OFF",
    ];
    WORDS.contains(&value) || OLD_WORDS.contains(&value) || is_number(value) || is_date(value)
}

fn is_number(value: &str) -> bool {
    let unsigned = value.strip_prefix(['+', '-']).unwrap_or(value).replace('_', "");
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            return !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        }
    }
    let numeric = unsigned.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c));
    numeric && unsigned.parse::<f64>().is_ok() || is_sexagesimal(&unsigned)
}

/// `190:20:30`, a number in YAML 1.1.
fn is_sexagesimal(value: &str) -> bool {
    let (whole, _) = value.split_once('.').unwrap_or((value, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    !first.is_empty()
        && first.chars().all(|c| c.is_ascii_digit())
        && !rest.is_empty()
        && rest.iter().all(|part| {
            matches!(part.len(), 1 | 2) && part.parse::<u8>().is_ok_and(|number| number < 60)
        })
}

fn is_date(value: &str) -> bool {
    let date = value.get(..10).unwrap_or(value);
    let mut parts = date.split('-');
    let long = |part: Option<&str>, width| {
        part.is_some_and(|p| {
            p.len() <= width && !p.is_empty() && p.chars().all(|c| c.is_ascii_digit())
        })
    };
    let shaped = date.len() >= 8
        && date.as_bytes().get(4) == Some(&b'-')
        && long(parts.next(), 4)
        && long(parts.next(), 2)
        && long(parts.next(), 2);
    shaped && (value.len() <= 10 || value.as_bytes().get(10).is_some_and(|c| b"Tt ".contains(c)))
}

/// Whether the word can stand without quotes.
fn plain(value: &str) -> bool {
    let bytes = value.as_bytes();
    let Some(&first) = bytes.first() else { return false };
    let spaced = |at: usize| bytes.get(at).is_none_or(|c| b" \t".contains(c));
    let indicator = b"#,[]{}&*!|>'\"%@`".contains(&first)
        || (b"-?:".contains(&first) && spaced(1))
        || value.starts_with("---")
        || value.starts_with("...");
    let inner = bytes.iter().enumerate().any(|(at, &byte)| match byte {
        b':' => spaced(at + 1),
        b'#' => at > 0 && bytes.get(at - 1).is_some_and(|c| b" \t".contains(c)),
        _ => false,
    });
    !indicator && !inner && !value.starts_with(' ') && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::scalar;

    #[test]
    fn only_what_would_be_misread_is_quoted() {
        let cases = [
            ("sleep 900", "sleep 900"),
            ("1", "\"1\""),
            ("1e3", "\"1e3\""),
            ("2020-01-01", "\"2020-01-01\""),
            ("a: b # c", "'a: b # c'"),
            ("a:b", "a:b"),
            ("it's", "it's"),
            ("[ x", "'[ x'"),
            ("-all", "-all"),
            ("- x", "'- x'"),
            ("=", "="),
            ("1.2.3", "1.2.3"),
            ("127.0.0.1:6379", "127.0.0.1:6379"),
            ("a\tb", "\"a\\tb\""),
        ];
        for (value, written) in cases {
            assert_eq!(scalar(value, 1), written);
        }
    }
}
