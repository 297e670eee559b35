//! `measure-run FILE PROGRAM ARGUMENTS..`: runs a program and writes into FILE how long it ran, in
//! microseconds, and the most memory that it, or a program that it ran, ever had at once (`ru_maxrss`
//! of the children, in KiB).
//!
//! Started in a container it measures the program alone, without the way into the container.
//!
//! The kernel counts what this program itself had when it started the other, so it stays small, and
//! a figure below its own size says no more than that.

use std::env;
use std::fs;
use std::io;
use std::io::Write;
use std::process::Command;
use std::process::ExitCode;
use std::time::Instant;

use nix::sys::resource::UsageWho;
use nix::sys::resource::getrusage;

fn main() -> ExitCode {
    match measure() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(io::stderr(), "measure-run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> io::Result<u8> {
    let mut arguments = env::args_os().skip(1);
    let file = arguments.next().ok_or(io::ErrorKind::InvalidInput)?;
    let program = arguments.next().ok_or(io::ErrorKind::InvalidInput)?;
    let started = Instant::now();
    let status = Command::new(program).args(arguments).status()?;
    let took = started.elapsed().as_micros();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    fs::write(file, format!("{took} {}\n", usage.max_rss()))?;
    // A program that a signal ended has no code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
