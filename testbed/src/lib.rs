//! Juju on one machine.

mod ground;
mod image;
mod processes;
mod server;

pub mod answers;
pub mod bed;
pub mod certificate;
pub mod dns;
pub mod error;
pub mod juju;
pub mod kubernetes;
pub mod lab;
pub mod layout;
pub mod names;
pub mod network;
pub mod odd_server;
pub mod pebble;
pub mod pod;
pub mod programs;
pub mod redis_config;
pub mod redis_pod;
pub mod sampler;
pub mod sentinel_config;
pub mod shell;
pub mod trace;
pub mod transcript;
pub mod volume;
pub mod wait;
pub mod writer;

/// What the README shows in Rust has to compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
