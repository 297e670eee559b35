//! The starter of Sentinel: it takes units that have gone out of the file that Sentinel has
//! rewritten, then becomes Sentinel. So one restart of the service makes a Sentinel forget them.
//!
//! Whether the file on the volume is this unit's at all is the charm's decision, before it starts it.

use std::path::Path;
use std::process::ExitCode;

use tracing::error;
use tracing::info;
use tracing::warn;

use crate::clients::files;
use crate::clients::process;
use crate::keeper::act::REDIS_SERVER;
use crate::render::places;
use crate::render::sentinel_conf::pruned;

/// Becomes Sentinel; returns only where that is not possible.
pub fn run() -> ExitCode {
    crate::journal::print_lines();
    let file = match files::read(places::SENTINEL_CONF) {
        Ok(file) => file,
        Err(error) => {
            error!("cannot read {}: {error}; the charm writes it", places::SENTINEL_CONF);
            return ExitCode::FAILURE;
        }
    };
    match files::read(places::SENTINEL_MEMBERS) {
        Ok(members) => prune(&file, &members),
        Err(error) => warn!("nobody is forgotten: {}: {error}", places::SENTINEL_MEMBERS),
    }
    // Sentinel rewrites its file with mode 644.
    if let Err(error) = files::make_folder(places::SENTINEL_FOLDER, 0o700, None) {
        warn!("cannot close {} to others: {error}", places::SENTINEL_FOLDER);
    }
    let error = process::become_program(REDIS_SERVER, &[places::SENTINEL_CONF, "--sentinel"]);
    error!("cannot start {REDIS_SERVER}: {error}");
    ExitCode::FAILURE
}

fn prune(file: &str, members: &str) {
    let Some(kept) = pruned(file, members) else { return };
    let gone = file.lines().count() - kept.lines().count();
    match files::replace(Path::new(places::SENTINEL_CONF), &kept, 0o600, None) {
        Ok(()) => info!("{gone} entries of units that have gone were taken out"),
        Err(error) => warn!("nobody is forgotten: cannot write {}: {error}", places::SENTINEL_CONF),
    }
}
