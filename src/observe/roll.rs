//! What Kubernetes says of a roll of the application's pods. An application that is not trusted is told
//! 403, and nothing more is asked then.

use std::path::Path;

use tracing::warn;

use crate::clients::kubernetes::ACCOUNT;
use crate::clients::kubernetes::Kubernetes;
use crate::clients::kubernetes::PATIENCE;
use crate::clients::kubernetes::error::KubernetesError;
use crate::clock::Budget;
use crate::env::HookEnv;
use crate::observe::juju::goal_state;
use crate::world::juju::Juju;
use crate::world::roll::Roll;
use crate::world::roll::Server;

/// The application's StatefulSet, and during a roll its pods from the highest down to the first that is
/// not a new one. `None` where it cannot be told.
pub fn look(juju: &Juju, env: &HookEnv, budget: &Budget) -> Option<Roll> {
    let (host, port) = env.kubernetes_host.clone().zip(env.kubernetes_port.clone())?;
    let server = Server { host, port };
    match ask(juju, server, &budget.at_most(PATIENCE)) {
        Ok(roll) => Some(roll),
        // Without `--trust`, or in a pod without an account, it is as it has to be, at every event.
        Err(KubernetesError::Forbidden | KubernetesError::Account { .. }) => None,
        Err(_) if budget.is_terminated() => None,
        Err(error) => {
            warn!("cannot ask the Kubernetes API: {error}");
            None
        }
    }
}

/// The same where this pod is about to end: whether it comes back is asked of Juju, and only in a roll.
pub fn before_the_end(juju: &Juju, env: &HookEnv, budget: &Budget) -> Option<Roll> {
    let mut roll = look(juju, env, budget)?;
    if roll.is_under_way {
        // Without an answer the pod is taken for one that comes back: what is held is given back anyhow.
        let units = goal_state(juju, budget).ok();
        roll.is_leaving =
            units.is_some_and(|units| units.get(&juju.unit.number).copied().unwrap_or(true));
    }
    Some(roll)
}

fn ask(juju: &Juju, server: Server, budget: &Budget) -> Result<Roll, KubernetesError> {
    let api = Kubernetes::new(Path::new(ACCOUNT), &server.host, &server.port, budget)?;
    let set = api.stateful_set(&juju.unit.application)?;
    let (current, new) = (&set.status.current_revision, &set.status.update_revision);
    let mut roll = Roll {
        server,
        partition: set.partition(),
        is_under_way: current != new && !new.is_empty(),
        renewed_from: set.spec.replicas,
        is_one_away: false,
        is_leaving: false,
    };
    for ordinal in (0..set.spec.replicas).rev().filter(|_| roll.is_under_way) {
        let pod = api.pod(&format!("{}-{ordinal}", juju.unit.application))?;
        let stays = pod.filter(|pod| pod.metadata.deletion_timestamp.is_none());
        roll.is_one_away = stays.is_none();
        if stays.is_none_or(|pod| pod.metadata.labels.revision != *new) {
            break;
        }
        roll.renewed_from = ordinal;
    }
    Ok(roll)
}
