//! The charm of the project that this test bed belongs to, as an unpacked charm's folder.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::error::ShellError;
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
        let at = |path: &Path, source| ShellError::File { path: path.to_owned(), source };
        let folder = TempDir::with_prefix_in("charm-", below);
        let folder = folder.map_err(|source| at(below, source))?;
        for name in FILES {
            let file = root().join(name);
            fs::copy(&file, folder.path().join(name)).map_err(|source| at(&file, source))?;
        }
        let dispatch = folder.path().join("dispatch");
        fs::copy(&program, dispatch).map_err(|source| at(&program, source))?;
        let path = folder.path().to_owned();
        self.folders.push(folder);
        Ok(path)
    }

    /// The charm's name.
    pub(crate) fn name() -> &'static str {
        PACKAGE
    }
}

fn built() -> Result<PathBuf, ShellError> {
    let cannot = |why: String| ShellError::NoOwnCharm(why);
    let folder = programs::own_folder()?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--package", PACKAGE, "--bin", "dispatch"]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    let status = cargo.current_dir(root()).status();
    let status =
        status.map_err(|error| cannot(format!("cannot run cargo to build it: {error}")))?;
    if !status.success() {
        return Err(cannot("cargo did not build it".to_owned()));
    }
    Ok(folder.join("dispatch"))
}

/// The project's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The charm's package, whose name is the charm's.
const PACKAGE: &str = "redis-k8s";

/// What a packed charm holds beside its program.
const FILES: [&str; 4] = ["metadata.yaml", "config.yaml", "actions.yaml", "LICENSE"];
