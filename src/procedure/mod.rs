//! Sequences whose next step depends on what the last one brought: pure state machines, driven by
//! `act/procedure.rs`. They read no clock and send nothing.

pub mod forget_units;
