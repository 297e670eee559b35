//! The operator's shell and what it looks with, over real pods.

#[cfg(test)]
mod files;
#[cfg(test)]
mod model;
#[cfg(test)]
mod own_charm;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod sentinels;
