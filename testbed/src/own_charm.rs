//! The charm of the project that this test bed belongs to, as the folder that its charm file unpacks to.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::error::BedError;
use crate::error::at_file;

/// The charm's package, whose name is the charm's.
pub const NAME: &str = "redis-k8s";

/// Makes the folder below another, with that program as `dispatch`. Dropped, it is gone.
pub fn unpack(program: &Path, below: &Path) -> Result<TempDir, BedError> {
    let folder = TempDir::with_prefix_in("charm-", below).map_err(at_file(below))?;
    for name in FILES {
        let file = root().join(name);
        fs::copy(&file, folder.path().join(name)).map_err(at_file(&file))?;
    }
    fs::copy(program, folder.path().join("dispatch")).map_err(at_file(program))?;
    Ok(folder)
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a packed charm holds beside its program.
const FILES: [&str; 4] = ["metadata.yaml", "config.yaml", "actions.yaml", "LICENSE"];
