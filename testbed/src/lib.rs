//! Juju on one machine.

mod ground;
mod image;
mod lock;
mod processes;

pub mod bed;
pub mod dns;
pub mod error;
pub mod juju;
pub mod kubernetes;
pub mod lab;
pub mod layout;
pub mod names;
pub mod network;
pub mod own_charm;
pub mod pebble;
pub mod pod;
pub mod programs;
pub mod redis;
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
