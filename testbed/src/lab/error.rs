//! What can go wrong in a lab, as opposed to in the charm that runs in it.

use std::path::PathBuf;

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
    /// No such container runs.
    #[error("cannot find container {container} of {unit}: it does not run, or the charm has none")]
    NoContainer {
        /// The unit.
        unit: String,
        /// The container.
        container: String,
    },
    /// No volume is there.
    #[error(
        "cannot find storage {storage} of {unit}: its charm has none of that name, or no pod had it yet"
    )]
    NoStorage {
        /// The unit.
        unit: String,
        /// The storage.
        storage: String,
    },
    /// No such process runs.
    #[error("cannot find a process {name} in container {container}: see what runs there with ps")]
    NoProcess {
        /// The container and its pod.
        container: String,
        /// The program's name.
        name: String,
    },
    /// Not the name of a unit.
    #[error("cannot take {name:?} for a unit: it has to be an application and a number, app/0")]
    NoUnitName {
        /// What was given.
        name: String,
    },
    /// No snapshot was taken under that name.
    #[error("cannot find snapshot {name}: take it first")]
    NoSnapshot {
        /// The name.
        name: String,
    },
    /// Not a charm's folder.
    #[error("cannot find the folder {}: it has to be that of an unpacked charm (unzip a .charm)", path.display())]
    NoFolder {
        /// What was given.
        path: PathBuf,
    },
    /// No such application.
    #[error("cannot find application {name}: deploy it first")]
    NoApplication {
        /// The name.
        name: String,
    },
    /// No such unit.
    #[error("cannot find unit {name}: see status for those that there are")]
    NoUnit {
        /// The name.
        name: String,
    },
    /// No endpoints of the two fit.
    #[error("cannot integrate {one} with {other}: no provider and requirer of one interface")]
    NoFit {
        /// One side, as given.
        one: String,
        /// The other.
        other: String,
    },
    /// More than one pair of endpoints fits.
    #[error("cannot integrate {one} with {other}: name the endpoints, as one of {pairs}")]
    Ambiguous {
        /// One side, as given.
        one: String,
        /// The other.
        other: String,
        /// What fits.
        pairs: String,
    },
    /// No such relation.
    #[error("cannot find a relation of {one} with {other}")]
    NoRelation {
        /// One side, as given.
        one: String,
        /// The other.
        other: String,
    },
    /// A switch is not, or cannot be so.
    #[error("cannot set switch {name}: {reason}")]
    NoSwitch {
        /// The switch.
        name: String,
        /// Why not.
        reason: String,
    },
}
