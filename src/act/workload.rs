//! What is done in the own pod's workload containers.

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use crate::clients::files;
use crate::clients::pebble::Pebble;
use crate::clients::pebble::error::PebbleError;
use crate::clients::pebble::files::NewFile;
use crate::clients::pebble::files::Owner;
use crate::clients::pebble::services::Action;
use crate::clock::Budget;
use crate::names::SENTINEL_CONTAINER;
use crate::observe::workload::pebble;
use crate::render::file::Content;
use crate::render::file::File;
use crate::render::layer;
use crate::render::places;
use crate::world::juju::Application;

/// What could not be done in a container.
#[derive(Debug, Error)]
pub enum WorkloadError {
    /// Its Pebble did not do it.
    #[error(transparent)]
    Pebble(#[from] PebbleError),
    /// The charm's own program cannot be read.
    #[error("cannot read the charm's own program: {0}")]
    Program(#[from] std::io::Error),
}

/// Writes files, in this order, each as a whole.
pub fn push(
    container: &str,
    files: &[File],
    application: &Application,
    budget: &Budget,
) -> Result<(), WorkloadError> {
    let pebble = pebble(container, application, &budget.at_most(PUSH));
    if container == SENTINEL_CONTAINER {
        make_sentinel_folder(&pebble)?;
    }
    let has_program = files.iter().any(|file| file.content == Content::Program);
    let program = if has_program { files::own_program()? } else { Vec::new() };
    let files: Vec<NewFile<'_>> = files
        .iter()
        .map(|file| NewFile {
            path: file.path,
            content: file.text().map_or(program.as_slice(), str::as_bytes),
            mode: file.mode,
            owner: Owner { user: file.owner, group: file.owner },
        })
        .collect();
    Ok(pebble.write_files(&files)?)
}

/// Sentinel rewrites its file with mode 644, and there are passwords in it: its folder is closed.
fn make_sentinel_folder(pebble: &Pebble) -> Result<(), PebbleError> {
    let redis = Owner { user: places::USER, group: places::USER };
    pebble.make_folders(&[places::SENTINEL_FOLDER], 0o700, redis)
}

/// Adds the charm's layer.
pub fn add_layer(
    container: &str,
    layer: &Value,
    application: &Application,
    budget: &Budget,
) -> Result<(), WorkloadError> {
    let pebble = pebble(container, application, &budget.at_most(CALL));
    Ok(pebble.add_layer(layer::LABEL, layer)?)
}

/// Has services started that do not run, and those restarted whose entries have changed. It does not
/// wait for that: a start takes a second at least, and a restart as long as Redis needs to end.
pub fn replan(
    container: &str,
    application: &Application,
    budget: &Budget,
) -> Result<(), WorkloadError> {
    let pebble = pebble(container, application, &budget.at_most(CALL));
    pebble.ask(Action::Replan)?;
    Ok(())
}

/// Restarts Sentinel by one call, which Pebble finishes also when this process dies, and waits until
/// it runs.
pub fn restart_sentinel(application: &Application, budget: &Budget) -> Result<(), WorkloadError> {
    let pebble = pebble(SENTINEL_CONTAINER, application, &budget.at_most(RESTART));
    Ok(pebble.perform(Action::Restart(&[layer::SENTINEL]))?)
}

/// Two megabytes over a socket of the same machine.
const PUSH: Duration = Duration::from_secs(8);

/// Pebble answers within a millisecond.
const CALL: Duration = Duration::from_secs(3);

/// Sentinel ends at once, and has come up when it has lived for a second.
const RESTART: Duration = Duration::from_secs(5);
