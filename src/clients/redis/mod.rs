//! Redis and Sentinel over the `redis` crate, which is given addresses only.

pub mod commands;
pub mod connection;
pub mod sentinel;
pub mod serving;
mod wire;
