//! Volumes: they outlive pods, and can be wiped, kept as they are, and rolled back.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::BedError;
use crate::ground::Ground;

/// The volume of a unit's storage.
#[derive(Debug, Clone)]
pub struct Volume {
    ground: Arc<Ground>,
    folder: PathBuf,
}

/// A volume as it was at some moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    folder: PathBuf,
}

impl Volume {
    pub(crate) fn new(ground: Arc<Ground>, pod: &str, storage: &str) -> Self {
        let folder = folder(&ground, pod, storage);
        Self { ground, folder }
    }

    /// The folder of the machine in which its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes all files in it. What has one open may write it still, and nobody reads it.
    pub fn wipe(&self) -> Result<(), BedError> {
        self.sh("the wiping of a volume", r#"find "$1" -mindepth 1 -delete"#, &[])
    }

    /// Keeps a copy of its files as they are now.
    pub fn snapshot(&self) -> Result<Snapshot, BedError> {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let script = r#"copy=$(mktemp -d "$2") && cp -a "$1/." "$copy" && echo "$copy""#;
        let pattern = self.folder.with_file_name(format!("{name}.at.XXXXXX"));
        let output = self.run(script, &[&pattern])?;
        let folder = String::from_utf8_lossy(&output.stdout).trim().into();
        if output.status.success() {
            return Ok(Snapshot { folder });
        }
        Err(crate::ground::failed("the copying of a volume", &output))
    }

    /// Gives it the files that it had at the moment of the snapshot, and no others.
    pub fn roll_back(&self, snapshot: &Snapshot) -> Result<(), BedError> {
        let script = r#"find "$1" -mindepth 1 -delete && cp -a "$2/." "$1""#;
        self.sh("the rolling back of a volume", script, &[&snapshot.folder])
    }

    fn sh(&self, what: &str, script: &str, more: &[&Path]) -> Result<(), BedError> {
        let output = self.run(script, more)?;
        if output.status.success() { Ok(()) } else { Err(crate::ground::failed(what, &output)) }
    }

    /// As the containers' root: files may belong to any of their users.
    fn run(&self, script: &str, more: &[&Path]) -> Result<std::process::Output, BedError> {
        let mut command = self.ground.hub_command("sh");
        command.args(["-c", script, "volume"]).arg(&self.folder).args(more);
        self.ground.run(&mut command, "")
    }
}

/// Where the files of a pod's storage are.
pub(crate) fn folder(ground: &Ground, pod: &str, storage: &str) -> PathBuf {
    ground.directory().join("volumes").join(format!("{pod}-{storage}"))
}
