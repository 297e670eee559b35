//! The layout as a machine checks it: who may use what, how long a file may be, one import a line,
//! and names that equal those of `metadata.yaml`, `config.yaml` and `actions.yaml`.

#![expect(clippy::disallowed_methods, reason = "a test reads the source")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use redis_k8s::names::ACTIONS;
use redis_k8s::names::PEER_ENDPOINT;
use redis_k8s::names::REDIS_CONTAINER;
use redis_k8s::names::SENTINEL_CONTAINER;
use redis_k8s::names::STORAGE;

/// What each part of `src/` may use: imports go only where this points.
const MAY_USE: &[(&str, &[&str])] = &[
    ("act", &["clients", "clock", "decide", "names", "observe", "procedure", "render", "world"]),
    ("clients", &["clock"]),
    ("clock", &[]),
    ("decide", &["event", "names", "procedure", "render", "world"]),
    ("env", &[]),
    ("event", &["env", "names"]),
    ("journal", &["clients", "clock"]),
    (
        "keeper",
        &["clients", "clock", "journal", "names", "observe", "procedure", "render", "world"],
    ),
    ("lib", &[]),
    ("main", &["clock", "env", "event", "journal", "keeper", "names", "report", "run"]),
    ("names", &[]),
    ("observe", &["clients", "clock", "env", "event", "names", "render", "world"]),
    ("procedure", &["names", "world"]),
    // Of `world` only what a password and a majority are, and Sentinel's time-out.
    ("render", &["names", "world"]),
    ("report", &["clients", "clock", "decide", "world"]),
    (
        "run",
        &[
            "act", "clients", "clock", "decide", "env", "event", "names", "observe", "report",
            "world",
        ],
    ),
    ("world", &["names"]),
];

/// Outside crates that a part without input and output must not name.
const PURE: &[&str] = &["world", "procedure", "render", "decide"];

/// The keeper's own decisions.
const PURE_FILES: &[&str] = &[
    "src/keeper/decide.rs",
    "src/keeper/noting.rs",
    "src/keeper/restart.rs",
    "src/keeper/ring.rs",
    "src/keeper/running.rs",
];
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net::Tcp",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "rand",
    "redis",
    "tracing",
];

/// Declared in `config.yaml`, and not built yet.
const OPTIONS_TO_COME: &[&str] = &["enable-tls"];

const LONGEST_FILE: usize = 400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    files
}

fn part_of(file: &str) -> &str {
    let inner = file.strip_prefix("src/").unwrap_or(file);
    inner.split(['/', '.']).next().unwrap_or_default()
}

/// What is wrong with the imports of one file.
fn import_faults(file: &str, text: &str) -> Vec<String> {
    let part = part_of(file);
    let allowed: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let Some(allowed) = allowed.get(part) else {
        return vec![format!("{file}: `{part}` is not in the table of this test")];
    };
    let mut faults = Vec::new();
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        for path in line.split("crate::").skip(1).chain(line.split("redis_k8s::").skip(1)) {
            let used = path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
            if used != part && !allowed.contains(&used) {
                faults.push(format!("{file}: `{part}` must not use `{used}`: {line}"));
            }
        }
        let pure = PURE.contains(&part) || PURE_FILES.contains(&file);
        let outside = line.strip_prefix("use ").unwrap_or_default();
        if pure && IMPURE.iter().any(|name| outside.starts_with(name)) {
            faults.push(format!("{file}: `{part}` is pure: {line}"));
        }
    }
    faults
}

/// What is wrong with the form of one file.
fn form_faults(file: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        faults.push(format!("{file}: {lines} lines, {LONGEST_FILE} at most"));
    }
    if !text.starts_with("//!") {
        faults.push(format!("{file}: does not begin with what it is for"));
    }
    for line in text.lines().map(str::trim) {
        if line.starts_with("use ") && line.contains('{') {
            faults.push(format!("{file}: more than one import in a line: {line}"));
        }
        if line.starts_with("pub use ") || line.starts_with("pub(crate) use ") {
            faults.push(format!("{file}: a re-export: {line}"));
        }
    }
    faults
}

fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn imports_go_only_where_the_table_points() {
    let files = rust_files(&root().join("src"));
    assert!(files.len() > 20, "the source was not found");
    assert_none(files.iter().flat_map(|(file, text)| import_faults(file, text)).collect());
}

#[test]
fn every_file_has_the_form_of_this_project() {
    let folders = ["src", "tests", "benches", "testbed", "packing"];
    let files = folders
        .iter()
        .map(|folder| root().join(folder))
        .filter(|folder| folder.exists())
        .flat_map(|folder| rust_files(&folder));
    assert_none(files.flat_map(|(file, text)| form_faults(&file, &text)).collect());
}

#[test]
fn the_check_bites() {
    for (file, text) in [
        ("src/clients/redis/mod.rs", "use crate::world::World;"),
        ("src/observe/juju.rs", "use crate::decide::plan::Plan;"),
        ("src/decide/master.rs", "    let now = crate::clock::unix_seconds();"),
        ("src/world/mod.rs", "pub use crate::event::Event;"),
        ("src/world/mod.rs", "use std::fs;"),
        ("src/render/layer.rs", "use crate::clock::Budget;"),
        ("src/keeper/decide.rs", "use std::time::Instant;"),
        ("src/decide/plan.rs", "use tracing::info;"),
        ("src/helpers.rs", ""),
    ] {
        assert!(!import_faults(file, text).is_empty(), "{file}: {text}");
    }
    for text in [
        "//! It.\nuse std::{fmt, io};",
        "//! It.\npub use crate::a::B;",
        "use std::fmt;",
        &format!("//! It.\n{}", "\n".repeat(LONGEST_FILE)),
    ] {
        assert!(!form_faults("src/any.rs", text).is_empty(), "{text}");
    }
    assert_none(import_faults("src/act/juju.rs", "use crate::clients::hook_tools::ToolError;"));
}

/// The keys one level below a top-level key of a plain YAML file.
fn keys_below(file: &str, section: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    text.lines()
        .skip_while(|line| *line != format!("{section}:"))
        .skip(1)
        .take_while(|line| line.starts_with(' ') || line.is_empty() || line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("  ")?.split_once(':'))
        .filter(|(key, _)| !key.starts_with([' ', '#']))
        .map(|(key, _)| key.to_owned())
        .collect()
}

#[test]
fn names_equal_those_that_juju_is_told() {
    assert_eq!(keys_below("metadata.yaml", "peers"), [PEER_ENDPOINT]);
    assert_eq!(keys_below("metadata.yaml", "storage"), [STORAGE]);
    let containers = [REDIS_CONTAINER, SENTINEL_CONTAINER];
    assert_eq!(keys_below("metadata.yaml", "containers"), containers);
    assert_eq!(keys_below("config.yaml", "options"), OPTIONS_TO_COME);
    let text = fs::read_to_string(root().join("actions.yaml")).unwrap();
    let actions: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(actions, ACTIONS);
}
