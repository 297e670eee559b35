//! Builds the project's own charm whenever it is deployed.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::error::ShellError;
use crate::own_charm;
use crate::programs;

/// The charm's folders, one for each time that it was asked for; they last as long as this.
#[derive(Debug, Default)]
pub(crate) struct OwnCharm {
    folders: Vec<TempDir>,
}

impl OwnCharm {
    /// Builds the charm as it is now, and unpacks it below a folder.
    pub(crate) fn folder(&mut self, below: &Path) -> Result<PathBuf, ShellError> {
        let program = built()?;
        let folder = own_charm::unpack(&program, below)?;
        let path = folder.path().to_owned();
        self.folders.push(folder);
        Ok(path)
    }
}

fn built() -> Result<PathBuf, ShellError> {
    let cannot = |why: String| ShellError::NoOwnCharm(why);
    let folder = programs::own_folder()?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--package", own_charm::NAME, "--bin", "dispatch"]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    let status = cargo.current_dir(own_charm::root()).status();
    let status =
        status.map_err(|error| cannot(format!("cannot run cargo to build it: {error}")))?;
    if !status.success() {
        return Err(cannot("cargo did not build it".to_owned()));
    }
    Ok(folder.join("dispatch"))
}
