//! Why a command of the shell was not carried out.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::error::BedError;
use crate::lab::error::LabError;

/// What the operator is told.
#[derive(Debug, Error)]
pub enum ShellError {
    /// The line is no command; the text says what is expected.
    #[error("{0}")]
    Usage(String),
    /// A quote has no end.
    #[error("a quote is not closed, or a backslash ends the line")]
    Unclosed,
    /// There is no such thing to explain.
    #[error("there is no command `{0}`; `help` lists them all")]
    NoCommand(String),
    /// The model refused, or could not do it.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// A program of the bed is not there.
    #[error(transparent)]
    Bed(#[from] BedError),
    /// The model has no application of that name.
    #[error("there is no application `{0}` in this model")]
    NoApplication(String),
    /// The application has no unit of that name, or no leader.
    #[error("there is no unit `{0}` in this model")]
    NoUnit(String),
    /// The application has no such option.
    #[error("application `{application}` has no option `{option}`")]
    NoOption {
        /// The application.
        application: String,
        /// The option.
        option: String,
    },
    /// The application's charm declares no such resource.
    #[error("application `{application}` has no resource `{resource}`")]
    NoResource {
        /// The application.
        application: String,
        /// The resource.
        resource: String,
    },
    /// No charm is there.
    #[error("cannot find a charm in {}: expected the folder of an unpacked charm, with metadata.yaml or charmcraft.yaml and dispatch; `deploy` alone takes this project's own", .0.display())]
    NoCharm(PathBuf),
    /// This project's own charm is not built.
    #[error("cannot find this project's own charm: {0}")]
    NoOwnCharm(String),
    /// An action or a command ended badly.
    #[error("{0}")]
    Failed(String),
    /// The operator has had enough of it.
    #[error("interrupted")]
    Interrupted,
    /// What was waited for did not happen.
    #[error("never happened within {limit:?}: {what}; `status` and `debug-log` may tell why")]
    Late {
        /// What it was.
        what: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// A file could not be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What the shell writes is not taken any more.
    #[error("cannot write to the terminal")]
    Output(#[from] io::Error),
}
