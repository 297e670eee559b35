//! The operator's shell: a model on this machine, by the commands that a user of Juju knows.

pub mod command;
pub mod error;
pub mod fault;
pub mod help;
pub mod line;
pub mod log;
pub mod roles;
pub mod status;
mod table;
pub mod value;
