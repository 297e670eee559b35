//! Kubernetes and whole models on one machine: real pods, real hooks, real faults.

#[cfg(test)]
mod cluster;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod faults;
#[cfg(test)]
#[path = "../left/mod.rs"]
mod left;
#[cfg(test)]
mod pods;
#[cfg(test)]
mod python;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod scaling;
#[cfg(test)]
mod stage;
