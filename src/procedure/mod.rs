//! Sequences whose next step depends on what the last one brought: pure state machines, driven by
//! `act/procedure.rs` and by the keeper. They read no clock and send nothing.

pub mod ask_failover;
pub mod forget_units;
pub mod switchover;
