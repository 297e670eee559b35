//! `pebble logs`: what services wrote, as it is or as it comes.

use serde_json::Value;
use std::io;

use crate::pebble::client::commands::Done;
use crate::pebble::client::commands::flag;
use crate::pebble::client::commands::follow;
use crate::pebble::client::commands::parsed;
use crate::pebble::client::commands::say;
use crate::pebble::quote::quoted;

/// Prints the last lines; with `--follow` those that come besides, until the daemon ends.
pub(crate) fn print(words: &[String]) -> Done {
    let (names, flags) = parsed(words, &["n=", "follow", "f", "format="])?;
    let count = count(flag(&flags, "n"))?;
    let show = match flag(&flags, "format") {
        "" | "text" => text,
        "json" => str::to_owned,
        other => {
            let other = quoted(other);
            let wanted = "expected \"json\" or \"text\"";
            return Err(format!("invalid output format ({wanted}, not {other})"));
        }
    };
    let follows = flags.contains_key("follow") || flags.contains_key("f");
    let names = names.join(",");
    follow(&format!("/v1/logs?follow={follows}&n={count}&services={names}"), |line| {
        say(&show(line)).map(drop).map_err(io::Error::other)
    })
}

fn count(given: &str) -> Result<i64, String> {
    match given {
        "" => Ok(USUAL),
        "all" => Ok(-1),
        number => number.parse().ok().filter(|count| *count >= 0).ok_or_else(|| {
            let number = quoted(number);
            format!("expected n to be a non-negative integer or \"all\", not {number}")
        }),
    }
}

fn text(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    let part = |name| line.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{} [{}] {}", part("time"), part("service"), part("message"))
}

/// How many lines are printed where nothing is said.
const USUAL: i64 = 30;
