//! What can befall a model, by name. Where the unit is given, it is `app/0`.

use std::time::Duration;

use super::Lab;
use super::error::LabError;
use super::pods::pod_of;

/// Which pods a fault of names strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// All of them.
    All,
    /// That unit's.
    Unit(String),
}

/// What happens to a unit's hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookFault {
    /// The tool that it calls fails, with that code.
    Fail(u8),
    /// The tool that it calls is never answered.
    Hang,
    /// SIGKILL.
    Kill,
    /// SIGTERM.
    Terminate,
    /// Leadership is lost before the call is answered.
    LoseLeadership,
}

/// What happens to the notices that a unit's agent sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeFault {
    /// Each comes that much later.
    Delay(Duration),
    /// The next one comes twice.
    Repeat,
    /// The next one never comes.
    Drop,
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

    /// The resolver answers nothing.
    pub fn silence_dns(&self, whose: &Whose) -> Result<(), LabError> {
        let _ = whose;
        Err(LabError::Unsupported("silence the resolver"))
    }

    /// The resolver answers later.
    pub fn slow_dns(&self, whose: &Whose, by: Duration) -> Result<(), LabError> {
        let _ = (whose, by);
        Err(LabError::Unsupported("slow the resolver"))
    }

    /// The resolver is well again.
    pub fn heal_dns(&self) -> Result<(), LabError> {
        Err(LabError::Unsupported("heal the resolver"))
    }

    /// Every fdatasync and fsync in the pod takes that much longer; zero ends it.
    pub fn slow_disk(&self, unit: &str, by: Duration) -> Result<(), LabError> {
        let _ = by;
        Err(LabError::NoPod { unit: unit.to_owned() })
    }

    /// The leader's lease runs out now; another unit may claim it.
    pub fn lose_leadership(&self, application: &str) -> Result<(), LabError> {
        let _ = application;
        Err(LabError::Unsupported("take the lease"))
    }

    /// The lease goes to that unit.
    pub fn make_leader(&self, unit: &str) -> Result<(), LabError> {
        let _ = unit;
        Err(LabError::Unsupported("give the lease"))
    }

    /// The leader loses its lease between the exit of its next hook of that name and the commit.
    pub fn lose_leadership_at_commit(&self, unit: &str, hook: &str) -> Result<(), LabError> {
        let _ = (unit, hook);
        Err(LabError::Unsupported("take the lease at a commit"))
    }

    /// Nobody leads for that long (of the lab's time).
    pub fn no_leader_for(&self, application: &str, span: Duration) -> Result<(), LabError> {
        let _ = (application, span);
        Err(LabError::Unsupported("withhold the lease"))
    }

    /// The unit's next `leader-elected` is recorded and never run.
    pub fn lose_leader_elected(&self, unit: &str) -> Result<(), LabError> {
        let _ = unit;
        Err(LabError::Unsupported("lose a leader-elected"))
    }

    /// The controller is out of reach until `controller_back`.
    pub fn controller_away(&self) -> Result<(), LabError> {
        Err(LabError::Unsupported("take the controller away"))
    }

    /// The controller is there again: every agent begins anew.
    pub fn controller_back(&self) -> Result<(), LabError> {
        Err(LabError::Unsupported("bring the controller back"))
    }

    /// The unit's agent begins anew, in the same pod.
    pub fn restart_agent(&self, unit: &str) -> Result<(), LabError> {
        let _ = unit;
        Err(LabError::Unsupported("restart an agent"))
    }

    /// Strikes the unit's next hook of that name (`*` for any) at its k-th tool call, from 1.
    pub fn strike_hook(
        &self,
        unit: &str,
        hook: &str,
        call: usize,
        fault: HookFault,
    ) -> Result<(), LabError> {
        let _ = (unit, hook, call, fault);
        Err(LabError::Unsupported("strike a hook"))
    }

    /// Disturbs the notices that the unit's agent sees of a container.
    pub fn disturb_notices(
        &self,
        unit: &str,
        container: &str,
        fault: NoticeFault,
    ) -> Result<(), LabError> {
        let _ = (unit, container, fault);
        Err(LabError::Unsupported("disturb notices"))
    }
}

/// The pod of a unit; a pod that is not there may be cut off too.
fn pod_name(unit: &str) -> Result<String, LabError> {
    pod_of(unit).map(|(application, ordinal)| format!("{application}-{ordinal}"))
}
