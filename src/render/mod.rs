//! Text of files that the workload containers are given, and layers of their Pebbles. Pure: what is
//! in a file follows from the values that it is rendered from, and nothing here reads or writes.

pub mod file;
pub mod inputs;
pub mod layer;
pub mod places;
mod quoting;
pub mod redis_conf;
pub mod report;
pub mod sentinel_conf;
