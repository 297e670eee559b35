//! Packs the charm into a `.charm` file, and checks any packed charm.
//!
//! charmcraft packs without looking: a container with a missing resource, an option of an unknown
//! type or a charm without a `dispatch` all go through, and Juju refuses them at the user's. What
//! Juju looks at is therefore looked at here, on the finished file:
//!
//! - [`charm`]: the file itself, read and written
//! - [`binary`]: what the `dispatch` in it needs of the machine
//! - [`rules`]: what Juju demands of the YAML files, and what a refresh from the earlier charm does
//! - [`check`]: all of it over one charm
//! - [`pack`]: a charm of a source tree and a built binary
//!
//! Nothing here knows the charm's code, and nothing here is shipped.

use std::error::Error;
use std::io;
use std::io::Write;
use std::process::ExitCode;

pub mod binary;
pub mod charm;
pub mod check;
pub mod pack;
pub mod place;
pub mod rules;

/// Ends a program: its exit code, or what stopped it, told on stderr with each cause.
pub fn ended(outcome: Result<ExitCode, Box<dyn Error>>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        // Where stderr is closed too there is nobody left to tell.
        writeln!(io::stderr(), "{text}").ok();
        ExitCode::FAILURE
    })
}
