//! What can go wrong in a lab, as opposed to in the charm that runs in it.

use thiserror::Error;

use crate::error::BedError;
use crate::juju;
use crate::wait::TimedOut;

/// Why the lab could not do what it was told.
#[derive(Debug, Error)]
pub enum LabError {
    /// The pods below.
    #[error(transparent)]
    Bed(#[from] BedError),
    /// The controller refused, or could not do it.
    #[error(transparent)]
    Juju(#[from] juju::error::Error),
    /// Something that was waited for never happened.
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
    /// No pod of that unit is there.
    #[error("cannot find the pod of {unit}: it is not made yet, or gone")]
    NoPod {
        /// The unit.
        unit: String,
    },
    /// Not there yet.
    #[error("cannot {0} yet")]
    Unsupported(&'static str),
}
