//! `make bench`: the hooks of an election, measured against the project's bars and against a bare
//! program that runs the same hook tools. Prints the bars, and writes them with all samples into
//! `docs/bench.md` and `docs/bench.json`.
//!
//! `cargo bench --bench elections [-- FOLDER]`: FOLDER holds static builds of `dispatch` and
//! `bare-hook` (`scripts/build-static bare-hook`); without it cargo's own builds are measured.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and starts programs")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are its output")]

mod bad_states;
mod bar;
mod census;
mod figures;
mod first_election;
mod forgetting;
mod machine;
mod memory;
mod programs;
mod re_election;
mod report;
mod scene;
mod size;

use std::env;
use std::error::Error;
use std::process::ExitCode;
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
    let folder =
        env::args_os().skip(1).find(|argument| !argument.to_string_lossy().starts_with("--"));
    let programs = Programs::find(folder.as_deref())?;
    let machine = Machine::look(&programs.dispatch)?;
    println!("{}", machine.text());
    let begun = Instant::now();
    let mut all = Vec::new();
    for (name, part) in PARTS {
        let started = Instant::now();
        let measured = part(&programs).map_err(|error| format!("{name}: {error}"))?;
        println!("\n{name} ({:.0} s)", started.elapsed().as_secs_f64());
        for bar in &measured.bars {
            println!("{}", bar.line());
        }
        all.push((name, measured));
    }
    println!("\n{:.0} s in all", begun.elapsed().as_secs_f64());
    report::write(&machine, &machine::load(), &all)
}

const PARTS: [(&str, Part); 7] = [
    ("A first election", first_election::measure),
    ("A healthy re-election", re_election::measure),
    ("A census in which one third is silent", census::measure),
    ("The longest hook", bad_states::measure),
    ("The master's pod killed during the forgetting", forgetting::measure),
    ("Memory", memory::measure),
    ("Size", size::measure),
];
