//! JSON that a tool or a server answered with.

use serde::de::DeserializeOwned;
use thiserror::Error;

/// A text that is not the JSON that was expected. It does not repeat the text, which may hold a
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no JSON of the expected shape: {problem} in column {column}")]
pub struct NotJson {
    problem: &'static str,
    column: usize,
}

/// Reads an answer.
pub fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<T, NotJson> {
    serde_json::from_slice(answer).map_err(|error| NotJson {
        problem: match error.classify() {
            serde_json::error::Category::Data => "an unexpected value",
            serde_json::error::Category::Eof => "an early end",
            serde_json::error::Category::Io | serde_json::error::Category::Syntax => {
                "a syntax error"
            }
        },
        column: error.column(),
    })
}
