//! A Pebble for the test bed: a daemon with the command line, files and API of the real one, as far
//! as a charm and its workload can see, and with faults that the real one cannot give.
//!
//! It answers from its own state and shares no code with the charm. README.md in this folder says how
//! to run it and what it leaves out.
#![deny(unsafe_code)]

mod accounts;
mod api;
pub mod bound;
mod checks;
pub mod client;
mod clock;
pub mod command;
pub mod daemon;
mod exec;
mod faults;
mod files;
mod journal;
mod logs;
pub(crate) mod plan;
mod process;
mod quote;
mod run;
pub(crate) mod serve;
mod services;
mod shared;
mod start;
mod state;
mod tasks;
pub(crate) mod yaml;

/// The Pebble that this one stands for.
pub const VERSION: &str = "v1.26.0";
