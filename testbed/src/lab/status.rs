//! What `juju status` and `kubectl get pods` show, as data.

use std::fmt;

use super::Lab;
use crate::juju::model::Life;
use crate::juju::model::Model;
use crate::juju::model::Status;
use crate::juju::model::application::Application;
use crate::juju::model::unit::Unit;

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
    pub life: &'static str,
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
    pub life: &'static str,
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

impl Lab {
    /// `juju status`.
    pub fn status(&self) -> ModelStatus {
        let mut status = self.controller.read(model_status);
        for application in &mut status.applications {
            let name = &application.name;
            application.charm = self.controller.charm_name(name).unwrap_or_default();
            application.revision = self.controller.revision(name).unwrap_or_default();
            application.scale = self.controller.wanted_units(name).unwrap_or_default();
        }
        status
    }
}

impl fmt::Display for ModelStatus {
    /// A line for each application and unit; what an operator is shown is for the shell to lay out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for application in &self.applications {
            let ApplicationStatus { name, scale, status, life, units, .. } = application;
            writeln!(formatter, "{name} {life}, {} of {scale}: {status}", units.len())?;
            for UnitStatus { name, is_leader, workload, agent, address, life, .. } in units {
                let leads = if *is_leader { "*" } else { "" };
                writeln!(formatter, "{name}{leads} {life} {address}: {workload}; agent {agent}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Word {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { word, message } = self;
        if message.is_empty() {
            formatter.write_str(word)
        } else {
            write!(formatter, "{word} ({message})")
        }
    }
}

impl fmt::Display for PodStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, phase, is_ready, address, trouble, .. } = self;
        let ready = if *is_ready { "ready" } else { "not ready" };
        write!(formatter, "{name} {phase}, {ready}, version {version}, {address}")?;
        for ContainerStatus { name, is_running, restarts, .. } in &self.containers {
            let runs = if *is_running { "runs" } else { "ended" };
            write!(formatter, "; {name} {runs}, {restarts} restarts")?;
        }
        if trouble.is_empty() { Ok(()) } else { write!(formatter, "; {trouble}") }
    }
}

fn model_status(model: &Model) -> ModelStatus {
    let applications = model.applications.iter();
    let relations = model.relations.iter().map(|relation| {
        let end = |(name, endpoint): (&String, &String)| format!("{name}:{endpoint}");
        let interface = relation.endpoints.iter().find_map(|(name, endpoint)| {
            Some(model.applications.get(name)?.endpoints.get(endpoint)?.interface.clone())
        });
        RelationStatus {
            id: relation.id,
            ends: relation.endpoints.iter().map(end).collect(),
            interface: interface.unwrap_or_default(),
        }
    });
    ModelStatus {
        model: model.identity.name.clone(),
        applications: applications.map(|(name, it)| application_status(name, it)).collect(),
        relations: relations.collect(),
    }
}

fn application_status(name: &str, application: &Application) -> ApplicationStatus {
    let leader = application.leader.as_deref();
    let mut units: Vec<_> =
        application.units.iter().map(|(name, unit)| unit_status(name, unit, leader)).collect();
    units.sort_by_key(|unit| number_of(&unit.name));
    let versions = application.units.values().map(|unit| &unit.workload_version);
    ApplicationStatus {
        name: name.to_owned(),
        charm: String::new(),
        revision: 0,
        version: versions.filter(|version| !version.is_empty()).max().cloned().unwrap_or_default(),
        scale: 0,
        address: application.service_address.clone(),
        status: shown(&application.status, &units),
        life: life(application.life),
        units,
    }
}

/// What its leader set; if it never did, that of the unit that is worst off.
fn shown(own: &Status, units: &[UnitStatus]) -> Word {
    const WORST_FIRST: [&str; 7] =
        ["error", "blocked", "maintenance", "waiting", "active", "terminated", "unknown"];
    let rank = |word: &str| WORST_FIRST.iter().position(|known| *known == word);
    if own.status != "unknown" && !own.status.is_empty() {
        return word(own);
    }
    let worst = units.iter().map(|unit| &unit.workload).min_by_key(|it| rank(&it.word));
    worst.cloned().unwrap_or_else(|| word(own))
}

fn unit_status(name: &str, unit: &Unit, leader: Option<&str>) -> UnitStatus {
    let agent = unit.agent_status.as_ref().map(word).unwrap_or_default();
    let workload = if agent.word == "error" { agent.clone() } else { word(&unit.status) };
    UnitStatus {
        name: name.to_owned(),
        is_leader: leader == Some(name),
        workload,
        // As Juju shows it: the failure is the workload's, and its agent has nothing to do.
        agent: if agent.word == "error" { Word { word: "idle".into(), ..agent } } else { agent },
        address: unit.address.clone(),
        ports: unit.opened_ports.iter().map(|port| port.range.to_string()).collect(),
        life: life(unit.life),
    }
}

fn word(status: &Status) -> Word {
    Word { word: status.status.clone(), message: status.message.clone() }
}

fn life(life: Life) -> &'static str {
    match life {
        Life::Alive => "alive",
        Life::Dying => "dying",
        Life::Dead => "dead",
    }
}

fn number_of(unit: &str) -> u32 {
    unit.rsplit_once('/').and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
}
