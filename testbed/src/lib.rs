//! Juju on one machine.
