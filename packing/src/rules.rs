//! What Juju demands of a charm's YAML files, and what keeps a refresh of an older charm accepted.
//!
//! Source: juju/charm v12 and Juju 3.6, `state/application.go` and `apiserver/facades/client`.

pub mod actions;
pub mod assumes;
pub mod config;
pub mod endpoints;
pub mod manifest;
pub mod metadata;
pub mod predecessor;
pub mod workload;
