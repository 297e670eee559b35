//! The folders of a unit's agent: where the machine has them, and where the unit's charm sees them.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;

use super::cloud::Place;
use super::error::Error;
use super::files::Files;
use super::tools;

/// The folders of one unit.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    /// As the machine has them.
    pub(crate) machine: UnitFolders,
    /// As the charm sees them.
    pub(crate) charm: UnitFolders,
    /// The files that the charm sees, as a folder of the machine.
    root: PathBuf,
}

/// The same from one point of view.
#[derive(Clone, Debug)]
pub(crate) struct UnitFolders {
    juju: PathBuf,
    tag: String,
}

impl Folders {
    /// Of a unit whose charm runs on the machine itself.
    pub(crate) fn on_machine(directory: &Path, unit: &str) -> Self {
        let folders = UnitFolders::new(directory.to_owned(), unit);
        Self { machine: folders.clone(), charm: folders, root: PathBuf::from("/") }
    }

    /// Of a unit in its pod.
    pub(crate) fn of(place: &dyn Place, unit: &str) -> Self {
        Self {
            machine: UnitFolders::new(place.juju_directory(), unit),
            charm: UnitFolders::new(place.juju_directory_inside(), unit),
            root: place.root(),
        }
    }

    /// Makes those that are missing; the hook tools are links to `program`.
    pub(crate) fn make(&self, program: &Path) -> Result<(), Error> {
        let tools = self.machine.tools();
        for folder in [&tools, &self.machine.charm(), &self.machine.resources()] {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        for (name, _) in tools::TOOLS {
            let tool = tools.join(name);
            match symlink(program, &tool) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(at(&tool)(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// The files that hook tools name.
    pub(crate) fn files(&self) -> Files {
        Files { root: self.root.clone(), resources: self.charm.resources() }
    }
}

impl UnitFolders {
    fn new(juju: PathBuf, unit: &str) -> Self {
        Self { juju, tag: format!("unit-{}", unit.replace('/', "-")) }
    }

    /// The charm, which is the working directory of its hooks.
    pub(crate) fn charm(&self) -> PathBuf {
        self.agent().join("charm")
    }

    pub(crate) fn resources(&self) -> PathBuf {
        self.agent().join("resources")
    }

    /// The socket that hook tools ask.
    pub(crate) fn socket(&self) -> PathBuf {
        self.agent().join("agent.socket")
    }

    /// The hook tools.
    pub(crate) fn tools(&self) -> PathBuf {
        self.juju.join("tools").join(&self.tag)
    }

    fn agent(&self) -> PathBuf {
        self.juju.join("agents").join(&self.tag)
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, source }
}
