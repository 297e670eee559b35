//! A charm file of a source tree and a built binary, for machines without charmcraft.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use serde_yaml::Value;
use thiserror::Error;

use crate::charm;
use crate::charm::CharmError;
use crate::charm::Member;
use crate::charm::PLAIN_FILE;
use crate::charm::PROGRAM;
use crate::check::FILES;

/// Packs the charm of a source tree for one architecture. The binary stands in for the launcher
/// that the tree has under the same name.
pub fn pack(
    tree: &Path,
    binary: &Path,
    architecture: &str,
    target: &Path,
) -> Result<(), PackError> {
    let manifest = manifest(&read(&tree.join("charmcraft.yaml"))?, architecture)?;
    let mut members = Vec::new();
    for (name, needed) in FILES {
        let (mode, content) = match *name {
            "dispatch" => (PROGRAM, read(binary)?),
            "manifest.yaml" => (PLAIN_FILE, manifest.clone().into_bytes()),
            _ if !needed && !tree.join(name).exists() => continue,
            _ => (PLAIN_FILE, read(&tree.join(name))?),
        };
        members.push(Member { name: (*name).to_owned(), mode: Some(mode), content });
    }
    Ok(charm::write(target, &members)?)
}

/// The manifest that charmcraft would write: the base of `charmcraft.yaml`, for one architecture.
fn manifest(charmcraft: &[u8], architecture: &str) -> Result<String, PackError> {
    let project: Value = serde_yaml::from_slice(charmcraft)?;
    let (name, channel) = project
        .get("base")
        .and_then(Value::as_str)
        .and_then(|base| base.split_once('@'))
        .ok_or(PackError::NoBase)?;
    if project.get("platforms").and_then(|all| all.get(architecture)).is_none() {
        return Err(PackError::NoPlatform { architecture: architecture.to_owned() });
    }
    Ok(format!(
        "bases:\n  - name: {name}\n    channel: \"{channel}\"\n    architectures: [{architecture}]\n"
    ))
}

fn read(path: &Path) -> Result<Vec<u8>, PackError> {
    fs::read(path).map_err(|source| PackError::File { path: path.to_owned(), source })
}

/// Why a charm cannot be packed.
#[derive(Debug, Error)]
pub enum PackError {
    /// A file of the tree, or the binary.
    #[error("cannot read {path}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `charmcraft.yaml` is no YAML.
    #[error("cannot read charmcraft.yaml")]
    Project(#[from] serde_yaml::Error),
    /// `charmcraft.yaml` has no base such as `ubuntu@22.04`.
    #[error("cannot find a base such as ubuntu@22.04 in charmcraft.yaml")]
    NoBase,
    /// `charmcraft.yaml` has no such platform.
    #[error("cannot find the platform {architecture} in charmcraft.yaml")]
    NoPlatform {
        /// The one that was asked for.
        architecture: String,
    },
    /// The charm file itself.
    #[error("cannot write the charm")]
    Charm(#[from] CharmError),
}
