//! Redis and Sentinel: what they answer, and pods in which the test bed itself runs them.
//!
//! Nothing that plays Juju or Kubernetes knows of it.

pub(crate) mod client;
pub(crate) mod service;
pub(crate) mod whole;

pub mod answers;
pub mod certificate;
pub mod odd_server;
pub mod pod;
pub mod redis_config;
pub mod sampler;
pub mod sentinel_config;
pub mod server;
