//! The daemon's own output.

use std::io;
use std::io::Write;

use crate::pebble::clock;

/// A line about what the daemon does.
pub(crate) fn note(text: &str) {
    let line = format!("{} [pebble] {text}\n", clock::log_stamp(clock::now()));
    // There is nowhere to complain to when standard error is gone.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// A service's output, which has its times already.
pub(crate) fn pass_on(output: &[u8]) {
    let mut out = io::stdout();
    let _ = out.write_all(output).and_then(|()| out.flush());
}
