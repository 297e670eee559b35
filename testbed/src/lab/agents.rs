//! The controller as the kubelets know it.

use std::sync::Arc;

use crate::juju::cloud::Place;
use crate::juju::controller::Controller;
use crate::kubernetes::agents::Agents;

impl Agents for Controller {
    fn pod_started(&self, unit: &str, version: u32, place: Arc<dyn Place>) {
        self.pod_started(unit, version, place);
    }

    fn agent_lost(&self, unit: &str) {
        self.agent_lost(unit);
    }

    fn has_started(&self, unit: &str) -> bool {
        self.has_started(unit)
    }

    fn agent_restarted(&self, unit: &str) {
        self.agent_restarted(unit);
    }

    fn pod_terminating(&self, unit: &str) {
        self.pod_terminating(unit);
    }

    fn is_agent_ended(&self, unit: &str) -> bool {
        self.is_agent_ended(unit)
    }

    fn pod_gone(&self, unit: &str) {
        self.pod_gone(unit);
    }
}
