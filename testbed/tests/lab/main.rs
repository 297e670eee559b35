//! Kubernetes and whole models on one machine: real pods, real hooks, real faults.

#[cfg(test)]
mod cluster;
