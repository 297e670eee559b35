//! The check bites: a good charm passes, and each thing that can go wrong is refused by name.
//!
//! The modules are marked as tests so that their helpers too may unwrap.

#[cfg(test)]
mod archive;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod config_and_actions;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod project;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod sample;
