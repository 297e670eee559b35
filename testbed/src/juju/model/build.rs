//! Models to start from.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Bag;
use super::Identity;
use super::Life;
use super::Model;
use super::Status;
use super::application::Application;
use super::application::Endpoint;
use super::application::Role;
use super::recorded_time;
use super::relation::Member;
use super::relation::Relation;
use super::unit::Unit;

impl Model {
    /// An application in service: units `0..count`, all in the peer relation `redis-peers`
    /// (relation 0), with addresses; no leader.
    pub fn application(name: &str, count: u32) -> Self {
        let endpoint = |role, interface: &str| Endpoint { role, interface: interface.to_owned() };
        let mut model = Self {
            identity: Identity {
                name: "lab".to_owned(),
                uuid: "7d1f0c56-3c1b-4e0a-8a53-0f1c2b3d4e5f".to_owned(),
            },
            applications: BTreeMap::new(),
            relations: vec![Relation {
                id: 0,
                endpoints: BTreeMap::from([(name.to_owned(), "redis-peers".to_owned())]),
                life: Life::Alive,
                suspended: false,
                remote_model_uuid: None,
                status: Status::at("joined", "", BEFORE),
                units: BTreeMap::new(),
                application_data: BTreeMap::from([(name.to_owned(), Bag::new())]),
            }],
            secrets: BTreeMap::new(),
            now: recorded_time(),
        };
        let application = Application {
            life: Life::Alive,
            leader: None,
            service_address: "10.152.183.9".to_owned(),
            status: Status::at("waiting", "", BEFORE),
            endpoints: BTreeMap::from([
                ("redis-peers".to_owned(), endpoint(Role::Peer, "redis-peers")),
                ("redis".to_owned(), endpoint(Role::Provider, "redis")),
                ("metrics".to_owned(), endpoint(Role::Provider, "prometheus_scrape")),
                ("logging".to_owned(), endpoint(Role::Requirer, "loki_push_api")),
            ]),
            config: BTreeMap::new(),
            leader_settings: Bag::new(),
            resources: BTreeMap::new(),
            trust: false,
            units: BTreeMap::new(),
        };
        model.applications.insert(name.to_owned(), application);
        for number in 0..count {
            model.add_unit(name, number);
        }
        model
    }

    /// Adds an application without units or leader, whose one endpoint is related to that of
    /// another application; returns the relation's number. Both sides' units join with `add_unit`.
    pub fn relate(&mut self, ours: (&str, &str), theirs: (&str, &str)) -> u32 {
        let interface = self
            .applications
            .get(ours.0)
            .and_then(|application| application.endpoints.get(ours.1))
            .map_or_else(|| ours.1.to_owned(), |endpoint| endpoint.interface.clone());
        let endpoint = Endpoint { role: Role::Requirer, interface };
        let application = Application {
            life: Life::Alive,
            leader: None,
            service_address: String::new(),
            status: Status::at("active", "", BEFORE),
            endpoints: BTreeMap::from([(theirs.1.to_owned(), endpoint)]),
            config: BTreeMap::new(),
            leader_settings: Bag::new(),
            resources: BTreeMap::new(),
            trust: false,
            units: BTreeMap::new(),
        };
        self.applications.entry(theirs.0.to_owned()).or_insert(application);
        let id = self.relations.iter().map(|relation| relation.id + 1).max().unwrap_or_default();
        let sides = [ours, theirs].map(|(name, endpoint)| (name.to_owned(), endpoint.to_owned()));
        let units = self.applications.get(ours.0).into_iter().flat_map(|it| it.units.keys());
        let members = units.map(|unit| {
            let data = self.network_keys(unit);
            (unit.clone(), Member { in_scope: true, data })
        });
        let units = members.collect();
        self.relations.push(Relation {
            id,
            endpoints: sides.clone().into_iter().collect(),
            life: Life::Alive,
            suspended: false,
            remote_model_uuid: None,
            status: Status::at("joined", "", BEFORE),
            units,
            application_data: sides.into_iter().map(|(name, _)| (name, Bag::new())).collect(),
        });
        id
    }

    /// Adds a living unit, in the scope of all its application's relations; returns its name.
    pub fn add_unit(&mut self, application: &str, number: u32) -> String {
        let name = format!("{application}/{number}");
        let unit = Unit {
            life: Life::Alive,
            address: format!("10.1.0.{}", 10 + number),
            status: Status::at("waiting", "", BEFORE),
            agent_status: None,
            workload_version: String::new(),
            state: Bag::new(),
            opened_ports: BTreeSet::new(),
            storage: BTreeMap::new(),
        };
        if let Some(application) = self.applications.get_mut(application) {
            application.units.insert(name.clone(), unit);
        }
        let network = self.network_keys(&name);
        for relation in &mut self.relations {
            if relation.endpoints.contains_key(application) {
                let member = Member { in_scope: true, data: network.clone() };
                relation.units.insert(name.clone(), member);
            }
        }
        name
    }
}

/// When everything that a model starts with was set.
const BEFORE: &str = "2026-01-02T03:04:05Z";
