//! A daemon as a test holds it: started in a directory, asked, disturbed, and gone when dropped, or
//! when the test's process ends without that.

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;
use std::env;
use std::fs;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::Once;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use thiserror::Error;

use crate::pebble::bound;
use crate::pebble::client::http::Client;
use crate::pebble::client::http::ClientError;
use crate::pebble::serve::control::FAULTS_VARIABLE;

/// A running Pebble: the own one, or the one named by the variable `PEBBLE`.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    program: PathBuf,
    dir: PathBuf,
    options: Vec<String>,
    client: Client,
}

/// Past the test runner's capture, so that the output of every run names which Pebble was used.
fn name_program(program: &Path) {
    let said = Command::new(program).args(["version", "--client"]).output();
    let version = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let version = version.unwrap_or_else(|error| error.to_string());
    // A test run without an output has nobody to tell.
    drop(writeln!(io::stderr(), "Pebble: {} ({version})", program.display()));
}

/// Why there is no daemon, or it does not do as it is told.
#[derive(Debug, Error)]
pub enum DaemonError {
    /// The program is not there.
    #[error("cannot find the program pebble beside {}: run cargo build -p testbed", .0.display())]
    NoProgram(PathBuf),
    /// The system would not start it, or its files are out of reach.
    #[error("cannot run pebble")]
    System(#[from] io::Error),
    /// It ended instead of answering.
    #[error("pebble ended with {status}: {log}")]
    Ended {
        /// Its end.
        status: ExitStatus,
        /// The last lines of its output.
        log: String,
    },
    /// It runs, and does not answer.
    #[error("pebble did not answer within {PATIENCE:?}: {0}")]
    Silent(String),
    /// It could not be asked.
    #[error("cannot ask pebble")]
    Client(#[from] ClientError),
    /// It did not take an order for a fault.
    #[error("pebble refused the fault: {0}")]
    Fault(String),
}

impl Daemon {
    /// Starts one with an empty plan, whose directory is `pebble` in `folder`. The folder should have a
    /// short path: a socket's has at most 107 bytes.
    pub fn start(folder: &Path) -> Result<Self, DaemonError> {
        Self::start_with(folder, &["--create-dirs", "--hold"])
    }

    /// Starts one with other options of `pebble run`.
    pub fn start_with(folder: &Path, options: &[&str]) -> Result<Self, DaemonError> {
        static NAMED: Once = Once::new();
        let program = Self::program()?;
        NAMED.call_once(|| name_program(&program));
        Self::start_program(&program, folder, options)
    }

    /// Starts a certain program, whatever `PEBBLE` names.
    pub fn start_program(
        program: &Path,
        folder: &Path,
        options: &[&str],
    ) -> Result<Self, DaemonError> {
        let dir = folder.join("pebble");
        let client = Client::new(&dir.join(".pebble.socket"));
        let options: Vec<String> = options.iter().map(|&word| word.to_owned()).collect();
        let child = launch(program, &dir, &options)?;
        let mut daemon = Self { child, program: program.to_owned(), dir, options, client };
        daemon.wait_until_it_answers()?;
        Ok(daemon)
    }

    /// Whether tests use this project's Pebble, the only one that has faults.
    pub fn is_own() -> bool {
        env::var_os("PEBBLE").is_none()
    }

    /// The program that tests use.
    pub fn program() -> Result<PathBuf, DaemonError> {
        if let Some(named) = env::var_os("PEBBLE") {
            return Ok(named.into());
        }
        let own = env::current_exe()?;
        let found = own.ancestors().skip(1).take(2).map(|folder| folder.join("pebble"));
        found.into_iter().find(|path| path.is_file()).ok_or(DaemonError::NoProgram(own))
    }

    /// Asks it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Its directory, `$PEBBLE` to its services.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.join(".pebble.socket")
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Orders a fault; README.md in this folder has the words.
    pub fn fault(&self, order: &Value) -> Result<(), DaemonError> {
        let mut stream = UnixStream::connect(faults_socket(&self.dir))?;
        stream.write_all(format!("{order}\n").as_bytes())?;
        let mut told = String::new();
        BufReader::new(stream).read_line(&mut told)?;
        if told.trim() == "ok" { Ok(()) } else { Err(DaemonError::Fault(told.trim().to_owned())) }
    }

    /// Ends it as Kubernetes does, services first.
    pub fn stop(&mut self) -> Result<ExitStatus, DaemonError> {
        signal(&self.child, Signal::SIGTERM)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(DaemonError::Silent(self.log_tail()));
            }
            thread::park_timeout(GLANCE);
        }
    }

    /// Kills it; its services live on, and its socket stays.
    pub fn kill(&mut self) -> Result<ExitStatus, DaemonError> {
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    /// Starts it again in the same directory, as after the end of its container.
    pub fn start_again(&mut self) -> Result<(), DaemonError> {
        self.child = launch(&self.program, &self.dir, &self.options)?;
        self.wait_until_it_answers()
    }

    /// Waits until it answers, as it does again soon after a fault of the kind `restart`.
    pub fn wait_until_it_answers(&mut self) -> Result<(), DaemonError> {
        let deadline = Instant::now() + PATIENCE;
        while self.client.get("/v1/system-info").is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(DaemonError::Ended { status, log: self.log_tail() });
            }
            if Instant::now() > deadline {
                return Err(DaemonError::Silent(self.log_tail()));
            }
            thread::park_timeout(GLANCE);
        }
        Ok(())
    }

    /// The last lines that it wrote.
    pub fn log_tail(&self) -> String {
        let text = fs::read(log_file(&self.dir)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.stop().is_err() {
            // It had its time.
            let _ = self.kill();
        }
    }
}

fn signal(child: &Child, signal: Signal) -> io::Result<()> {
    match kill(Pid::from_raw(child.id().cast_signed()), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn launch(program: &Path, dir: &Path, options: &[String]) -> Result<Child, DaemonError> {
    let log = File::options().create(true).append(true).open(log_file(dir))?;
    let mut command = bound::command(program, Signal::SIGTERM);
    command.arg("run").args(options);
    for name in ["PEBBLE_SOCKET", "PEBBLE_COPY_ONCE", "PEBBLE_PERSIST", "PEBBLE_VERBOSE"] {
        command.env_remove(name);
    }
    // Pebble's own variable of that name is its directory.
    command.env("PEBBLE", dir);
    // A real one does not know this variable.
    command.env(FAULTS_VARIABLE, faults_socket(dir));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(bound::spawn(command)?)
}

/// Beside the directory, which the real Pebble wants to itself.
fn faults_socket(dir: &Path) -> PathBuf {
    dir.with_extension("faults")
}

fn log_file(dir: &Path) -> PathBuf {
    dir.with_extension("log")
}

/// How long it may take to start, or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

const GLANCE: Duration = Duration::from_millis(1);
