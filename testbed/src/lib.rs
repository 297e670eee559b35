//! Juju on one machine.

pub mod juju;
