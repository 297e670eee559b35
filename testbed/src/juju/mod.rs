//! A miniature of a Juju controller and of the unit agents below it.
//!
//! A test builds a [`model::Model`], hands it to a [`controller::Controller`] and runs hooks with
//! it: each run is a real process with Juju's environment, and each hook tool it calls is a real
//! process too, answered from the model. Nothing here knows the charm.

pub mod action;
mod agent;
mod bag;
mod base64;
pub mod clock;
pub mod cloud;
mod commit;
mod context;
pub mod controller;
pub mod error;
mod files;
mod flags;
pub mod frame;
pub mod hook;
pub mod model;
mod names;
pub(crate) mod output;
mod ports;
mod process;
pub mod run;
mod scalar;
mod secrets;
mod server;
mod tools;
mod world;
mod yaml;

#[cfg(test)]
mod tests;
