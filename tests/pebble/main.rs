//! The client of Pebble against a running Pebble (the test bed's, or the one that `PEBBLE` names), its
//! faults, and servers that only pretend.
#![expect(clippy::disallowed_methods, reason = "the tests start programs and read files")]

#[cfg(test)]
mod changes;
#[cfg(test)]
mod container;
#[cfg(test)]
mod exec;
#[cfg(test)]
mod files;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod odd_answers;
#[cfg(test)]
mod odd_streams;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reaching;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod server;
#[cfg(test)]
mod services;
