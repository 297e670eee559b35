//! What all parts of one bed stand on: its folder, its programs, the hub that owns the namespaces,
//! and the process group in which everything ends when the test process does.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use crate::error::BedError;
use crate::programs::Programs;
use crate::transcript::Transcript;

/// Shared by the network and the pods of a bed.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) directory: PathBuf,
    pub(crate) programs: Programs,
    pub(crate) transcript: Transcript,
    /// Process of the hub; also the process group of everything in the bed.
    pub(crate) hub: u32,
}

impl Ground {
    /// A command that runs in the bed's process group and is not started yet.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        if let Ok(group) = i32::try_from(self.hub) {
            command.process_group(group);
        }
        command
    }

    /// `nsenter` into the namespaces of `process`, named by its options; a program has to follow.
    ///
    /// It becomes the program: process id, signals and exit status are the program's own.
    pub(crate) fn enter(&self, process: u32, namespaces: &[&str]) -> Command {
        let mut command = self.command(&self.programs.nsenter);
        command.args(["--target", &process.to_string()]);
        if self.programs.rootless {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(namespaces).arg("--").env("PATH", Programs::path());
        command
    }

    /// Starts a command and notes its argv.
    pub(crate) fn spawn(&self, command: &mut Command) -> Result<Child, BedError> {
        self.transcript.record(command);
        command.spawn().map_err(|source| BedError::NotStarted { program: named(command), source })
    }

    /// Runs a command to its end with `input` at its stdin, and notes its argv.
    pub(crate) fn run(&self, command: &mut Command, input: &str) -> Result<Output, BedError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.spawn(command)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends without reading says why itself. Inputs are smaller than a pipe.
            let _ = stdin.write_all(input.as_bytes());
        }
        child
            .wait_with_output()
            .map_err(|source| BedError::NotStarted { program: named(command), source })
    }

    /// Runs `ip -batch` with these lines in the hub.
    pub(crate) fn ip(&self, lines: &[String]) -> Result<(), BedError> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut command = self.enter(self.hub, &["--net"]);
        command.arg(&self.programs.ip).args(["-batch", "-"]);
        let output = self.run(&mut command, &(lines.join("\n") + "\n"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(BedError::Failed {
            program: format!("ip -batch of {lines:?}"),
            status: output.status,
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

fn named(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
