//! What a pod is to be, as the template of a `StatefulSet` says it.

use std::path::PathBuf;

use crate::names::Names;

/// A pod of one unit. It always has a container `charm` besides those that are listed.
#[derive(Debug, Clone)]
pub struct PodSpec {
    /// Application and model.
    pub names: Names,
    /// The number of the unit, which is the pod's ordinal.
    pub unit: u32,
    /// The workload containers.
    pub containers: Vec<ContainerSpec>,
    /// The storages, one volume each, which outlive the pod.
    pub storages: Vec<StorageSpec>,
    /// The folder of the machine that is `/var/lib/juju` in the charm container.
    pub juju_directory: Option<PathBuf>,
    /// The folder of the machine with the service account that the charm container has.
    pub account: Option<PathBuf>,
    /// Folders of the machine that all containers see at the same path, to read only: where programs
    /// lie that are not in `/usr`.
    pub shown: Vec<PathBuf>,
    /// Whether the disk of a workload container can be made slow; every program there then loads a
    /// library for it.
    pub can_slow_disk: bool,
    /// Whether the charm container sees no Pebble, so that a charm's hook leaves the workload to whoever
    /// plays its part.
    pub hides_pebbles: bool,
}

/// A workload container, whose first process is Pebble.
#[derive(Debug, Clone)]
pub struct ContainerSpec {
    /// Its name.
    pub name: String,
    /// Where it has which storage.
    pub mounts: Vec<Mount>,
    /// What it reads of its limit, in bytes; none is no limit.
    pub memory_limit: Option<u64>,
}

/// A storage in a container.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The storage's name.
    pub storage: String,
    /// Where the container has it.
    pub location: PathBuf,
}

/// A storage of an application.
#[derive(Debug, Clone)]
pub struct StorageSpec {
    /// Its name.
    pub name: String,
    /// Where the charm container has it.
    pub charm_location: PathBuf,
}

impl PodSpec {
    /// An empty pod with these workload containers, which have nothing mounted.
    pub fn new(names: Names, unit: u32, containers: &[&str]) -> Self {
        let container = |name: &&str| ContainerSpec {
            name: (*name).to_owned(),
            mounts: Vec::new(),
            memory_limit: None,
        };
        Self {
            names,
            unit,
            containers: containers.iter().map(container).collect(),
            storages: Vec::new(),
            juju_directory: None,
            account: None,
            shown: Vec::new(),
            can_slow_disk: false,
            hides_pebbles: false,
        }
    }

    /// Adds a storage that the charm and these containers have at the same place.
    #[must_use]
    pub fn with_storage(mut self, name: &str, location: &str, containers: &[&str]) -> Self {
        let charm_location = PathBuf::from(location);
        self.storages.push(StorageSpec { name: name.to_owned(), charm_location });
        for container in &mut self.containers {
            if containers.contains(&container.name.as_str()) {
                let location = PathBuf::from(location);
                container.mounts.push(Mount { storage: name.to_owned(), location });
            }
        }
        self
    }

    /// The pod's name, which is its host name.
    pub fn name(&self) -> String {
        self.names.pod(self.unit)
    }
}
