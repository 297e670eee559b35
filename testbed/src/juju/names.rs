//! Which words Juju takes for the name of a unit or an application.

/// Lower-case words joined by hyphens, each with a letter; the first begins with one.
pub(crate) fn is_application(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('-').all(|word| {
            word.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit())
                && word.chars().any(|each| each.is_ascii_lowercase())
        })
}

/// An application's name, a slash and a number without leading zeros.
pub(crate) fn is_unit(name: &str) -> bool {
    name.split_once('/').is_some_and(|(application, number)| {
        is_application(application)
            && !number.is_empty()
            && number.chars().all(|each| each.is_ascii_digit())
            && (number == "0" || !number.starts_with('0'))
    })
}

/// The word as Go's `%q` prints it.
pub(crate) fn quoted(word: &str) -> String {
    let mut text = String::from("\"");
    for each in word.chars() {
        match each {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{7}' => text.push_str("\\a"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{b}' => text.push_str("\\v"),
            each if each.is_ascii_control() => {
                let code = format!("{:02x}", u32::from(each));
                text.extend(["\\x", &code]);
            }
            each if each.is_control() || (each.is_whitespace() && each != ' ') => {
                let code = format!("{:04x}", u32::from(each));
                text.extend(["\\u", &code]);
            }
            each => text.push(each),
        }
    }
    text.push('"');
    text
}
