//! One connection to a Pebble's socket: every step within the budget, and cut short by SIGTERM.

use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::clock::Budget;

/// A stream whose reads and writes end with the budget, as `ErrorKind::TimedOut`.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: UnixStream,
    budget: Budget,
}

impl Socket {
    /// Connects.
    ///
    /// On a thread of its own, which is left behind at the deadline: the standard library knows no
    /// limit for it, and a frozen Pebble takes no connection once its queue is full.
    pub(crate) fn connect(path: &Path, budget: &Budget) -> io::Result<Self> {
        let path = path.to_owned();
        let (sender, connected) = mpsc::channel();
        // Nobody listens any more once the deadline has passed.
        thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || drop(sender.send(UnixStream::connect(path))))?;
        let stream = budget.receive(&connected).ok_or(ErrorKind::TimedOut)??;
        Ok(Self { stream, budget: budget.clone() })
    }

    /// From now on within this budget.
    pub(crate) fn set_budget(&mut self, budget: &Budget) {
        self.budget = budget.clone();
    }

    /// The same connection once more.
    pub(crate) fn share(&self) -> io::Result<Self> {
        Ok(Self { stream: self.stream.try_clone()?, budget: self.budget.clone() })
    }

    /// Ends what anybody reads from it or writes to it.
    pub(crate) fn hang_up(&self) {
        // It may be closed already.
        drop(self.stream.shutdown(Shutdown::Both));
    }

    /// Whether it is open and nothing has come that was not asked for.
    pub(crate) fn is_silent(&mut self) -> bool {
        let looked = self.stream.set_nonblocking(true).and_then(|()| self.stream.read(&mut [0]));
        let silent = looked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        silent && self.stream.set_nonblocking(false).is_ok()
    }

    /// Tries in slices: a SIGTERM ends the budget whichever thread it interrupts.
    fn within_budget<T>(
        &mut self,
        mut attempt: impl FnMut(&mut UnixStream, Duration) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            let left = self.budget.left().ok_or(ErrorKind::TimedOut)?;
            match attempt(&mut self.stream, left.min(SLICE)) {
                Err(error) if is_pause(&error) => {}
                ended => return ended,
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.within_budget(|stream, slice| {
            stream.set_read_timeout(Some(slice))?;
            stream.read(buffer)
        })
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.within_budget(|stream, slice| {
            stream.set_write_timeout(Some(slice))?;
            stream.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// How late the end of the budget may be noticed.
const SLICE: Duration = Duration::from_millis(50);

/// In bytes; connecting needs next to nothing.
const STACK: usize = 64 * 1024;
