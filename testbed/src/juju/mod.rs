//! A miniature of a Juju controller and of the unit agents below it.
//!
//! Hooks are real processes with Juju's environment, and each hook tool that they call is a real
//! process too, answered from a [`model::Model`]. Nothing here knows the charm. There are two ways to
//! use it:
//!
//! - A test says itself which hook runs: it hands a model to a [`controller::Controller`] and calls
//!   `start`.
//! - An application is deployed to something that plays Kubernetes ([`cloud::Cloud`]): `connect`,
//!   then what an operator does (`deploy`, `scale`, `refresh`, `run_action`, ..). Kubernetes tells of
//!   its pods (`pod_started`, `pod_terminating`, ..), and an agent for each unit decides which hook
//!   runs when. [`switches::Switches`] says which Juju it is, and `strike_hook`, `lose_leadership`,
//!   `set_away` and their like what goes wrong.

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
