//! The floor of every measurement of a hook: `bare-hook FILE` runs the hook tools that FILE lists, one
//! after another with the same arguments and input, takes what they print, and ends.
//!
//! FILE holds a message of `juju::frame` for each tool: its input, its name, its arguments.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::process::ExitCode;
use std::process::Stdio;

use testbed::juju::frame;

fn main() -> ExitCode {
    match run_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bare-hook: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_all() -> io::Result<()> {
    let file = env::args_os().nth(1).ok_or(io::ErrorKind::InvalidInput)?;
    let list = fs::read(file)?;
    let mut rest = list.as_slice();
    while !rest.is_empty() {
        let message = frame::receive(&mut rest)?;
        let [input, tool, arguments @ ..] = message.as_slice() else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let mut command = Command::new(OsStr::from_bytes(tool));
        command.args(arguments.iter().map(|argument| OsStr::from_bytes(argument)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input)?;
        }
        child.wait_with_output()?;
    }
    Ok(())
}
