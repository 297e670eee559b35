//! What happens in a run, written down as it happens.
//!
//! The controller and the cluster push plain values into a [`sink::Sink`]; the machine's form (JSON
//! lines) and the reader's (a timeline) are made of the same values. Secrets are masked on the way
//! out. Nothing here asks anybody for anything.

pub mod entry;
pub mod mask;
pub mod sink;
pub mod timeline;
