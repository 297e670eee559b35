//! What `juju status` shows, as data.

/// A model as its operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStatus {
    /// The model's name.
    pub model: String,
    /// Applications in the order of their names.
    pub applications: Vec<ApplicationStatus>,
    /// Relations, peer relations included.
    pub relations: Vec<RelationStatus>,
}

/// An application's row and those of its units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationStatus {
    /// Its name.
    pub name: String,
    /// The charm's name.
    pub charm: String,
    /// How often it was refreshed.
    pub revision: u32,
    /// The workload's version, as the charm tells it.
    pub version: String,
    /// How many units are wanted.
    pub scale: u32,
    /// Address of its service.
    pub address: String,
    /// Its status.
    pub status: Word,
    /// `alive`, `dying`, `dead`.
    pub life: String,
    /// Its units, by number.
    pub units: Vec<UnitStatus>,
}

/// A unit's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitStatus {
    /// `app/0`.
    pub name: String,
    /// Whether it holds the lease.
    pub is_leader: bool,
    /// What the charm says.
    pub workload: Word,
    /// What its agent does: `idle`, `executing`, `error`, ..
    pub agent: Word,
    /// Address of its pod; empty while there is none.
    pub address: String,
    /// Opened ports, `6379/tcp`.
    pub ports: Vec<String>,
    /// `alive`, `dying`, `dead`.
    pub life: String,
}

/// A status word and its message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// `active`, `blocked`, ..
    pub word: String,
    /// The text beside it.
    pub message: String,
}

/// A relation's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationStatus {
    /// Its number.
    pub id: u32,
    /// `app:endpoint` of each side; one for a peer relation.
    pub ends: Vec<String>,
    /// The interface.
    pub interface: String,
}

/// A pod as Kubernetes sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodStatus {
    /// `app-0`.
    pub name: String,
    /// `app/0`.
    pub unit: String,
    /// Version of the template that it was made from.
    pub version: u32,
    /// `Pending`, `Running`, `Terminating`.
    pub phase: String,
    /// Whether all containers are ready.
    pub is_ready: bool,
    /// Its address.
    pub address: String,
    /// Its containers.
    pub containers: Vec<ContainerStatus>,
    /// Why it cannot be made; mostly empty.
    pub trouble: String,
}

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStatus {
    /// Its name; `charm` is the unit's.
    pub name: String,
    /// Whether its first process runs.
    pub is_running: bool,
    /// Whether its last probe was good.
    pub is_ready: bool,
    /// How often it was started again.
    pub restarts: u32,
}
