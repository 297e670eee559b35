//! A miniature of a Juju controller and of the unit agents below it.
//!
//! A test builds a [`model::Model`], hands it to a [`controller::Controller`] and runs hooks with
//! it: each run is a real process with Juju's environment, and each hook tool it calls is a real
//! process too, answered from the model. Nothing here knows the charm.

pub mod action;
mod actions;
mod agent;
mod applications;
mod bag;
mod base64;
mod chance;
mod charm;
pub mod clock;
pub mod cloud;
mod commit;
mod context;
pub mod controller;
mod core;
mod deployment;
mod environment;
pub mod error;
pub mod faults;
mod files;
mod flags;
pub mod frame;
pub mod hook;
mod keeper;
mod launch;
mod leases;
pub mod model;
mod names;
pub mod operator;
pub(crate) mod output;
mod packed;
mod pods;
mod ports;
mod process;
pub mod requests;
pub mod run;
mod scalar;
mod secrets;
mod server;
pub mod switches;
mod tools;
mod uniter;
mod versions;
mod world;
mod yaml;

#[cfg(test)]
mod tests;
