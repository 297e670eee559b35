//! A process with its own group, its output caught and its end noticed by threads.

use std::io;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use nix::sys::signal;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::lock::lock;

/// A process group with its leader's output.
#[derive(Debug)]
pub(crate) struct Process {
    group: i32,
    started: Instant,
    end: Arc<End>,
    stdout: Stream,
    stderr: Stream,
}

#[derive(Debug, Default)]
struct End {
    status: Mutex<Option<(ExitStatus, Instant)>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

impl Process {
    /// Starts the program as leader of a new process group, with nothing on standard input.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0);
        let started = Instant::now();
        let mut child = command.spawn()?;
        let group = i32::try_from(child.id()).map_err(io::Error::other)?;
        let stdout = Stream::of(child.stdout.take());
        let stderr = Stream::of(child.stderr.take());
        let end = Arc::new(End::default());
        let noticed = Arc::clone(&end);
        thread::spawn(move || {
            if let Ok(status) = child.wait() {
                *lock(&noticed.status) = Some((status, Instant::now()));
                noticed.changed.notify_all();
            }
        });
        Ok(Self { group, started, end, stdout, stderr })
    }

    /// The process group, which is the leader's process id too.
    pub(crate) fn group(&self) -> i32 {
        self.group
    }

    /// Waits for the leader to end.
    pub(crate) fn wait(&self, limit: Duration) -> Option<ExitStatus> {
        let status = lock(&self.end.status);
        let waited = self.end.changed.wait_timeout_while(status, limit, |status| status.is_none());
        let (status, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        status.map(|(status, _)| status)
    }

    /// How long the leader ran, or has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        let end = lock(&self.end.status).map_or_else(Instant::now, |(_, end)| end);
        end.duration_since(self.started)
    }

    /// Signals the group, unless its leader has ended.
    pub(crate) fn signal(&self, signal: Signal) -> nix::Result<()> {
        if lock(&self.end.status).is_some() {
            return Ok(());
        }
        signal_group(self.group, signal)
    }

    /// Standard output and error so far. After the end, gives what is left in them the short
    /// while that Juju gives it.
    pub(crate) fn output(&self) -> (Vec<u8>, Vec<u8>) {
        if lock(&self.end.status).is_some() {
            self.stdout.settle();
            self.stderr.settle();
        }
        (lock(&self.stdout.bytes).clone(), lock(&self.stderr.bytes).clone())
    }
}

impl Stream {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (sender, closed) = mpsc::channel();
        let filled = Arc::clone(&bytes);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            let Some(mut pipe) = pipe else { return };
            while let Ok(size @ 1..) = pipe.read(&mut chunk) {
                lock(&filled).extend(chunk.iter().take(size));
            }
            // The hook may have been given up meanwhile.
            let _ = sender.send(());
        });
        Self { bytes, closed }
    }

    fn settle(&self) {
        // A child that outlived the hook may hold the pipe open; then what there is counts.
        let _ = self.closed.recv_timeout(LAST_OUTPUT);
    }
}

/// Sends a signal to all processes of a group.
pub(crate) fn signal_group(group: i32, signal: Signal) -> nix::Result<()> {
    match signal::killpg(Pid::from_raw(group), signal) {
        Err(nix::Error::ESRCH) => Ok(()),
        result => result,
    }
}

/// How long Juju waits for output after the end of a hook.
const LAST_OUTPUT: Duration = Duration::from_millis(100);
