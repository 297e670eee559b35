//! What in a pod a fault strikes.

use std::fmt;

use nix::sys::signal::Signal;

use super::Lab;
use super::error::LabError;
use crate::pod::Pod;
use crate::processes;

/// What may be killed, frozen and thawed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The oldest process of that name in a container.
    Process {
        /// The container; `charm` is the unit's.
        container: String,
        /// The program's name, as `ps` shows it.
        name: String,
    },
    /// A whole container.
    Container(String),
    /// A whole pod, as when its machine is lost.
    Pod,
}

impl Target {
    /// A process of a container by its program's name.
    pub fn process(container: &str, name: &str) -> Self {
        Self::Process { container: container.to_owned(), name: name.to_owned() }
    }

    /// A container.
    pub fn container(name: &str) -> Self {
        Self::Container(name.to_owned())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { container, name } => write!(formatter, "{container} {name}"),
            Self::Container(container) => formatter.write_str(container),
            Self::Pod => formatter.write_str("pod"),
        }
    }
}

impl Lab {
    /// SIGKILL. A container is started again by its kubelet, and a pod is replaced by another at once,
    /// as Kubernetes does when somebody forces its deletion; what becomes of a process is for whoever
    /// started it to say.
    pub fn kill(&self, unit: &str, target: &Target) -> Result<(), LabError> {
        self.note_fault(&format!("kill {unit} {target}"));
        let pod = self.pod(unit)?;
        match target {
            Target::Process { container, name } => {
                processes::send(process(&pod, container, name)?, Signal::SIGKILL);
            }
            Target::Container(container) => pod.kill_container(container)?,
            Target::Pod => {
                let (application, ordinal) = super::pods::pod_of(unit)?;
                self.cluster.kill_pod(application, ordinal);
            }
        }
        Ok(())
    }

    /// SIGSTOP. A container whose Pebble is frozen is no longer ready, and after three probes its kubelet
    /// starts it again; with a pod, its agent and its kubelet stand still too.
    pub fn freeze(&self, unit: &str, target: &Target) -> Result<(), LabError> {
        self.note_fault(&format!("freeze {unit} {target}"));
        let pod = self.pod(unit)?;
        match target {
            Target::Process { container, name } => {
                processes::send(process(&pod, container, name)?, Signal::SIGSTOP);
            }
            Target::Container(container) => pod.freeze_container(container)?,
            Target::Pod => {
                self.set_machine_frozen(unit, true)?;
                pod.freeze();
            }
        }
        Ok(())
    }

    /// SIGCONT.
    pub fn thaw(&self, unit: &str, target: &Target) -> Result<(), LabError> {
        self.note_fault(&format!("thaw {unit} {target}"));
        let pod = self.pod(unit)?;
        match target {
            Target::Process { container, name } => {
                processes::send(process(&pod, container, name)?, Signal::SIGCONT);
            }
            Target::Container(container) => pod.thaw_container(container)?,
            Target::Pod => {
                pod.thaw();
                self.set_machine_frozen(unit, false)?;
            }
        }
        Ok(())
    }

    fn set_machine_frozen(&self, unit: &str, is_frozen: bool) -> Result<(), LabError> {
        let (application, ordinal) = super::pods::pod_of(unit)?;
        self.cluster.set_frozen(application, ordinal, is_frozen);
        self.controller.set_agent_frozen(unit, is_frozen);
        Ok(())
    }
}

/// The oldest process of that name; its first process has none but the container's own.
fn process(pod: &Pod, container: &str, name: &str) -> Result<u32, LabError> {
    let processes = pod.processes(container).into_iter();
    let named = processes.filter(|process| processes::is_named(*process, name));
    named.min().ok_or_else(|| LabError::NoProcess {
        container: format!("{container} of {}", pod.name()),
        name: name.to_owned(),
    })
}
