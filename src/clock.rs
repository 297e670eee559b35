//! Time: what is left of a run, and every wait. The only file that reads a clock or sleeps.
#![expect(clippy::disallowed_methods, reason = "this is the file that time is read in")]

use std::io;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use signal_hook::consts::SIGCHLD;
use signal_hook::consts::SIGTERM;
use signal_hook::flag;
use signal_hook::low_level::pipe;

/// What is left of a run's time. Copied down the calls; it only shrinks, and SIGTERM ends it.
#[derive(Clone, Debug)]
pub struct Budget {
    end: Instant,
    end_of_all: Instant,
    terminated: Arc<AtomicBool>,
    terminated_at: Arc<OnceLock<Instant>>,
    outlives_termination: bool,
}

impl Budget {
    /// Starts the clock, and listens for SIGTERM from now on: Juju sends it to the hook and to the
    /// hook tool that it waits for when the pod stops.
    pub fn start(total: Duration) -> io::Result<Self> {
        let terminated = Arc::new(AtomicBool::new(false));
        flag::register(SIGTERM, Arc::clone(&terminated))?;
        let end = Instant::now() + total;
        let terminated_at = Arc::default();
        let outlives_termination = false;
        Ok(Self { end, end_of_all: end, terminated, terminated_at, outlives_termination })
    }

    /// The time that one step may take, in a process to which SIGTERM is a fact and cuts no budget.
    pub fn of(limit: Duration) -> Self {
        let end = Instant::now() + limit;
        Self {
            end,
            end_of_all: end,
            terminated: Arc::default(),
            terminated_at: Arc::default(),
            outlives_termination: true,
        }
    }

    /// What is left; `None` once it is spent (a socket's time-out must not be zero) or cut by SIGTERM.
    pub fn left(&self) -> Option<Duration> {
        let end = match self.termination() {
            None => self.end,
            Some(_) if !self.outlives_termination => return None,
            Some(at) => self.end.min(at + AFTER_TERMINATION),
        };
        end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// A part of this budget: what is left, but no more than `limit`.
    #[must_use]
    pub fn at_most(&self, limit: Duration) -> Self {
        Self { end: self.end.min(Instant::now() + limit), ..self.clone() }
    }

    /// This budget without its last `reserve`.
    #[must_use]
    pub fn keeping_back(&self, reserve: Duration) -> Self {
        Self { end: self.end.checked_sub(reserve).unwrap_or(self.end), ..self.clone() }
    }

    /// The budget of the commit, and of what must be put back: what is left of the whole run,
    /// whatever part of it this is; also after SIGTERM, and then `AFTER_TERMINATION` at most.
    #[must_use]
    pub fn for_commit(&self) -> Self {
        Self { end: self.end_of_all, outlives_termination: true, ..self.clone() }
    }

    /// True from SIGTERM on: nothing new is begun but the commit.
    pub fn is_terminated(&self) -> bool {
        self.termination().is_some()
    }

    /// When SIGTERM was first noticed.
    fn termination(&self) -> Option<Instant> {
        let noticed = self.terminated.load(Ordering::Relaxed);
        noticed.then(|| *self.terminated_at.get_or_init(Instant::now))
    }

    /// Waits for a message; `None` when the budget is spent or nobody can send any more.
    pub fn receive<T>(&self, messages: &Receiver<T>) -> Option<T> {
        loop {
            let slice = self.left()?.min(TERMINATION_IS_SEEN_WITHIN);
            match messages.recv_timeout(slice) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Asks again and again, first after 50 µs and at last each 20 ms, until there is an answer or
    /// the budget is spent. It asks at least once.
    pub fn wait_for<T>(&self, mut check: impl FnMut() -> Option<T>) -> Option<T> {
        let mut pause = Duration::from_micros(50);
        loop {
            if let Some(found) = check() {
                return Some(found);
            }
            thread::sleep(self.left()?.min(pause));
            pause = (pause * 2).min(TERMINATION_IS_SEEN_WITHIN);
        }
    }

    /// Lets `pause` pass, or what is left of the budget; false when nothing is left.
    pub fn pause(&self, pause: Duration) -> bool {
        let rest = self.at_most(pause);
        rest.wait_for(|| None::<()>);
        self.left().is_some()
    }
}

/// The clock of a process that lives on: to it SIGTERM is a fact, and cuts no budget.
pub struct Watch {
    start: Instant,
    terminated: Arc<AtomicBool>,
    bell: UnixStream,
}

impl Watch {
    /// Starts the clock, and listens for SIGTERM and for the end of children from now on.
    pub fn start() -> io::Result<Self> {
        let terminated = Arc::new(AtomicBool::new(false));
        flag::register(SIGTERM, Arc::clone(&terminated))?;
        let (bell, ringer) = UnixStream::pair()?;
        // After the flag, so that who is woken finds it set.
        pipe::register(SIGTERM, ringer.try_clone()?)?;
        pipe::register(SIGCHLD, ringer)?;
        Ok(Self { start: Instant::now(), terminated, bell })
    }

    /// The time since the start.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// True from SIGTERM on.
    pub fn is_terminated(&self) -> bool {
        self.terminated.load(Ordering::Relaxed)
    }

    /// The time that one step may take.
    pub fn budget(&self, limit: Duration) -> Budget {
        Budget::of(limit)
    }

    /// Lets `pause` pass; SIGTERM and the end of a child cut it short.
    pub fn rest(&self, pause: Duration) {
        let limit = Some(pause.max(Duration::from_millis(1)));
        let mut bells = [0; 16];
        // A time-out is what is expected; any other fault must not make a loop of no pauses.
        if self.bell.set_read_timeout(limit).is_err() {
            thread::sleep(pause);
            return;
        }
        let _ = (&self.bell).read(&mut bells);
    }
}

/// Wall time in whole seconds since 1970; before that it counts as 0.
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// How late a SIGTERM may be noticed in a wait.
const TERMINATION_IS_SEEN_WITHIN: Duration = Duration::from_millis(20);

/// What the commit may take after SIGTERM: the run promises to end within a second of it.
const AFTER_TERMINATION: Duration = Duration::from_millis(800);
