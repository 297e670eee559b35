//! Protocols: Juju's hook tools, Redis and Sentinel, Pebble, Kubernetes, the files of the pod. Nothing
//! here knows what this charm is for.

pub mod accounts;
pub mod dump;
pub mod files;
pub mod hook_tools;
pub mod json;
pub mod kubernetes;
pub mod masking;
pub mod names;
pub mod parallel;
pub mod pebble;
pub mod process;
pub mod redis;
pub mod volume;
