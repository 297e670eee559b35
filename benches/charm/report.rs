//! `docs/bench.md` for people and `docs/bench.json` with every sample.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::Outcome;
use crate::bar::Measured;
use crate::machine::Machine;

/// A part's name, and what it gave or why it failed.
type Part<'a> = (&'a str, Result<Measured, String>);

/// Writes both files.
pub(crate) fn write(machine: &Machine, load_after: &str, parts: &[Part<'_>]) -> Outcome<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    fs::create_dir_all(&docs)?;
    fs::write(docs.join("bench.md"), text(machine, load_after, parts)?)?;
    let samples: Map<String, Value> = parts
        .iter()
        .map(|(name, part)| {
            let failed = |error: &String| json!({ "failed": error });
            let samples = part.as_ref().map_or_else(failed, |measured| measured.samples.clone());
            ((*name).to_owned(), samples)
        })
        .collect();
    let whole = json!({
        "machine": {
            "processor": machine.processor,
            "processors": machine.processors,
            "kernel": machine.kernel,
            "redis": machine.redis,
            "load_before": machine.load,
            "load_after": load_after,
            "dispatch": machine.binary,
        },
        "samples": samples,
    });
    fs::write(docs.join("bench.json"), serde_json::to_string_pretty(&whole)? + "\n")?;
    println!("written: docs/bench.md, docs/bench.json");
    Ok(())
}

fn text(machine: &Machine, load_after: &str, parts: &[Part<'_>]) -> Outcome<String> {
    let mut text = INTRODUCTION.to_owned();
    let Machine { processor, processors, kernel, redis, load, binary } = machine;
    writeln!(text, "- Machine: {processors} × {processor}, Linux {kernel}")?;
    writeln!(text, "- Servers: {redis}, three pods where nothing else is said")?;
    writeln!(text, "- `dispatch`: {binary}")?;
    let busy = if machine.was_busy() {
        "; **the machine was not idle**, so wall times are too long rather than too short"
    } else {
        ""
    };
    writeln!(text, "- Load average before {load}, after {load_after}{busy}\n")?;
    text.push_str(HEADING);
    for (name, part) in parts {
        match part {
            Ok(measured) => {
                for bar in &measured.bars {
                    writeln!(text, "{}", bar.row())?;
                }
            }
            Err(error) => {
                let line = error.lines().next().unwrap_or_default();
                writeln!(text, "| ✗ | {name} | - | not measured: {line} | - | - |")?;
            }
        }
    }
    for (name, part) in parts {
        let Ok(measured) = part else { continue };
        if measured.details.is_empty() {
            continue;
        }
        writeln!(text, "\n## {name}\n")?;
        for line in &measured.details {
            writeln!(text, "{line}")?;
        }
    }
    Ok(text)
}

const INTRODUCTION: &str = "\
# The charm, measured

Written by `make bench`; every sample is in `bench.json` beside this file. ✓ keeps its bar, ✗ does not,
· has none. The bare program runs the same hook tools one after another with the same arguments and
ends: the least that a hook can take. The Python charm's figures were measured before, on the same
machine, and are quoted.

";

const HEADING: &str = "\
| | what | bar | measured | bare program | the Python charm, measured |
| --- | --- | --- | --- | --- | --- |
";
