//! `make bench`: the charm measured against the project's bars. Single hooks of an election beside a bare
//! program that runs the same hook tools, every hook of a deployment, and what clients feel when a master
//! dies or stops. Prints the bars, and writes them with all samples into `docs/bench.md` and
//! `docs/bench.json`. A part that fails is told of, and the others go on.
//!
//! `cargo bench --bench charm [-- FOLDER [PART..]]`: FOLDER holds static builds of `dispatch` and
//! `bare-hook` (`scripts/build-static bare-hook`). With words of their names only those parts run, with
//! their details, and nothing is written.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and starts programs")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are its output")]

mod bad_states;
mod bar;
mod census;
mod deaths;
mod deployment;
mod events;
mod figures;
mod first_election;
mod forgetting;
mod machine;
mod memory;
mod programs;
mod re_election;
mod report;
mod restarts;
mod scene;
mod size;
mod stops;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;
use std::time::Instant;

use bar::Measured;
use machine::Machine;
use programs::Programs;

/// A measurement, or why it could not be made.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// One part of the bench.
type Part = fn(&Programs) -> Outcome<Measured>;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Outcome<()> {
    // Cargo adds its own `--bench`.
    let mut arguments =
        env::args_os().skip(1).filter(|argument| !argument.to_string_lossy().starts_with("--"));
    let programs = Programs::find(arguments.next().as_deref())?;
    let wanted: Vec<String> = arguments.map(|it| it.to_string_lossy().into_owned()).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|it| name.contains(it));
    let machine = Machine::look(&programs.dispatch)?;
    println!("{}", machine.text());
    let begun = Instant::now();
    let mut all = Vec::new();
    for (name, part) in PARTS.into_iter().filter(|(name, _)| is_wanted(name)) {
        let started = Instant::now();
        let measured = if begun.elapsed() < LAST_BEGIN {
            part(&programs).map_err(|error| error.to_string())
        } else {
            Err("left out: there was no time for it".to_owned())
        };
        println!("\n{name} ({:.0} s)", started.elapsed().as_secs_f64());
        match &measured {
            Ok(measured) => measured.bars.iter().for_each(|bar| println!("{}", bar.line())),
            Err(error) => println!("  ✗ {error}"),
        }
        all.push((name, measured));
    }
    println!("\n{:.0} s in all", begun.elapsed().as_secs_f64());
    if !wanted.is_empty() {
        let measured = all.iter().filter_map(|(_, measured)| measured.as_ref().ok());
        measured.flat_map(|it| &it.details).for_each(|line| println!("{line}"));
        return Ok(());
    }
    report::write(&machine, &machine::load(), &all)?;
    let failed: Vec<&str> =
        all.iter().filter(|(_, measured)| measured.is_err()).map(|(name, _)| *name).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

const PARTS: [(&str, Part); 11] = [
    ("A first election", first_election::measure),
    ("A healthy re-election", re_election::measure),
    ("Memory", memory::measure),
    ("Size", size::measure),
    ("Every hook of a deployment", events::measure),
    ("The master dies", deaths::measure),
    ("The master stops", stops::measure),
    ("A replica starts again", restarts::measure),
    ("A census in which one third is silent", census::measure),
    ("The longest hook", bad_states::measure),
    ("The master's pod killed during the forgetting", forgetting::measure),
];

/// A part that would begin later is left out: the whole is to end within eight minutes.
const LAST_BEGIN: Duration = Duration::from_secs(400);
