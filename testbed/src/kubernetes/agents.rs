//! Whom the kubelet tells of the pods that units live in: Juju's agents.

use std::fmt::Debug;
use std::sync::Arc;

use crate::juju::cloud::Place;

/// The agents of all units. Every call returns at once, but for what it waits for by its nature.
pub trait Agents: Debug + Send + Sync {
    /// The charm container runs, in a pod of that version of the template: the agent starts.
    fn pod_started(&self, unit: &str, version: u32, place: Arc<dyn Place>);

    /// The charm container has ended, and the agent with it.
    fn agent_lost(&self, unit: &str);

    /// Whether the unit's `start` was ever committed, which the charm container's readiness asks.
    fn has_started(&self, unit: &str) -> bool;

    /// The charm container was started again, in the same pod.
    fn agent_restarted(&self, unit: &str);

    /// SIGTERM: it goes to the running hook and its tool, and the agent does what it does then.
    fn pod_terminating(&self, unit: &str);

    /// Whether the agent has done its part after SIGTERM.
    fn is_agent_ended(&self, unit: &str) -> bool;

    /// SIGKILL: the agent ends at once, and records nothing any more.
    fn pod_gone(&self, unit: &str);
}
