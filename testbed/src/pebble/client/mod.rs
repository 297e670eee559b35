//! The other side of the API, for the commands of `pebble` and for tests. It waits in place: no runtime.

pub(crate) mod commands;
pub mod http;
mod logs;
