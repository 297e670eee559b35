//! The folder of this charm, as its file unpacks.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// The charm's files, with the compiled `dispatch` in the place of the launcher for a checkout.
pub(crate) fn folder() -> io::Result<TempDir> {
    let folder = TempDir::new()?;
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["metadata.yaml", "config.yaml", "actions.yaml"] {
        fs::copy(checkout.join(file), folder.path().join(file))?;
    }
    fs::copy(env!("CARGO_BIN_EXE_dispatch"), folder.path().join("dispatch"))?;
    Ok(folder)
}
