//! A unit: what the controller keeps of it, whatever becomes of its pod.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use super::Bag;
use super::Life;
use super::Status;
use super::port::OpenedPort;

/// A unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its life.
    #[serde(default)]
    pub life: Life,
    /// Address of its pod; empty while there is none.
    #[serde(default)]
    pub address: String,
    /// Workload status.
    pub status: Status,
    /// Status of its agent: `allocating`, `idle`, `executing`, `error`; none where no agent runs.
    #[serde(default)]
    pub agent_status: Option<Status>,
    /// Version of the workload that the charm tells of.
    #[serde(default)]
    pub workload_version: String,
    /// The charm's state (`state-set`).
    #[serde(default)]
    pub state: Bag,
    /// The ports that it has opened.
    #[serde(default)]
    pub opened_ports: BTreeSet<OpenedPort>,
    /// Storage attached to it, by the instance's id.
    #[serde(default)]
    pub storage: BTreeMap<String, Storage>,
}

/// A storage instance that is attached to a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// What it is.
    pub kind: StorageKind,
    /// Where the charm has it.
    pub location: String,
    /// Whether the cloud has yet to make it.
    #[serde(default)]
    pub not_provisioned: bool,
}

/// What a storage instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// A folder.
    Filesystem,
    /// A device.
    Block,
}

impl StorageKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Filesystem => "filesystem",
            Self::Block => "block",
        }
    }
}
