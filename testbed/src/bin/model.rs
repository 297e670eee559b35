//! A Juju model on this machine, with a shell for its operator.

use std::fs::File;
use std::io;
use std::io::BufReader;
use std::io::IsTerminal;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use signal_hook::consts::SIGINT;
use testbed::lab::Lab;
use testbed::lab::Options;
use testbed::shell::command::Command;
use testbed::shell::command::Deploy;
use testbed::shell::error::ShellError;
use testbed::shell::play;
use testbed::shell::session::Session;
use testbed::shell::terminal;

/// A Juju model on this machine, with a shell for its operator: `help` in it lists the commands.
#[derive(Parser)]
#[command(name = "model")]
struct Arguments {
    /// A file of commands; without one, they are read from the terminal or from standard input
    file: Option<PathBuf>,
    /// Deploy the charm in this folder first
    #[arg(long, value_name = "DIR")]
    charm: Option<String>,
    /// How many units of it
    #[arg(long, short, default_value_t = 1, requires = "charm")]
    num_units: u32,
    /// A folder that every container sees at the same path, such as an interpreter's
    #[arg(long, value_name = "DIR")]
    show: Vec<PathBuf>,
    /// The model's name
    #[arg(long, default_value = "lab")]
    model: String,
    /// How much faster than Juju's own all periods pass
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// What drives every choice that Juju leaves to chance
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::stdout();
    match run(arguments, &mut out) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to be told of a terminal that is gone.
            let _ = writeln!(io::stderr(), "{}", play::told(&error));
            ExitCode::FAILURE
        }
    }
}

/// Gives whether all commands went well.
fn run(arguments: Arguments, out: &mut dyn Write) -> Result<bool, ShellError> {
    let Arguments { file, charm, num_units, show, model, speed, seed } = arguments;
    let interrupt = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGINT, Arc::clone(&interrupt))?;
    let lab = Lab::start_with(Options { seed, model, speed, shown: show, ..Options::default() })?;
    let mut session = Session::new(Arc::new(lab), interrupt);
    if let Some(charm) = charm {
        let line = format!("deploy {charm} -n {num_units}");
        let deploy = Deploy { charm: Some(charm), num_units, ..Deploy::default() };
        session.perform(&line, &Command::Deploy(deploy), out)?;
    }
    if let Some(path) = file {
        let opened = File::open(&path);
        let opened = opened.map_err(|source| ShellError::File { path: path.clone(), source })?;
        return play::play(&mut session, &path.display().to_string(), BufReader::new(opened), out);
    }
    if io::stdin().is_terminal() {
        writeln!(out, "Model \"{}\" on this machine. `help` lists the commands.", session.model())?;
        terminal::converse(&mut session, out)?;
        return Ok(true);
    }
    play::play(&mut session, "standard input", io::stdin().lock(), out)
}
