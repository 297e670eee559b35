//! What can go wrong with the bed itself, as opposed to the hook that it runs.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::error::BedError;

/// A failure of the bed, or a wait that ended without what it waited for.
#[derive(Debug, Error)]
pub enum Error {
    /// A file or directory of the bed is not to be had.
    #[error("cannot use {}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The hook's program did not start.
    #[error("cannot start {program} for {hook}")]
    Start {
        /// The program.
        program: String,
        /// Unit and hook.
        hook: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Hooks of one unit run one after the other.
    #[error("cannot start {hook}: {unit} is running a hook")]
    Busy {
        /// The unit.
        unit: String,
        /// The hook that was to start.
        hook: String,
    },
    /// The model has no such unit.
    #[error("cannot find unit {unit}")]
    NoSuchUnit {
        /// The unit.
        unit: String,
    },
    /// The unit has no such relation.
    #[error("cannot find relation {relation} of {unit}")]
    NoSuchRelation {
        /// The relation's number.
        relation: u32,
        /// The unit.
        unit: String,
    },
    /// A signal was not delivered.
    #[error("cannot signal the processes of {hook}")]
    Signal {
        /// Unit and hook.
        hook: String,
        /// What the system says.
        #[source]
        source: nix::Error,
    },
    /// The program of the hook tools was neither found nor built.
    #[error("cannot have the hook tools")]
    Tools(#[source] BedError),
    /// Something did not happen in time; what the hook did so far is in the text.
    #[error("{what} did not happen within {limit:?}; {seen}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// Calls and output so far.
        seen: String,
    },
    /// The folder holds no charm.
    #[error("cannot read a charm in {}: {reason}", folder.display())]
    NotACharm {
        /// Which folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The model has such an application.
    #[error("cannot deploy {application}: it is there already")]
    Exists {
        /// The application.
        application: String,
    },
    /// The two are related already, or not yet apart.
    #[error("cannot integrate {one} with {other}: there is such a relation already")]
    Related {
        /// One side.
        one: String,
        /// The other.
        other: String,
    },
    /// No such application was deployed.
    #[error("cannot find application {application}: deploy it first")]
    NoSuchApplication {
        /// The application.
        application: String,
    },
    /// The application has no such endpoint.
    #[error("cannot find endpoint {endpoint}")]
    NoSuchEndpoint {
        /// `application:endpoint`.
        endpoint: String,
    },
    /// The charm has no such option, or not of that type.
    #[error("cannot set option {option} of {application} to {value:?}: see its config.yaml")]
    UnfitOption {
        /// The option.
        option: String,
        /// What it was to be.
        value: String,
        /// The application.
        application: String,
    },
    /// The action is not to be run so.
    #[error("cannot run {action} on {unit}: {reason}")]
    UnfitAction {
        /// The action.
        action: String,
        /// The unit.
        unit: String,
        /// Why not.
        reason: String,
    },
    /// No hook of the unit has failed.
    #[error("cannot resolve {unit}: no hook of it has failed")]
    NotFailed {
        /// The unit.
        unit: String,
    },
}
