//! The operator's shell: a model on this machine, by the commands that a user of Juju knows.
//!
//! A line becomes a [`command::Command`], and a [`session::Session`] carries it out on a lab. Lines
//! come from a terminal or from a file of commands.

mod ask;
pub mod command;
pub mod complete;
pub mod error;
pub mod fault;
pub mod help;
pub mod line;
pub mod log;
mod own_charm;
mod perform;
pub mod play;
pub mod roles;
pub mod session;
pub mod status;
mod table;
pub mod terminal;
pub mod value;
