//! What a controller holds of deployed applications beside the model: charms, records of
//! operations, leases, requests, and how it is to behave.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::trace::sink::Sink;

use super::chance::Chance;
use super::charm::Charm;
use super::clock::Clock;
use super::cloud::StatefulSet;
use super::cloud::Storage;
use super::cloud::Template;
use super::faults::Faults;
use super::leases::Leases;
use super::requests::Requests;
use super::switches::Switches;
use super::uniter::record::Record;
use super::versions::Versions;

/// All that belongs to deployed applications. A model whose hooks a test runs by hand has none.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) clock: Clock,
    pub(crate) switches: Switches,
    pub(crate) chance: Chance,
    pub(crate) trace: Sink,
    pub(crate) applications: BTreeMap<String, Deployed>,
    /// Records of operations by unit.
    pub(crate) records: BTreeMap<String, Record>,
    pub(crate) versions: Versions,
    pub(crate) leases: Leases,
    pub(crate) requests: Requests,
    pub(crate) faults: Faults,
    /// Numbers that are never used again.
    pub(crate) last_relation: Option<u32>,
    pub(crate) next_storage: u32,
    pub(crate) next_generation: u64,
    /// Storage instances by unit name and storage name: their volumes outlive units.
    pub(crate) volumes: BTreeMap<(String, String), String>,
    /// Whether agents cannot reach the controller.
    pub(crate) is_away: bool,
    /// Whether all threads are to end.
    pub(crate) is_over: bool,
}

/// A deployed application.
#[derive(Clone, Debug)]
pub(crate) struct Deployed {
    pub(crate) charm: Charm,
    /// The charm's folders by version of the template, as copied when they came.
    pub(crate) folders: BTreeMap<u32, PathBuf>,
    /// Counts refreshes.
    pub(crate) revision: u32,
    /// Counts refreshes and attached resources.
    pub(crate) version: u32,
    /// How many units an operator wants.
    pub(crate) scale: u32,
    /// Units that are told to go, until the pods of all of them go.
    pub(crate) leaving: BTreeSet<String>,
    /// What Kubernetes was last asked for.
    pub(crate) applied: Option<StatefulSet>,
    /// Memory limits by container, in bytes.
    pub(crate) memory_limits: BTreeMap<String, u64>,
}

impl Deployment {
    pub(crate) fn new() -> Self {
        Self {
            clock: Clock::default(),
            switches: Switches::default(),
            chance: Chance::from_seed(0),
            trace: Sink::new(),
            applications: BTreeMap::new(),
            records: BTreeMap::new(),
            versions: Versions::default(),
            leases: Leases::default(),
            requests: Requests::default(),
            faults: Faults::default(),
            last_relation: None,
            next_storage: 0,
            next_generation: 0,
            volumes: BTreeMap::new(),
            is_away: false,
            is_over: false,
        }
    }
}

impl Deployed {
    /// The `StatefulSet` of it, with that many pods.
    pub(crate) fn stateful_set(&self, name: &str, replicas: u32, trust: bool) -> StatefulSet {
        let mut containers = self.charm.containers.clone();
        for container in &mut containers {
            container.memory_limit = self.memory_limits.get(&container.name).copied();
        }
        let storages = self.charm.storages.iter();
        StatefulSet {
            application: name.to_owned(),
            replicas,
            template: Template {
                version: self.version,
                charm: self.folders.get(&self.version).cloned().unwrap_or_default(),
                containers,
                storages: storages
                    .map(|(name, location)| Storage {
                        name: name.clone(),
                        charm_location: location.clone(),
                    })
                    .collect(),
                trust,
            },
        }
    }
}
