//! Holds a Pebble against a table of recorded exchanges: the own daemon, or the program named by PEBBLE.
//!
//! A table is `{"scenarios": [{"name", "steps": [...]}, ...]}`; tests/data/pebble-cases.json is one, and
//! `PEBBLE_TABLES` names more (paths, colon between). Each scenario gets a fresh directory `$DIR` and a
//! fresh daemon, started there as `pebble run --create-dirs --hold` with `PEBBLE=$DIR/p` and a small
//! fixed environment. More of it: `args` replaces the two options, `env` adds variables, `files` are
//! written first, `start: false` starts nothing, `pid1` makes the daemon PID 1 of its own namespace.
//! Scenarios with `pid1` or `root` are skipped unless root runs the test.
//!
//! A step is one verb (see `verbs.rs`), its options, and what must come back (`expect`). Every step may
//! have `save` (names for parts of the answer), `took` (least and most seconds), `ignore` (members that
//! do not count) and `prefix` (of a text that begins so, only that counts). What varies from run to run
//! is named, in answers and in the table: times, ids, the directory, the port, the own user.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says what it found"
)]

mod exec;
mod names;
mod server;
mod stage;
mod streams;
mod verbs;

use serde_json::Value;
use std::env;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;
use testbed::pebble::daemon::Daemon;

use crate::stage::Stage;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    if words.first().map(String::as_str) == Some(streams::RELAY) {
        streams::relay(&words);
        return ExitCode::SUCCESS;
    }
    if words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let filter = words.iter().find(|word| !word.starts_with('-')).cloned().unwrap_or_default();
    let pebble = env::var_os("PEBBLE")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_pebble")), PathBuf::from);
    println!("Pebble: {} ({})", pebble.display(), version(&pebble));
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut tables = vec![data.join("pebble-cases.json")];
    if Daemon::is_own() {
        // Not recorded, so they prove nothing about the real one.
        tables.push(data.join("pebble-facts.json"));
    }
    let more = env::var_os("PEBBLE_TABLES").unwrap_or_default();
    tables.extend(env::split_paths(&more).filter(|path| !path.as_os_str().is_empty()));
    let scenarios: Vec<Value> = tables
        .into_iter()
        .flat_map(|path| {
            let text =
                fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let table: Value = serde_json::from_str(&text).unwrap();
            table["scenarios"].as_array().unwrap().clone()
        })
        .filter(|scenario| scenario["name"].as_str().unwrap().contains(&filter))
        .collect();
    let counts = play_all(&scenarios, &pebble);
    let [passed, failed, skipped] = counts;
    println!("{passed} scenarios passed, {failed} failed, {skipped} skipped (they need root)");
    if failed == 0 && passed + skipped == scenarios.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn version(pebble: &Path) -> String {
    let said = Command::new(pebble).args(["version", "--client"]).output();
    let said = said.unwrap_or_else(|error| panic!("cannot run {}: {error}", pebble.display()));
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

/// Plays the scenarios, several at a time: they mostly wait. Answers how many passed, failed, were skipped.
fn play_all(scenarios: &[Value], pebble: &Path) -> [usize; 3] {
    let next = AtomicUsize::new(0);
    let counts = Mutex::new([0; 3]);
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    let (place, lines) = play(scenario, pebble);
                    counts.lock().unwrap()[place] += 1;
                    if place == FAILED {
                        let name = scenario["name"].as_str().unwrap();
                        let seconds = begun.elapsed().as_secs_f32();
                        println!("{name} differs ({seconds:.1} s)\n    {}", lines.join("\n    "));
                    }
                }
            });
        }
    });
    counts.into_inner().unwrap()
}

fn play(scenario: &Value, pebble: &Path) -> (usize, Vec<String>) {
    let named = scenario["name"].as_str().is_some_and(|name| NAMES_ROOT.contains(&name));
    let needs_root = scenario["root"] == true || scenario["pid1"] == true || named;
    if needs_root && !nix::unistd::geteuid().is_root() {
        return (SKIPPED, vec![]);
    }
    let mut lines = Vec::new();
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut stage = Stage::set_up(scenario, pebble);
        for (number, step) in scenario["steps"].as_array().unwrap().iter().enumerate() {
            let (differences, go_on) = stage.take(step);
            if !differences.is_empty() {
                let mut title = stage::without_expectation(step).to_string();
                title.truncate(title.floor_char_boundary(150));
                lines.push(format!("step {}: {title}", number + 1));
                lines.extend(differences.into_iter().take(12).map(|line| format!("    {line}")));
            }
            if !go_on {
                break;
            }
        }
    }));
    if let Err(trouble) = played {
        let said = trouble.downcast_ref::<String>().cloned();
        let said = said.or_else(|| trouble.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        lines.push(format!("given up: {}", said.unwrap_or_default()));
    }
    (if lines.is_empty() { 0 } else { FAILED }, lines)
}

const FAILED: usize = 1;
const SKIPPED: usize = 2;
const AT_A_TIME: usize = 12;

/// Scenarios that ask who owns `/`, and were recorded by its owner.
const NAMES_ROOT: [&str; 1] = ["file-list"];
