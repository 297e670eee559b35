//! The boundary to Kubernetes: what Juju's provisioner asks of it, and what a unit's agent finds
//! in its pod. Whatever plays Kubernetes implements both.

use std::fmt::Debug;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use thiserror::Error;

/// Kubernetes, as Juju's provisioner uses it.
pub trait Cloud: Send + Sync {
    /// Creates or changes an application's StatefulSet: deploy, scale, refresh, attach-resource,
    /// trust.
    fn apply(&self, set: &StatefulSet) -> Result<(), CloudError>;

    /// Deletes it with its pods; volumes stay.
    fn delete(&self, application: &str) -> Result<(), CloudError>;
}

/// Why Kubernetes does not do what it was asked.
#[derive(Debug, Error)]
#[error("cannot {what}")]
pub struct CloudError {
    /// What was asked, with the application's name.
    pub what: String,
    /// Why not.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// An application's StatefulSet: how many pods, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatefulSet {
    /// The application's name, which its pods' names begin with.
    pub application: String,
    /// How many pods there are to be; their ordinals are `0..replicas`.
    pub replicas: u32,
    /// What a pod is made of.
    pub template: Template,
}

/// What a pod is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Grows with each refresh and attach-resource; the pods roll when it does.
    pub version: u32,
    /// The folder of that charm revision on the machine.
    pub charm: PathBuf,
    /// Workload containers; the charm container is not among them.
    pub containers: Vec<Container>,
    /// Storage of each unit, whose volumes outlive pods.
    pub storages: Vec<Storage>,
    /// Whether the charm may do more than its own namespace's defaults.
    pub trust: bool,
}

/// A workload container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name in the charm's metadata.
    pub name: String,
    /// Where it has which storage.
    pub mounts: Vec<Mount>,
    /// Its memory limit in bytes.
    pub memory_limit: Option<u64>,
}

/// A storage in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The storage's name in the charm's metadata.
    pub storage: String,
    /// Where the container has it.
    pub location: PathBuf,
}

/// A storage that each unit has one volume of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Its name in the charm's metadata.
    pub name: String,
    /// Where the charm container has it.
    pub charm_location: PathBuf,
}

/// A pod as the unit's agent uses it.
pub trait Place: Debug + Send + Sync {
    /// A command that runs `program` inside the charm container in `directory`, and is that
    /// program from its start: its process id is the program's.
    fn command(&self, directory: &Path, program: &Path) -> Command;

    /// A workload container's Pebble socket, as a path on the machine.
    fn pebble_socket(&self, container: &str) -> PathBuf;

    /// The charm container's files, as a folder of the machine (`/proc/<pid>/root`).
    fn root(&self) -> PathBuf;

    /// The pod's address.
    fn address(&self) -> String;

    /// Where the machine keeps what the charm container has as `/var/lib/juju`:
    /// `agents/unit-<app>-<n>/{charm,resources,agent.socket}` and `tools/unit-<app>-<n>`. The
    /// charm's folder in it is empty in a new pod.
    fn juju_directory(&self) -> PathBuf;

    /// The same folder as the charm container sees it. A place without a container of its own
    /// sees it where the machine keeps it.
    fn juju_directory_inside(&self) -> PathBuf {
        PathBuf::from("/var/lib/juju")
    }

    /// The search path of the unit's process, which hooks have after their tools.
    fn path(&self) -> String {
        PATH_IN_POD.to_owned()
    }
}

/// That of a charm container.
pub const PATH_IN_POD: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/charm/bin";
