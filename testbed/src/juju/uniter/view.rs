//! What the model says, as far as it concerns one unit's agent.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::juju::model::Bag;
use crate::juju::model::Life;
use crate::juju::model::application::Application;
use crate::juju::model::application_of;
use crate::juju::model::relation::Relation;
use crate::juju::model::secret::events::SecretEvent;
use crate::juju::model::unit::Unit;
use crate::juju::requests::Resolved;
use crate::juju::switches::Departures;
use crate::juju::versions::hash_of;
use crate::juju::world::World;

use super::memory::Memory;
use super::record::Record;

/// The model as a unit's agent sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) life: Life,
    pub(crate) application_life: Life,
    /// Whether the agent takes itself for the leader.
    pub(crate) leads: bool,
    /// Stands for options, trust and address of the application.
    pub(crate) config: u64,
    pub(crate) leader_settings: Bag,
    pub(crate) relations: Vec<RelationView>,
    pub(crate) storages: Vec<StorageView>,
    /// Events of secrets that are due, in Juju's order.
    pub(crate) secrets: Vec<SecretEvent>,
    /// Actions to run, then commands of `juju exec`.
    pub(crate) requests: Vec<u64>,
    pub(crate) resolved: Option<Resolved>,
    /// The names of the workload containers.
    pub(crate) containers: Vec<String>,
}

/// A relation as a unit's agent sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RelationView {
    pub(crate) id: u32,
    pub(crate) endpoint: String,
    pub(crate) is_peer: bool,
    pub(crate) life: Life,
    pub(crate) is_suspended: bool,
    pub(crate) remote_application: String,
    /// Whether the unit has entered its scope.
    pub(crate) in_scope: bool,
    /// The units on the other side, with the versions of their databags.
    pub(crate) members: BTreeMap<String, u64>,
    /// The application on the other side, with the version of its databag.
    pub(crate) applications: BTreeMap<String, u64>,
}

/// A storage instance as a unit's agent sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StorageView {
    pub(crate) id: String,
    pub(crate) is_provisioned: bool,
    pub(crate) location: String,
    pub(crate) kind: &'static str,
}

impl View {
    /// Units that are in any relation with this one.
    pub(crate) fn members(&self) -> impl Iterator<Item = &String> {
        self.relations.iter().flat_map(|relation| relation.members.keys())
    }

    /// What the unit's agent sees now; nothing when the unit's record is gone.
    pub(crate) fn of(world: &World, unit: &str, record: &Record, memory: &Memory) -> Option<Self> {
        let name = application_of(unit);
        let application = world.model.applications.get(name)?;
        let model_unit = application.units.get(unit)?;
        let deployment = &world.deployment;
        let deployed = deployment.applications.get(name);
        let containers = deployed.map(|it| it.charm.container_names()).unwrap_or_default();
        let mut relations: Vec<RelationView> = world
            .model
            .relations
            .iter()
            .filter_map(|relation| seen_relation(world, unit, relation, record, memory))
            .collect();
        relations.sort_by_key(|relation| memory.place_of(relation.id));
        Some(Self {
            life: model_unit.life,
            application_life: application.life,
            leads: world.claims_leadership(unit, name),
            config: hash_of_config(application),
            leader_settings: application.leader_settings.clone(),
            relations,
            storages: seen_storages(model_unit),
            secrets: world
                .model
                .secret_events(unit, Timestamp::now())
                .into_iter()
                .filter(|event| !record.secrets.contains(event))
                .collect(),
            requests: deployment.requests.waiting_for(unit),
            resolved: deployment.requests.resolved.get(unit).copied(),
            containers,
        })
    }
}

fn seen_relation(
    world: &World,
    unit: &str,
    relation: &Relation,
    record: &Record,
    memory: &Memory,
) -> Option<RelationView> {
    let application = application_of(unit);
    let endpoint = relation.endpoint_of(application)?;
    let remote = relation.remote_of(application);
    let versions = &world.deployment.versions;
    let mut members: BTreeMap<String, u64> = relation
        .units
        .iter()
        .filter(|(name, member)| {
            *name != unit
                && member.in_scope
                && application_of(name) == remote
                && is_seen(world, name)
        })
        .map(|(name, _)| (name.clone(), versions.of(relation.id, name)))
        .collect();
    if world.deployment.switches.departures == Departures::Lost && relation.is_peer() {
        members.extend(ghosts(world, relation.id, record, memory));
    }
    let version = versions.of(relation.id, remote);
    Some(RelationView {
        id: relation.id,
        endpoint: endpoint.to_owned(),
        is_peer: relation.is_peer(),
        life: relation.life,
        is_suspended: relation.suspended,
        remote_application: remote.to_owned(),
        in_scope: relation.units.get(unit).is_some_and(|member| member.in_scope),
        members,
        applications: BTreeMap::from([(remote.to_owned(), version)]),
    })
}

/// Whether a unit in scope counts as a member: Juju 3 lets a dying one go at once.
fn is_seen(world: &World, unit: &str) -> bool {
    let life = world.model.unit(unit).map(|it| it.life);
    match world.deployment.switches.departures {
        Departures::WithDying => life == Some(Life::Alive),
        Departures::Late | Departures::Lost => life.is_some(),
    }
}

/// Members that are gone and whose going this life of the agent does not see.
fn ghosts(world: &World, relation: u32, record: &Record, memory: &Memory) -> Vec<(String, u64)> {
    let delivered = record.relations.get(&relation).into_iter();
    let members = delivered.flat_map(|delivered| &delivered.members);
    let ghosts = members
        .filter(|(unit, _)| memory.acquainted.contains(*unit) && world.model.unit(unit).is_none());
    ghosts.map(|(unit, version)| (unit.clone(), *version)).collect()
}

fn seen_storages(unit: &Unit) -> Vec<StorageView> {
    let storages = unit.storage.iter();
    storages
        .map(|(id, storage)| StorageView {
            id: id.clone(),
            is_provisioned: !storage.not_provisioned,
            location: storage.location.clone(),
            kind: storage.kind.word(),
        })
        .collect()
}

/// Options, trust and the Service's address: `config-changed` tells of all three.
fn hash_of_config(application: &Application) -> u64 {
    let options: Vec<(&String, Option<String>)> = application
        .config
        .iter()
        .map(|(name, option)| (name, option.current().map(ToString::to_string)))
        .collect();
    hash_of((options, application.trust, &application.service_address))
}
