//! The cluster's name server: a real one, asked by the pods over UDP and TCP, that can be slow, late
//! or silent.
//!
//! It is the program `dns-server`, run in the network of a bed's hub (`server`). The bed tells it
//! which names there are and what it does wrong (`zone`); what it says to a question is decided in
//! `records` and `answer`, without a clock or a socket; `serve` has both.

pub mod server;
pub mod zone;

mod answer;
mod records;
pub(crate) mod serve;
