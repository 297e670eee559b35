//! Kubernetes on one machine, as far as a charm meets it: a StatefulSet whose pods roll, scale and come
//! back, and the kubelet that starts, probes, restarts and stops their containers.

pub mod agents;
pub mod api;
pub mod cluster;

mod back_off;
mod kubelet;
mod probes;
mod state;
mod statefulset;
