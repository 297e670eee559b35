//! Children that do not outlive this process, in whatever way it ends.
//!
//! The kernel tells a child of the end of the thread that started it, so one thread starts them all and
//! lives as long as the process.

use std::io;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::sync::LazyLock;
use std::sync::Mutex;
use std::sync::mpsc;
use std::sync::mpsc::Sender;
use std::thread;

use nix::sys::signal::Signal;

use crate::lock::lock;

/// A command that runs the program, which gets that signal when this process has ended. `spawn` here
/// has to start it.
pub fn command(program: &Path, signal: Signal) -> Command {
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--pdeathsig", signal.as_str(), "--"]).arg(program);
    command
}

/// Starts such a command.
pub fn spawn(command: Command) -> io::Result<Child> {
    let (reply, started) = mpsc::channel();
    let sent = lock(&STARTER).send((command, reply));
    sent.map_err(io::Error::other)?;
    started.recv().map_err(io::Error::other)?
}

type Order = (Command, Sender<io::Result<Child>>);

static STARTER: LazyLock<Mutex<Sender<Order>>> = LazyLock::new(|| {
    let (sender, orders) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for (mut command, reply) in orders {
            // Whoever asked waits for it.
            let _ = reply.send(command.spawn());
        }
    });
    Mutex::new(sender)
});
