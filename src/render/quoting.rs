//! Values in the files of Redis and Sentinel.

use std::fmt::Write;

/// A value in quotes as Redis reads them (`sdssplitargs`): whatever is in it stays one value of one
/// line.
pub(crate) fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for byte in value.bytes() {
        // Writing to a string does not fail.
        let _ = match byte {
            b'"' | b'\\' => write!(text, "\\{}", char::from(byte)),
            b' '..=b'~' => write!(text, "{}", char::from(byte)),
            other => write!(text, "\\x{other:02x}"),
        };
    }
    text + "\""
}
