//! A pod that several models use at once: each has folders of its own in it, so that no hook asks the
//! agent of another.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use testbed::juju::cloud::Place;
use testbed::pod::Pod;

/// A pod as one model has it.
#[derive(Debug)]
pub(crate) struct OwnPlace {
    pod: Arc<Pod>,
    /// In the folder that the charm container has as `/var/lib/juju`.
    folder: TempDir,
}

impl OwnPlace {
    pub(crate) fn in_pod(pod: Arc<Pod>) -> Self {
        Self { folder: TempDir::new_in(pod.juju_directory()).unwrap(), pod }
    }
}

impl Place for OwnPlace {
    fn command(&self, directory: &Path, program: &Path) -> Command {
        Place::command(&*self.pod, directory, program)
    }

    fn pebble_socket(&self, container: &str) -> PathBuf {
        self.pod.pebble_socket(container)
    }

    fn root(&self) -> PathBuf {
        self.pod.root()
    }

    fn address(&self) -> String {
        Place::address(&*self.pod)
    }

    fn juju_directory(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn juju_directory_inside(&self) -> PathBuf {
        self.pod.juju_directory_inside().join(self.folder.path().file_name().unwrap())
    }
}
