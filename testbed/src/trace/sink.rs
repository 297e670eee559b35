//! Where the entries of a run come together, from many threads.

use std::io;
use std::io::Write;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use super::entry::Entry;
use super::entry::What;
use super::mask::Secrets;

use crate::lock::lock;

/// The trace of one run. Clones are handles of the same one; whoever reads it sees no secret.
#[derive(Clone, Debug)]
pub struct Sink {
    began: Instant,
    held: Arc<(Mutex<Held>, Condvar)>,
}

#[derive(Debug, Default)]
struct Held {
    entries: Vec<Entry>,
    secrets: Secrets,
}

impl Sink {
    /// An empty trace, whose time begins now.
    pub fn new() -> Self {
        Self { began: Instant::now(), held: Arc::default() }
    }

    /// Notes what has just happened.
    pub fn push(&self, what: What) {
        let (mutex, changed) = &*self.held;
        let mut held = lock(mutex);
        // Under the lock: the order of the entries is that of their times.
        let at = self.began.elapsed();
        held.secrets.learn_from(&what);
        held.entries.push(Entry { at, what });
        changed.notify_all();
    }

    /// Says that a value is secret, wherever it turns up: a secret's content, the result of an action.
    pub fn learn(&self, secret: &str) {
        lock(&self.held.0).secrets.learn(secret);
    }

    /// A text without the secrets known so far.
    pub fn mask(&self, text: &str) -> String {
        lock(&self.held.0).secrets.mask(text)
    }

    /// How long the run has lasted.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        lock(&self.held.0).entries.len()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All entries.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries_from(0)
    }

    /// The entries without the first `start` ones.
    pub fn entries_from(&self, start: usize) -> Vec<Entry> {
        let held = lock(&self.held.0);
        let masked = |entry: &Entry| Entry { at: entry.at, what: held.secrets.masked(&entry.what) };
        held.entries.iter().skip(start).map(masked).collect()
    }

    /// Waits until there are more than `start` entries, or until the time is up; gives those beyond.
    pub fn wait_beyond(&self, start: usize, limit: Duration) -> Vec<Entry> {
        let (mutex, changed) = &*self.held;
        let still_none = |held: &mut Held| held.entries.len() <= start;
        // Whether it timed out is seen by what there is.
        drop(changed.wait_timeout_while(lock(mutex), limit, still_none));
        self.entries_from(start)
    }

    /// Writes all entries, one JSON object a line.
    pub fn write_json_lines(&self, to: &mut impl Write) -> io::Result<()> {
        for entry in self.entries() {
            serde_json::to_writer(&mut *to, &entry)?;
            to.write_all(b"\n")?;
        }
        to.flush()
    }
}

impl Default for Sink {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::Sink;
    use super::What;
    use crate::trace::entry::Entry;

    fn note(text: &str) -> What {
        What::Operator { command: text.to_owned() }
    }

    #[test]
    fn the_entries_of_many_threads_are_kept_in_the_order_of_their_times() {
        let sink = Sink::new();
        thread::scope(|scope| {
            for thread in 0..8 {
                let sink = sink.clone();
                scope.spawn(move || {
                    (0..100).for_each(|number| sink.push(note(&format!("{thread} {number}"))));
                });
            }
        });
        let entries = sink.entries();
        assert_eq!(entries.len(), 800);
        assert!(entries.is_sorted_by_key(|entry| entry.at));
    }

    #[test]
    fn a_secret_that_is_learned_late_is_masked_in_what_came_before() {
        let sink = Sink::new();
        sink.push(note("run app/0 get-password correct-horse"));
        sink.learn("correct-horse");
        let mut written = Vec::new();
        sink.write_json_lines(&mut written).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert!(!written.contains("correct-horse"), "{written}");
        let entry: Entry = serde_json::from_str(&written).unwrap();
        assert_eq!(entry.what, note("run app/0 get-password ***"));
    }

    #[test]
    fn a_reader_that_waits_gets_what_comes() {
        let sink = Sink::new();
        let reader = thread::spawn({
            let sink = sink.clone();
            move || sink.wait_beyond(0, Duration::from_mins(1))
        });
        sink.push(note("status"));
        assert_eq!(reader.join().unwrap()[0].what, note("status"));
    }
}
