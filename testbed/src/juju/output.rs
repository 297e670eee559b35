//! How a value is printed: as JSON, YAML or "smart", byte for byte as Juju's tools do.

use libyaml_safer::Emitter;
use libyaml_safer::Encoding;
use libyaml_safer::Error;
use libyaml_safer::Event;
use libyaml_safer::MappingStyle;
use libyaml_safer::ScalarStyle;
use libyaml_safer::SequenceStyle;

use super::model::Bag;
use super::scalar;

/// A value that a tool prints.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Nothing at all.
    Nil,
    /// A map that is nil: `null` in JSON, `{}` elsewhere.
    NilMap,
    /// True or false.
    Bool(bool),
    /// A text.
    Text(String),
    /// A number; Juju has them all as floating-point ones.
    Number(f64),
    /// A time, as `2026-01-02T03:04:05Z`; YAML knows one without quotes.
    Time(String),
    /// Texts in order.
    List(Vec<String>),
    /// Any values in order.
    Items(Vec<Self>),
    /// Keys and values in the order that they are printed.
    Map(Vec<(String, Self)>),
}

impl From<&serde_json::Value> for Value {
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(truth) => Self::Bool(*truth),
            serde_json::Value::Number(number) => Self::Number(number.as_f64().unwrap_or_default()),
            serde_json::Value::String(text) => Self::Text(text.clone()),
            serde_json::Value::Array(items) => Self::Items(items.iter().map(Self::from).collect()),
            serde_json::Value::Object(pairs) => {
                let pair = |(key, value): (&String, _)| (key.clone(), Self::from(value));
                Self::Map(pairs.iter().map(pair).collect())
            }
        }
    }
}

impl From<&Bag> for Value {
    fn from(bag: &Bag) -> Self {
        let pair = |(key, value): (&String, &String)| (key.clone(), Self::Text(value.clone()));
        Self::Map(bag.iter().map(pair).collect())
    }
}

/// The text of a value in `json`, `yaml` or (any other word) smart format.
pub(crate) fn text(value: &Value, format: &str) -> Result<String, Error> {
    let line = |text: &str| format!("{text}\n");
    match (format, value) {
        ("json", value) => Ok(line(&json(value))),
        (_, Value::Nil) => Ok(String::new()),
        ("yaml", value) => yaml(value),
        (_, Value::Text(text)) if text.is_empty() => Ok(String::new()),
        (_, Value::Text(text)) => Ok(line(text)),
        (_, Value::Bool(true)) => Ok(line("True")),
        (_, Value::Bool(false)) => Ok(line("False")),
        (_, Value::List(items)) if items.is_empty() => Ok(String::new()),
        (_, Value::List(items)) => Ok(line(&items.join("\n"))),
        (_, Value::Time(time)) => Ok(line(time)),
        (_, Value::Map(_) | Value::NilMap | Value::Number(_) | Value::Items(_)) => yaml(value),
    }
}

fn json(value: &Value) -> String {
    match value {
        Value::Nil | Value::NilMap => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => json_number(*number),
        Value::Text(text) | Value::Time(text) => json_text(text),
        Value::Items(items) => {
            let items: Vec<String> = items.iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| json_text(item)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(pairs) => {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(key, value)| format!("{}:{}", json_text(key), json(value)))
                .collect();
            format!("{{{}}}", pairs.join(","))
        }
    }
}

/// Go writes out all but very large and very small numbers.
fn json_number(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        return if size < 1.0 { text } else { text.replace('e', "e+") };
    }
    number.to_string()
}

/// As Go's `%g` of the shortest digits: an exponent from a million up.
fn yaml_number(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Go escapes what could end a script in a web page, too.
fn json_text(text: &str) -> String {
    let mut json = String::from("\"");
    for each in text.chars() {
        match each {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{0}'..='\u{1f}' => {
                let code = format!("{:04x}", u32::from(each));
                json.extend(["\\u", &code]);
            }
            each => json.push(each),
        }
    }
    json.push('"');
    json
}

fn yaml(value: &Value) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let mut emitter = Emitter::new();
    emitter.set_output(&mut bytes);
    emitter.set_unicode(true);
    emitter.emit(Event::stream_start(Encoding::Utf8))?;
    emitter.emit(Event::document_start(None, &[], true))?;
    emit(&mut emitter, value)?;
    emitter.emit(Event::document_end(true))?;
    emitter.emit(Event::stream_end())?;
    emitter.flush()?;
    drop(emitter);
    Ok(escaped(&String::from_utf8_lossy(&bytes)))
}

fn emit(emitter: &mut Emitter<'_>, value: &Value) -> Result<(), Error> {
    match value {
        Value::Nil => emit_scalar(emitter, "null", ScalarStyle::Plain),
        Value::Bool(truth) => emit_scalar(emitter, &truth.to_string(), ScalarStyle::Plain),
        Value::Number(number) => emit_scalar(emitter, &yaml_number(*number), ScalarStyle::Plain),
        Value::Text(text) => emit_text(emitter, text),
        Value::Time(time) => emit_scalar(emitter, time, ScalarStyle::Plain),
        Value::List(items) => {
            let items: Vec<Value> = items.iter().cloned().map(Value::Text).collect();
            emit(emitter, &Value::Items(items))
        }
        Value::Items(items) => {
            let style = if items.is_empty() { SequenceStyle::Flow } else { SequenceStyle::Block };
            emitter.emit(Event::sequence_start(None, None, true, style))?;
            for item in items {
                emit(emitter, item)?;
            }
            emitter.emit(Event::sequence_end())
        }
        Value::NilMap => emit(emitter, &Value::Map(Vec::new())),
        Value::Map(pairs) => {
            let style = if pairs.is_empty() { MappingStyle::Flow } else { MappingStyle::Block };
            emitter.emit(Event::mapping_start(None, None, true, style))?;
            for (key, value) in pairs {
                emit_text(emitter, key)?;
                emit(emitter, value)?;
            }
            emitter.emit(Event::mapping_end())
        }
    }
}

/// Text that would read as something else is quoted, text of several lines is a block.
fn emit_text(emitter: &mut Emitter<'_>, text: &str) -> Result<(), Error> {
    let style = if text.contains('\n') && !text.contains(is_rare) {
        ScalarStyle::Literal
    } else if scalar::reads_as_text(text) && !text.contains(is_rare) {
        ScalarStyle::Plain
    } else {
        ScalarStyle::DoubleQuoted
    };
    emit_scalar(emitter, text, style)
}

/// Whether Juju's emitter takes the character for unprintable, and so quotes and escapes it.
fn is_rare(each: char) -> bool {
    each > '\u{ffff}'
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for each in text.chars() {
        if is_rare(each) {
            let code = format!("{:08X}", u32::from(each));
            escaped.extend(["\\U", &code]);
        } else {
            escaped.push(each);
        }
    }
    escaped
}

fn emit_scalar(emitter: &mut Emitter<'_>, text: &str, style: ScalarStyle) -> Result<(), Error> {
    emitter.emit(Event::scalar(None, None, text, true, true, style))
}

#[cfg(test)]
mod tests {
    use super::Value;
    use super::text;

    #[test]
    fn numbers_print_as_go_prints_them() {
        let cases = [
            (0.0, "0", "0"),
            (-1.0, "-1", "-1"),
            (2.0, "2", "2"),
            (0.5, "0.5", "0.5"),
            (999_999.0, "999999", "999999"),
            (1_000_000.0, "1000000", "1e+06"),
            (1_234_567.5, "1234567.5", "1.2345675e+06"),
            (0.0001, "0.0001", "0.0001"),
            (0.000_01, "0.00001", "1e-05"),
            (1e-7, "1e-7", "1e-07"),
            (1e20, "100000000000000000000", "1e+20"),
            (1e21, "1e+21", "1e+21"),
        ];
        for (number, json, other) in cases {
            let printed = ["json", "yaml", "smart"].map(|it| text(&Value::Number(number), it));
            let printed = printed.map(|text| text.unwrap().trim_end().to_owned());
            assert_eq!(printed, [json, other, other]);
        }
    }
}
