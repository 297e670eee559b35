//! What can befall a model, by name. Where the unit is given, it is `app/0`.

use std::time::Duration;

use super::Lab;
use super::error::LabError;
use super::pods::pod_of;
use crate::juju::faults::HookFault;
use crate::juju::faults::NoticeFault;
use crate::juju::hook::Fault;
use crate::juju::hook::FaultKind;

/// Which pods a silent name server strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// All of them.
    All,
    /// That unit's.
    Unit(String),
}

impl Lab {
    /// Drops every packet between two pods.
    pub fn cut(&self, one: &str, other: &str) -> Result<(), LabError> {
        self.note_fault(&format!("cut {one} {other}"));
        Ok(self.cluster.network().cut(&pod_name(one)?, &pod_name(other)?)?)
    }

    /// Drops every packet from one pod to another, in this direction only.
    pub fn cut_one_way(&self, from: &str, to: &str) -> Result<(), LabError> {
        self.note_fault(&format!("cut {from} -> {to}"));
        Ok(self.cluster.network().cut_one_way(&pod_name(from)?, &pod_name(to)?)?)
    }

    /// Drops every packet between a pod and all others.
    pub fn isolate(&self, unit: &str) -> Result<(), LabError> {
        self.note_fault(&format!("isolate {unit}"));
        Ok(self.cluster.network().isolate(&pod_name(unit)?)?)
    }

    /// Ends the cuts that name this pod.
    pub fn rejoin(&self, unit: &str) -> Result<(), LabError> {
        self.note_fault(&format!("rejoin {unit}"));
        Ok(self.cluster.network().rejoin(&pod_name(unit)?)?)
    }

    /// Ends the cuts between two pods.
    pub fn heal_link(&self, one: &str, other: &str) -> Result<(), LabError> {
        self.note_fault(&format!("heal {one} {other}"));
        Ok(self.cluster.network().heal_link(&pod_name(one)?, &pod_name(other)?)?)
    }

    /// Ends all cuts.
    pub fn heal(&self) -> Result<(), LabError> {
        self.note_fault("heal");
        Ok(self.cluster.network().heal()?)
    }

    /// The name server answers nothing.
    pub fn silence_dns(&self, whose: &Whose) -> Result<(), LabError> {
        let network = self.cluster.network();
        match whose {
            Whose::All => {
                self.note_fault("silence dns");
                Ok(network.silence_dns_for_all()?)
            }
            Whose::Unit(unit) => {
                self.note_fault(&format!("silence dns {unit}"));
                Ok(network.silence_dns(&pod_name(unit)?)?)
            }
        }
    }

    /// The name server answers that much later.
    pub fn slow_dns(&self, by: Duration) -> Result<(), LabError> {
        self.note_fault(&format!("slow dns {by:?}"));
        Ok(self.cluster.network().slow_dns(by)?)
    }

    /// The name server learns of pods that come and go that much later.
    pub fn late_dns(&self, by: Duration) -> Result<(), LabError> {
        self.note_fault(&format!("late dns {by:?}"));
        Ok(self.cluster.network().late_dns(by)?)
    }

    /// The name server is well again.
    pub fn heal_dns(&self) -> Result<(), LabError> {
        self.note_fault("heal dns");
        Ok(self.cluster.network().heal_dns()?)
    }

    /// Every fsync and fdatasync in a container takes that much longer; zero ends it.
    pub fn slow_disk(&self, unit: &str, container: &str, by: Duration) -> Result<(), LabError> {
        self.note_fault(&format!("slow disk {unit} {container} {by:?}"));
        Ok(self.pod(unit)?.slow_disk(container, by)?)
    }

    /// The leader's lease runs out now, and it knows; another unit may claim it.
    pub fn lose_leadership(&self, application: &str) -> Result<(), LabError> {
        self.note_fault(&format!("lose leadership {application}"));
        self.known_application(application)?;
        self.controller.lose_leadership(application);
        Ok(())
    }

    /// The leader's lease runs out now, and it does not know until it would renew it.
    pub fn steal_leadership(&self, application: &str) -> Result<(), LabError> {
        self.note_fault(&format!("steal leadership {application}"));
        self.known_application(application)?;
        self.controller.steal_leadership(application);
        Ok(())
    }

    /// The lease goes to that unit.
    pub fn make_leader(&self, unit: &str) -> Result<(), LabError> {
        self.note_fault(&format!("make leader {unit}"));
        self.known_unit(unit)?;
        self.controller.make_leader(unit);
        Ok(())
    }

    /// Nobody leads for that long, by the lab's clock.
    pub fn no_leader_for(&self, application: &str, span: Duration) -> Result<(), LabError> {
        self.note_fault(&format!("no leader {application} {span:?}"));
        self.known_application(application)?;
        self.controller.leave_without_leader(application, span);
        Ok(())
    }

    /// The unit's next `leader-elected` is recorded and never run.
    pub fn lose_leader_elected(&self, unit: &str) -> Result<(), LabError> {
        self.note_fault(&format!("lose leader-elected {unit}"));
        self.known_unit(unit)?;
        self.controller.lose_leader_elected(unit);
        Ok(())
    }

    /// The controller is out of reach until `controller_back`.
    pub fn controller_away(&self) -> Result<(), LabError> {
        self.note_fault("controller away");
        self.controller.set_away(true);
        Ok(())
    }

    /// The controller is there again: every agent begins anew.
    pub fn controller_back(&self) -> Result<(), LabError> {
        self.note_fault("controller back");
        self.controller.set_away(false);
        Ok(())
    }

    /// The unit's agent begins anew, in the same pod.
    pub fn restart_agent(&self, unit: &str) -> Result<(), LabError> {
        self.note_fault(&format!("restart agent {unit}"));
        self.known_unit(unit)?;
        self.controller.restart_agent(unit);
        Ok(())
    }

    /// Strikes the next run of the unit's hook of that name.
    pub fn strike_hook(&self, unit: &str, hook: &str, fault: HookFault) -> Result<(), LabError> {
        self.note_fault(&format!("strike {unit} {hook} {fault:?}"));
        self.known_unit(unit)?;
        self.controller.strike_hook(unit, hook, fault);
        Ok(())
    }

    /// Strikes the next run of the unit's hook of that name at its k-th tool call, counted from 1.
    pub fn strike_hook_at(
        &self,
        unit: &str,
        hook: &str,
        call: usize,
        kind: FaultKind,
    ) -> Result<(), LabError> {
        self.strike_hook(unit, hook, HookFault::AtCall(Fault { at_call: call, kind }))
    }

    /// Disturbs the next notice that the unit's agent sees of a container.
    pub fn disturb_notice(
        &self,
        unit: &str,
        container: &str,
        fault: NoticeFault,
    ) -> Result<(), LabError> {
        self.note_fault(&format!("notice {unit} {container} {fault:?}"));
        self.known_unit(unit)?;
        self.controller.disturb_notice(unit, container, fault);
        Ok(())
    }

    fn known_unit(&self, unit: &str) -> Result<(), LabError> {
        let is_known = self.controller.read(|model| model.unit(unit).is_some());
        if is_known { Ok(()) } else { Err(LabError::NoUnit { name: unit.to_owned() }) }
    }

    fn known_application(&self, name: &str) -> Result<(), LabError> {
        let is_known = self.controller.read(|model| model.applications.contains_key(name));
        if is_known { Ok(()) } else { Err(LabError::NoApplication { name: name.to_owned() }) }
    }
}

/// The pod of a unit; a pod that is not there may be cut off too.
fn pod_name(unit: &str) -> Result<String, LabError> {
    pod_of(unit).map(|(application, ordinal)| format!("{application}-{ordinal}"))
}
