//! Facts: what a run knows, read once. Plain values; nothing here reads or decides.

pub mod access;
pub mod cluster;
pub mod deferral;
pub mod election;
pub mod forgetting;
pub mod health;
pub mod image;
pub mod juju;
pub mod lineage;
pub mod obstacle;
pub mod password;
pub mod roll;
pub mod workload;

use crate::world::cluster::Cluster;
use crate::world::juju::Juju;
use crate::world::roll::Roll;
use crate::world::workload::Workload;

/// All that one event needs to know.
#[derive(Clone, Debug)]
pub struct World {
    /// What Juju said.
    pub juju: Juju,
    /// The units that an action was given; `None` for what is none.
    pub named_units: Option<String>,
    /// What the own containers have; `None` where it is not asked for.
    pub workload: Option<Workload>,
    /// What the Redis and Sentinel of every unit said; `None` where nobody needed to be asked.
    pub cluster: Option<Cluster>,
    /// The application's StatefulSet; `None` where it is not asked for, or this application may not ask.
    pub roll: Option<Roll>,
}
