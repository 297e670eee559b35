//! What an operator does with pods: the verbs of `kubectl`.

use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::sync::Arc;

use super::Lab;
use super::error::LabError;
use super::status::ContainerStatus;
use super::status::PodStatus;
use crate::kubernetes::cluster::PodView;
use crate::pod::Pod;
use crate::processes;

impl Lab {
    /// `kubectl get pods`.
    pub fn pods(&self) -> Vec<PodStatus> {
        self.cluster.pods().into_iter().map(|view| self.pod_status(view)).collect()
    }

    /// The pod of a unit, whose address, containers and files it has.
    pub fn pod(&self, unit: &str) -> Result<Arc<Pod>, LabError> {
        let (application, ordinal) = pod_of(unit)?;
        let pod = self.cluster.pod(application, ordinal);
        pod.ok_or_else(|| LabError::NoPod { unit: unit.to_owned() })
    }

    /// A command that runs in a unit's container, as `juju ssh --container` runs it. Its environment is
    /// the container's.
    pub fn command(&self, unit: &str, container: &str, program: &str) -> Result<Command, LabError> {
        let pod = self.pod(unit)?;
        let process = pod.container_process(container).ok_or_else(|| LabError::NoContainer {
            unit: unit.to_owned(),
            container: container.to_owned(),
        })?;
        let mut command = pod.command_in(container, Path::new("/"), program);
        command.envs(processes::environment_of(process));
        Ok(command)
    }

    /// Runs a shell's text in a unit's container to its end.
    pub fn shell(&self, unit: &str, container: &str, text: &str) -> Result<Output, LabError> {
        let mut command = self.command(unit, container, "sh")?;
        Ok(self.pod(unit)?.run(command.args(["-c", text]), "")?)
    }

    /// `kubectl logs`: what the container's first process wrote, with what Pebble tells of services.
    pub fn container_log(&self, unit: &str, container: &str) -> Result<String, LabError> {
        let pod = self.pod(unit)?;
        let mut containers = self.pods().into_iter().filter(|it| it.unit == unit);
        if !containers.any(|it| it.containers.iter().any(|it| it.name == container)) {
            let (unit, container) = (unit.to_owned(), container.to_owned());
            return Err(LabError::NoContainer { unit, container });
        }
        Ok(pod.log(container))
    }

    /// `kubectl delete pod`: it is told to end, and another takes its place.
    pub fn delete_pod(&self, unit: &str) -> Result<(), LabError> {
        self.note(&format!("kubectl delete pod {}", unit.replace('/', "-")));
        let (application, ordinal) = pod_of(unit)?;
        if self.cluster.delete_pod(application, ordinal) {
            Ok(())
        } else {
            Err(LabError::NoPod { unit: unit.to_owned() })
        }
    }

    /// `kubectl patch statefulset`: pods of lower ordinals keep their version in a roll.
    pub fn set_partition(&self, application: &str, ordinal: u32) -> Result<(), LabError> {
        self.note(&format!("kubectl patch statefulset {application} partition={ordinal}"));
        self.cluster.set_partition(application, ordinal);
        Ok(())
    }

    fn pod_status(&self, view: PodView) -> PodStatus {
        let pod = self.cluster.pod(&view.application, view.ordinal);
        let names = pod.iter().flat_map(|pod| pod.containers());
        let containers = names.map(|name| ContainerStatus {
            name: name.to_owned(),
            is_running: view.running.contains(name),
            is_ready: !view.unready.contains(name),
            restarts: view.restarts.get(name).copied().unwrap_or_default(),
        });
        PodStatus {
            name: format!("{}-{}", view.application, view.ordinal),
            unit: format!("{}/{}", view.application, view.ordinal),
            version: view.version,
            phase: view.phase.to_owned(),
            is_ready: view.is_ready,
            address: view.address,
            containers: containers.collect(),
            trouble: view.trouble.unwrap_or_default(),
        }
    }
}

/// Application and ordinal of a unit's name.
pub(crate) fn pod_of(unit: &str) -> Result<(&str, u32), LabError> {
    let parts = unit.split_once('/');
    parts
        .and_then(|(application, number)| Some((application, number.parse().ok()?)))
        .ok_or_else(|| LabError::NoUnitName { name: unit.to_owned() })
}
