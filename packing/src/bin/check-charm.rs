//! `check-charm CHARM...`: tells whether Juju will accept these charm files, and what is wrong.

use std::env;
use std::error::Error;
use std::io;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use packing::charm::Charm;
use packing::check::check;

fn main() -> ExitCode {
    packing::ended(check_all())
}

fn check_all() -> Result<ExitCode, Box<dyn Error>> {
    let mut out = io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    let files: Vec<String> = env::args().skip(1).collect();
    if files.is_empty() {
        return Err("usage: check-charm CHARM...".into());
    }
    for file in files {
        let charm = Charm::read(Path::new(&file))?;
        let report = check(&charm);
        writeln!(out, "{}", charm.name)?;
        for line in &report.seen {
            writeln!(out, "  {line}")?;
        }
        if report.problems.all().is_empty() {
            writeln!(out, "  good")?;
            continue;
        }
        code = ExitCode::FAILURE;
        for problem in report.problems.all() {
            writeln!(out, "  refused: {problem}")?;
        }
    }
    Ok(code)
}
