//! A pod as its unit's agent uses it.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::juju::cloud::PATH_IN_POD;
use crate::juju::cloud::Place;
use crate::pod::CHARM;
use crate::pod::Pod;

impl Place for Pod {
    fn command(&self, directory: &Path, program: &Path) -> Command {
        self.command_in(CHARM, directory, program)
    }

    fn pebble_socket(&self, container: &str) -> PathBuf {
        self.pebble_socket(container)
    }

    fn root(&self) -> PathBuf {
        self.container_root(CHARM)
    }

    fn address(&self) -> String {
        self.address().to_string()
    }

    /// Programs in a `bin` of a folder that is shown are found, before those of the machine's `/usr`.
    fn path(&self) -> String {
        let shown = self.spec().shown.iter().map(|folder| folder.join("bin"));
        let shown = shown.filter(|bin| bin.is_dir()).map(|bin| bin.display().to_string());
        shown.chain([PATH_IN_POD.to_owned()]).collect::<Vec<_>>().join(":")
    }

    /// The folder that its spec names; without one it is lost with the charm container.
    fn juju_directory(&self) -> PathBuf {
        let own = self.spec().juju_directory.clone();
        own.unwrap_or_else(|| self.container_root(CHARM).join("var/lib/juju"))
    }
}
