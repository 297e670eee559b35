//! Everything that is checked of one charm file.

use serde_yaml::Value;

use crate::binary::Binary;
use crate::charm::Charm;
use crate::charm::Member;
use crate::place::Place;
use crate::place::Problems;
use crate::place::nothing;
use crate::rules;
use crate::rules::manifest::Base;

/// What was found of a charm.
#[derive(Debug)]
pub struct Report {
    /// What was looked at, a line for each.
    pub seen: Vec<String>,
    /// What is wrong; a charm with none is good.
    pub problems: Problems,
}

/// Checks a charm file.
pub fn check(charm: &Charm) -> Report {
    let mut problems = Problems::default();
    files(charm, &mut problems);

    let manifest = document(charm, "manifest.yaml", &mut problems);
    let metadata = document(charm, "metadata.yaml", &mut problems);
    let config = document(charm, "config.yaml", &mut problems);
    let actions = document(charm, "actions.yaml", &mut problems);
    let metadata = Place::root("metadata.yaml", &metadata);
    let config = Place::root("config.yaml", &config);
    let actions = Place::root("actions.yaml", &actions);

    let bases = rules::manifest::check(&Place::root("manifest.yaml", &manifest), &mut problems);
    rules::metadata::check(&metadata, &mut problems);
    rules::config::check(&config, &mut problems);
    rules::actions::check(&actions, &mut problems);
    rules::predecessor::check(&metadata, &config, &actions, &bases, &mut problems);
    let binary = dispatch(charm, &bases, &mut problems);

    let names: Vec<&str> = charm.members.iter().map(|member| member.name.as_str()).collect();
    let seen = vec![
        format!("size: {} bytes, at most {SIZE_LIMIT}", charm.size),
        format!("files: {}", names.join(" ")),
        format!("dispatch: {}", binary.as_ref().map_or_else(|| "not readable".to_owned(), told)),
        format!("base: {}", bases.iter().map(named).collect::<Vec<_>>().join(", ")),
        "Juju's rules: metadata.yaml, config.yaml, actions.yaml, manifest.yaml".to_owned(),
        "refresh: base, storage, endpoints, resources, options, actions of the Python charm"
            .to_owned(),
    ];
    Report { seen, problems }
}

/// The archive itself: what is in it, no more and no less, and how large it is.
fn files(charm: &Charm, problems: &mut Problems) {
    if charm.size > SIZE_LIMIT {
        problems.add(format!("the charm has {} bytes, more than {SIZE_LIMIT}", charm.size));
    }
    for member in &charm.members {
        if !FILES.iter().any(|(name, _)| *name == member.name) {
            problems.add(format!("{}: does not belong into the charm", member.name));
            continue;
        }
        match member.mode {
            None => problems.add(format!("{}: has no Unix mode", member.name)),
            Some(mode) if mode & FILE_TYPE != REGULAR => {
                problems.add(format!("{}: is not a regular file", member.name));
            }
            Some(mode) if mode & EVERYONE_READS != EVERYONE_READS => {
                problems.add(format!("{}: not everyone may read it", member.name));
            }
            Some(_) => {}
        }
    }
    for (name, needed) in FILES {
        if *needed && charm.member(name).is_none() {
            problems.add(format!("{name}: is not in the charm"));
        }
    }
}

/// One YAML file of the charm; an empty map in place of one that cannot be read.
fn document(charm: &Charm, name: &str, problems: &mut Problems) -> Value {
    let Some(Member { content, .. }) = charm.member(name) else { return nothing() };
    match serde_yaml::from_slice(content) {
        Ok(Value::Null) => problems.add(format!("{name}: is empty")),
        Ok(value @ Value::Mapping(_)) => return value,
        Ok(_) => problems.add(format!("{name}: is not a map")),
        Err(error) => problems.add(format!("{name}: {error}")),
    }
    nothing()
}

/// The program that Juju runs: executable, for the architecture of the manifest, and able to run
/// on each of its bases.
fn dispatch(charm: &Charm, bases: &[Base], problems: &mut Problems) -> Option<Binary> {
    let member = charm.member("dispatch")?;
    if member.mode.is_some_and(|mode| mode & EVERYONE_RUNS != EVERYONE_RUNS) {
        problems.add("dispatch: not everyone may execute it");
    }
    let binary = match Binary::read(&member.content) {
        Ok(binary) => binary,
        Err(error) => {
            problems.add(format!("dispatch: is no ELF binary: {error}"));
            return None;
        }
    };
    if !binary.runnable {
        problems.add("dispatch: is an ELF file, but no program");
    }
    for base in bases {
        for wanted in &base.architectures {
            if binary.architecture != Some(wanted) {
                problems.add(format!(
                    "dispatch: is for {}, but manifest.yaml says {wanted}",
                    binary.architecture.unwrap_or("another machine")
                ));
            }
        }
        for missing in binary.misses_on(&base.release) {
            problems.add(format!("dispatch: {missing}"));
        }
    }
    Some(binary)
}

fn told(binary: &Binary) -> String {
    let linked = if binary.is_static() {
        "static".to_owned()
    } else {
        format!("needs {}", binary.libraries.join(" "))
    };
    format!("executable, {}, {linked}", binary.architecture.unwrap_or("unknown machine"))
}

fn named(base: &Base) -> String {
    format!("{} {} on {}", base.name, base.release, base.architectures.join(" "))
}

/// The largest charm file that is accepted, in bytes.
pub const SIZE_LIMIT: u64 = 2_000_000;

/// The files that a charm may hold, and whether it must.
pub const FILES: &[(&str, bool)] = &[
    ("dispatch", true),
    ("metadata.yaml", true),
    ("manifest.yaml", true),
    ("config.yaml", true),
    ("actions.yaml", true),
    ("LICENSE", true),
    ("README.md", false),
    ("icon.svg", false),
];

const FILE_TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const EVERYONE_READS: u32 = 0o444;
const EVERYONE_RUNS: u32 = 0o111;
