//! Servers that answer oddly, for clients that must bear anything.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use crate::error::BedError;
use crate::lock::lock;
use crate::pod::Pod;
use crate::wait;

/// What is odd about a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// It answers everything with an HTTP error.
    Http,
    /// It answers with the first half of a RESP array and closes.
    CutShort,
    /// It accepts and never answers.
    Silent,
    /// It sends a RESP string, one byte every 0.1 s, for ever.
    Drip,
    /// It announces a string of half a gigabyte and sends it as fast as it is read.
    Oversized,
}

impl Oddity {
    /// The word for it on the command line of `odd-server`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::CutShort => "cut-short",
            Self::Silent => "silent",
            Self::Drip => "drip",
            Self::Oversized => "oversized",
        }
    }
}

/// A server that answers oddly; dropped, it ends.
#[derive(Debug)]
pub struct OddServer {
    child: Mutex<Child>,
}

impl OddServer {
    /// Starts it on a free port of a pod; it accepts when this returns.
    pub fn start(pod: &Pod, oddity: Oddity, port: u16) -> Result<Self, BedError> {
        let mut command = pod.own_command("odd-server")?;
        command.args([oddity.word(), &port.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = pod.spawn(&mut command)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        let server = Self { child: Mutex::new(child) };
        if line.is_empty() {
            let state = "did not start: is the port in use?";
            let log = String::new();
            return Err(BedError::Server { server: "the odd server".into(), state, log });
        }
        Ok(server)
    }
}

impl Drop for OddServer {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        // It ends with its stdin, and has given its port back then. One in a frozen pod does not.
        drop(child.stdin.take());
        let ended = || matches!(child.try_wait(), Ok(Some(_)) | Err(_)).then_some(());
        if wait::until("an odd server ends", Duration::from_secs(5), ended).is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
