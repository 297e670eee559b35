//! A pod as the unit's agent sees it.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use crate::juju::cloud::PATH_IN_POD;
use crate::juju::cloud::Place;
use crate::pod::CHARM;
use crate::pod::Pod;

/// The pod, and where the machine keeps its `/var/lib/juju`.
#[derive(Debug)]
pub(crate) struct PodPlace {
    pub(crate) pod: Arc<Pod>,
    pub(crate) juju_directory: PathBuf,
}

impl Place for PodPlace {
    fn command(&self, directory: &Path, program: &Path) -> Command {
        self.pod.command_in(CHARM, directory, program)
    }

    fn pebble_socket(&self, container: &str) -> PathBuf {
        self.pod.pebble_socket(container)
    }

    fn root(&self) -> PathBuf {
        self.pod.container_root(CHARM)
    }

    fn address(&self) -> String {
        self.pod.address().to_string()
    }

    /// Programs in a `bin` of a folder that is shown are found, before those of the machine's `/usr`.
    fn path(&self) -> String {
        let shown = self.pod.spec().shown.iter().map(|folder| folder.join("bin"));
        let shown = shown.filter(|bin| bin.is_dir()).map(|bin| bin.display().to_string());
        shown.chain([PATH_IN_POD.to_owned()]).collect::<Vec<_>>().join(":")
    }

    fn juju_directory(&self) -> PathBuf {
        self.juju_directory.clone()
    }
}
