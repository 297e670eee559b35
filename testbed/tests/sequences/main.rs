//! Which hook runs when: the sequences of events that Juju gives a charm, for one that only records
//! them.
//!
//! Units run on the machine itself, each with a real Pebble for its container; hooks and their tools
//! are real processes.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

mod charm;
mod cloud;
mod deploy;
mod failures;
mod leaving;
mod restarts;
mod stage;
mod telling;
