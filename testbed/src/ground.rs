//! What all parts of one bed stand on: its folder, its programs, and the hub, which is process 1 of the
//! PID namespace in which everything of the bed runs. When the hub ends, so does all of it.
//!
//! The hub reads from a pipe that this process holds, so it ends when this process does, in whatever
//! way. Its parent, the watcher, then removes the folder.

use std::ffi::OsStr;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Mutex;

use tempfile::TempDir;

use crate::error::BedError;
use crate::error::at_file;
use crate::image;
use crate::lock::lock;
use crate::programs::Programs;
use crate::programs::USER_NAMESPACE;
use crate::transcript::Transcript;

/// Shared by the network and the pods of a bed.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) programs: Programs,
    pub(crate) transcript: Transcript,
    hub: u32,
    watcher: Mutex<Child>,
    lifeline: Mutex<Option<ChildStdin>>,
    // Last: the watcher removes it, and this only if the watcher was killed.
    directory: TempDir,
}

impl Ground {
    /// Makes the folder and the image in it, and starts the hub.
    pub(crate) fn start() -> Result<Self, BedError> {
        let programs = Programs::find()?;
        let directory = tempfile::Builder::new()
            .prefix("testbed-")
            .tempdir()
            .map_err(at_file("the folder for temporary files"))?;
        for folder in ["image", "logs", "pods", "volumes"] {
            let path = directory.path().join(folder);
            fs::create_dir(&path).map_err(at_file(path))?;
        }
        image::make(&directory.path().join("image"), &programs)?;
        let mut command = if programs.rootless {
            let mut command = Command::new(&programs.unshare);
            command.args(USER_NAMESPACE).args(["--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        command.args(["-c", WATCHER, "watcher"]).arg(directory.path());
        command.args([&programs.unshare, &programs.ip]).arg(HUB);
        // Its own group, or ctrl-C would strike it before this process.
        command.env("PATH", Programs::path()).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let transcript = Transcript::default();
        transcript.record(&command);
        let mut watcher = command
            .spawn()
            .map_err(|source| BedError::NotStarted { program: "the hub".into(), source })?;
        let lifeline = watcher.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = watcher.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        let hub = line.trim_end().strip_prefix("ready ").and_then(|number| number.parse().ok());
        let Some(hub) = hub else {
            drop(lifeline);
            let output = watcher.wait_with_output().map_err(at_file("the hub"))?;
            return Err(failed("the hub", &output));
        };
        Ok(Self {
            programs,
            transcript,
            hub,
            watcher: Mutex::new(watcher),
            lifeline: Mutex::new(lifeline),
            directory,
        })
    }

    /// The bed's folder.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends everything in the bed and removes its folder.
    pub(crate) fn end(&self) {
        drop(lock(&self.lifeline).take());
        let _ = lock(&self.watcher).wait();
    }

    /// Goes into namespaces of `process`, among them the bed's PID namespace, and into `directory`;
    /// a program has to follow. How the command stands for the program: `bin/enter.rs`.
    pub(crate) fn enter(&self, process: u32, namespaces: &str, directory: &Path) -> Command {
        let mut command = self.enter_only(process, &format!("pid,{namespaces}"));
        command.arg(directory).env_clear().env("PATH", Programs::path());
        command
    }

    /// In a process group of its own.
    fn enter_only(&self, process: u32, namespaces: &str) -> Command {
        let mut command = Command::new(&self.programs.enter);
        let user = if self.programs.rootless { "user," } else { "" };
        command.arg(process.to_string()).arg(format!("{user}{namespaces}"));
        command.stdin(Stdio::null()).process_group(0);
        command
    }

    /// A program that runs beside the hub and ends with it at the latest: in its network, with the
    /// machine's files, as the root of the containers.
    pub(crate) fn hub_command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.enter(self.hub, "net", Path::new("/"));
        command.arg(program);
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

    /// Runs a command beside the hub, which has to end well; `what` it does is for the error.
    pub(crate) fn run_well(
        &self,
        what: &str,
        command: &mut Command,
        input: &str,
    ) -> Result<(), BedError> {
        let output = self.run(command, input)?;
        if output.status.success() { Ok(()) } else { Err(failed(what, &output)) }
    }

    /// Runs `ip -batch` with these lines in the hub's network.
    pub(crate) fn ip(&self, lines: &[String]) -> Result<(), BedError> {
        if lines.is_empty() {
            return Ok(());
        }
        // Numbers of processes are the machine's, so it does not run in the PID namespace.
        let mut command = self.enter_only(self.hub, "net");
        command.arg("/").arg(&self.programs.ip).args(["-batch", "-"]);
        let what = format!("ip -batch of {lines:?}");
        self.run_well(&what, &mut command, &(lines.join("\n") + "\n"))
    }

    /// The image of the containers.
    pub(crate) fn image(&self) -> PathBuf {
        self.directory().join("image")
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) fn failed(what: &str, output: &Output) -> BedError {
    BedError::Failed {
        program: what.to_owned(),
        status: output.status,
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    }
}

fn named(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// Arguments: the bed's folder, `unshare`, `ip`, the hub's script.
const WATCHER: &str = r#"
"$2" --net --pid --fork --kill-child -- sh -c "$4" hub "$3"
rm -rf "$1"
"#;

/// Argument: `ip`. The shell reads its number on the machine; after that it waits for the pipe's end and
/// collects orphans.
const HUB: &str = r#"
set -e
echo 1 >/proc/sys/net/ipv4/ip_forward
"$1" -batch - <<LINES
link set dev lo up
route add blackhole default
LINES
read -r process rest </proc/self/stat
echo ready $process
exec >/dev/null 2>&1
cat
exit
"#;
