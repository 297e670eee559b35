//! A thread that looks at a lab again and again, for what nobody tells of by itself.

use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use super::Lab;
use crate::lock::lock;

/// Looks for as long as both it and the lab last.
#[derive(Debug)]
pub(crate) struct Watcher {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Looks at once, and again after each pause.
    pub(crate) fn start(
        lab: &Arc<Lab>,
        pause: Duration,
        mut look: impl FnMut(&Lab) + Send + 'static,
    ) -> Self {
        let stop: Arc<(Mutex<bool>, Condvar)> = Arc::default();
        let thread = thread::spawn({
            let (lab, stop) = (Arc::downgrade(lab), Arc::clone(&stop));
            move || {
                while let Some(lab) = lab.upgrade() {
                    look(&lab);
                    // Not held while it waits: a lab ends with its last user.
                    drop(lab);
                    let waited = stop.1.wait_timeout_while(lock(&stop.0), pause, |stop| !*stop);
                    // A lock whose holder panicked would still guard a plain flag.
                    if waited.map_or(true, |(stop, _)| *stop) {
                        return;
                    }
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        *lock(&self.stop.0) = true;
        self.stop.1.notify_all();
        // The last user of a lab may be the watcher itself.
        let thread = self.thread.take().filter(|it| it.thread().id() != thread::current().id());
        if let Some(thread) = thread {
            // It has nothing to say that it has not told already.
            let _ = thread.join();
        }
    }
}
