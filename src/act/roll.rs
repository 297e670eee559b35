//! The partition of the application's StatefulSet, set in the API of Kubernetes.

use std::path::Path;

use crate::clients::kubernetes::ACCOUNT;
use crate::clients::kubernetes::Kubernetes;
use crate::clients::kubernetes::PATIENCE;
use crate::clients::kubernetes::error::KubernetesError;
use crate::clock::Budget;
use crate::world::World;
use crate::world::obstacle::Obstacle;
use crate::world::roll::Server;

/// Sets the partition, which was `from` when it was decided.
pub fn set_partition(world: &World, from: u32, to: u32, budget: &Budget) -> Option<Obstacle> {
    let server = &world.roll.as_ref()?.server;
    let error = set(server, &world.juju.unit.application, (from, to), budget).err()?;
    let what = format!("set the partition of the StatefulSet to {to}: {error}");
    Some(Obstacle::Failed { what })
}

/// Each change of the StatefulSet, its status included, makes a new version of it, and the API refuses
/// what was meant for an older one. Then it is looked at again: what another unit has set stands, but for
/// one thing: who holds, holds.
fn set(
    server: &Server,
    application: &str,
    (from, to): (u32, u32),
    budget: &Budget,
) -> Result<(), KubernetesError> {
    let api =
        Kubernetes::new(Path::new(ACCOUNT), &server.host, &server.port, &budget.at_most(PATIENCE))?;
    loop {
        let now = api.stateful_set(application)?;
        let partition = now.partition();
        let is_held = from < to && partition >= to;
        let is_another = from > to && partition != from;
        if is_held || is_another {
            return Ok(());
        }
        match api.set_partition(application, to, &now.metadata.resource_version) {
            Err(KubernetesError::Conflict) => {}
            done => return done,
        }
    }
}
