//! Replays what was recorded of Juju's own hook tools (version 3.6.28) against the bed's.
//!
//! Each row runs as a hook of its own: a shell script as the hook, the tools as processes of it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken table stops the test"
)]

mod table;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use table::row::Row;

/// Rows that the bed answers otherwise, and why that is borne.
const LEFT_OUT: &[(&str, &str)] = &[];

#[test]
fn hook_tool_table() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hook-tools.json");
    let further = env::var_os("HOOK_TOOL_TABLES").unwrap_or_default();
    let mut complaints = String::new();
    let further = env::split_paths(&further).filter(|path| !path.as_os_str().is_empty());
    for path in [recorded].into_iter().chain(further) {
        let text = fs::read(&path).expect("the table is there");
        let table: Value = serde_json::from_slice(&text).expect("the table is JSON");
        complaints.push_str(&replay(&path, &table));
    }
    assert!(complaints.is_empty(), "{complaints}");
}

/// Replays one table and prints the count; the text returned says what differs.
fn replay(path: &Path, table: &Value) -> String {
    let rows = table["cases"].as_array().expect("a table has cases");
    let mut complaints = String::new();
    let (mut passed, mut left_out) = (0, 0);
    for row in rows {
        let name = row["name"].as_str().unwrap_or_default();
        let reason = LEFT_OUT.iter().find(|(left_out, _)| *left_out == name);
        let differences = Row::new(table, row).and_then(Row::run);
        let differences = differences.unwrap_or_else(|error| vec![format!("cannot run: {error}")]);
        match (differences.is_empty(), reason) {
            (true, None) => passed += 1,
            (false, Some(_)) => left_out += 1,
            (true, Some(_)) => {
                writeln!(complaints, "{name}: passes, though it is left out").expect("text grows");
            }
            (false, None) => {
                let differences = differences.join("\n    ");
                writeln!(complaints, "{name}:\n    {differences}").expect("text grows");
            }
        }
    }
    let count = rows.len();
    let line =
        format!("{}: {passed} passed, {left_out} left out, of {count} rows\n", path.display());
    io::stdout().write_all(line.as_bytes()).expect("there is a standard output");
    if left_out * 50 > count {
        writeln!(complaints, "{left_out} of {count} rows left out").expect("text grows");
    }
    complaints
}

#[test]
fn a_row_that_differs_is_told() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hook-tools.json");
    let text = fs::read(recorded).expect("the table is there");
    let mut table: Value = serde_json::from_slice(&text).expect("the table is JSON");
    let named = ["is-leader/leader-json", "relation-set/argv-pairs", "juju-log/info"];
    let rows = table["cases"].as_array_mut().expect("a table has cases");
    rows.retain(|row| named.iter().any(|name| row["name"] == *name));
    for row in rows.iter_mut() {
        let key = ["committed", "log"].into_iter().find(|key| !row[*key].is_null());
        row[key.unwrap_or("stdout")] = Value::String("something else".to_owned());
    }
    let complaints = replay(Path::new("altered"), &table);
    for name in named {
        assert!(complaints.contains(name), "{name} is not in {complaints}");
    }
}
