//! Juju on one machine.
pub mod pebble;
