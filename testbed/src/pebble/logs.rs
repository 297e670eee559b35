//! What a service writes: a ring of the last bytes, in which each line has a time and the service's name.

use jiff::Timestamp;
use std::cell::RefCell;
use std::collections::VecDeque;
use tokio::sync::watch;

use crate::pebble::clock;

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    pub(crate) time: Timestamp,
    pub(crate) stamp: String,
    pub(crate) message: String,
}

/// A service's output, over all of its runs.
pub(crate) struct LogBuffer {
    service: String,
    ring: RefCell<Ring>,
    grown: watch::Sender<u64>,
}

#[derive(Default)]
struct Ring {
    bytes: VecDeque<u8>,
    /// How many were ever written.
    written: u64,
    in_line: bool,
}

impl LogBuffer {
    /// An empty one.
    pub(crate) fn new(service: &str) -> Self {
        let (grown, _) = watch::channel(0);
        Self { service: service.to_owned(), ring: RefCell::default(), grown }
    }

    /// The next output is another process's: it begins with a time, even in mid-line.
    pub(crate) fn begin(&self) {
        self.ring.borrow_mut().in_line = false;
    }

    /// Takes output as it comes. Answers what was stored, with times and names.
    pub(crate) fn write(&self, output: &[u8]) -> Vec<u8> {
        let mut stored = Vec::with_capacity(output.len() + 64);
        {
            let mut ring = self.ring.borrow_mut();
            for piece in output.split_inclusive(|&byte| byte == b'\n') {
                if !ring.in_line {
                    let stamp = clock::log_stamp(clock::now());
                    stored.extend(format!("{stamp} [{}] ", self.service).into_bytes());
                }
                stored.extend_from_slice(piece);
                ring.in_line = !piece.ends_with(b"\n");
            }
            ring.bytes.extend(&stored);
            ring.written += stored.len() as u64;
            let surplus = ring.bytes.len().saturating_sub(CAPACITY);
            ring.bytes.drain(..surplus);
        }
        self.grown.send_modify(|count| *count += 1);
        stored
    }

    /// The lines that are kept, the unfinished last one included.
    pub(crate) fn lines(&self) -> Vec<LogLine> {
        let ring = self.ring.borrow();
        let bytes: Vec<u8> = ring.bytes.iter().copied().collect();
        drop(ring);
        bytes.split_inclusive(|&byte| byte == b'\n').filter_map(|line| self.parsed(line)).collect()
    }

    /// The whole lines from a place on, and the place after them.
    pub(crate) fn lines_from(&self, place: u64) -> (Vec<LogLine>, u64) {
        let ring = self.ring.borrow();
        let oldest = ring.written - ring.bytes.len() as u64;
        let from = place.max(oldest);
        let skip = usize::try_from(from - oldest).unwrap_or(usize::MAX);
        let bytes: Vec<u8> = ring.bytes.iter().skip(skip).copied().collect();
        drop(ring);
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let lines = bytes.get(..whole).unwrap_or_default();
        let found = lines.split_inclusive(|&b| b == b'\n').filter_map(|line| self.parsed(line));
        (found.collect(), from + whole as u64)
    }

    /// Tells when there is more.
    pub(crate) fn growth(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// The last lines as a task's log shows them: twenty whole ones and an unfinished one.
    pub(crate) fn tail(&self) -> String {
        let ring = self.ring.borrow();
        let bytes: Vec<u8> = ring.bytes.iter().copied().collect();
        drop(ring);
        let mut pieces: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
        let unfinished = pieces.last().is_some_and(|piece| !piece.ends_with(b"\n"));
        let surplus = pieces.len().saturating_sub(TAIL_LINES + usize::from(unfinished));
        let cut = surplus > 0;
        pieces.drain(..surplus);
        let mut shown: Vec<String> = cut.then(|| "(...)".to_owned()).into_iter().collect();
        shown.extend(pieces.iter().filter_map(|piece| self.parsed(piece)).map(|line| line.message));
        shown.join("\n")
    }

    fn parsed(&self, line: &[u8]) -> Option<LogLine> {
        let line = String::from_utf8_lossy(line);
        let (stamp, rest) = line.split_once(' ')?;
        let message = rest.strip_prefix(&format!("[{}] ", self.service))?;
        let message = message.strip_suffix('\n').unwrap_or(message);
        let time = clock::parsed(stamp)?;
        Some(LogLine { time, stamp: stamp.to_owned(), message: message.to_owned() })
    }
}

const CAPACITY: usize = 100 * 1024;
const TAIL_LINES: usize = 20;
