//! What a controller holds: applications, units, relations and their databags.
//!
//! Plain data that a test may read and rearrange as it likes; the tools and the commit follow it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

/// A databag or a charm's state: keys to values.
pub type Bag = BTreeMap<String, String>;

/// One Juju model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Name and UUID.
    #[serde(rename = "model")]
    pub identity: Identity,
    /// Applications by name.
    pub applications: BTreeMap<String, Application>,
    /// All relations, peer relations included.
    pub relations: Vec<Relation>,
    /// What the controller's clock says; a status set from now on carries it.
    #[serde(default = "now")]
    pub now: String,
}

/// Name and UUID of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Bare name, without owner.
    pub name: String,
    /// Lower-case UUID.
    pub uuid: String,
}

/// Whether something is alive, on its way out, or gone but for its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Life {
    /// In service.
    #[default]
    Alive,
    /// To be removed; its hooks still run.
    Dying,
    /// All its hooks are through.
    Dead,
}

/// A status word with its message and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `active`, `blocked`, `joined`, ..
    pub status: String,
    /// The text beside it.
    #[serde(default)]
    pub message: String,
    /// When it was set, as `2026-01-02T03:04:05Z`.
    pub since: String,
}

/// An application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its life.
    #[serde(default)]
    pub life: Life,
    /// The unit that holds the leadership lease, if one does.
    #[serde(default)]
    pub leader: Option<String>,
    /// Address of its Kubernetes service; empty while there is none.
    #[serde(default)]
    pub service_address: String,
    /// Status that its leader set.
    pub status: Status,
    /// Relation endpoints by name.
    #[serde(default)]
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Units by name; a removed unit is not in here.
    #[serde(default)]
    pub units: BTreeMap<String, Unit>,
}

/// A relation endpoint of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Which side it is.
    pub role: Role,
    /// Name of the interface.
    pub interface: String,
}

/// The side of a relation that an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Relates the units of one application.
    Peer,
    /// Offers the interface.
    Provider,
    /// Uses the interface.
    Requirer,
}

/// A unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its life.
    #[serde(default)]
    pub life: Life,
    /// Address of its pod; empty while there is none.
    #[serde(default)]
    pub address: String,
    /// Workload status.
    pub status: Status,
    /// Version of the workload that the charm tells of.
    #[serde(default)]
    pub workload_version: String,
    /// The charm's state (`state-set`).
    #[serde(default)]
    pub state: Bag,
}

/// A relation between two applications, or of one with itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Its number.
    pub id: u32,
    /// Endpoint by application; one entry for a peer relation.
    pub endpoints: BTreeMap<String, String>,
    /// Its life.
    #[serde(default)]
    pub life: Life,
    /// Whether it is suspended.
    #[serde(default)]
    pub suspended: bool,
    /// `joining`, `joined`, ..
    pub status: Status,
    /// Units that are or were in it.
    #[serde(default)]
    pub units: BTreeMap<String, Member>,
    /// Application databags by application.
    #[serde(default)]
    pub application_data: BTreeMap<String, Bag>,
}

/// A unit's part in a relation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Whether the unit is in the relation's scope; its data stay when it leaves.
    #[serde(default)]
    pub in_scope: bool,
    /// Its unit databag.
    #[serde(default)]
    pub data: Bag,
}

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
                status: Status::at("joined", "", BEFORE),
                units: BTreeMap::new(),
                application_data: BTreeMap::from([(name.to_owned(), Bag::new())]),
            }],
            now: now(),
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
            workload_version: String::new(),
            state: Bag::new(),
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

    /// Removes a unit as the controller does when it is dead: record and state go, its databags
    /// stay out of scope, and its lease is free.
    pub fn remove_unit(&mut self, unit: &str) {
        for relation in &mut self.relations {
            if let Some(member) = relation.units.get_mut(unit) {
                member.in_scope = false;
            }
        }
        if let Some(application) = self.applications.get_mut(application_of(unit)) {
            application.units.remove(unit);
            application.leader.take_if(|leader| leader == unit);
        }
    }

    /// The unit's record.
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.applications.get(application_of(name))?.units.get(name)
    }

    /// The unit's record, to change it.
    pub fn unit_mut(&mut self, name: &str) -> Option<&mut Unit> {
        self.applications.get_mut(application_of(name))?.units.get_mut(name)
    }

    /// The relation of that number.
    pub fn relation(&self, id: u32) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.id == id)
    }

    /// The relation of that number, to change it.
    pub fn relation_mut(&mut self, id: u32) -> Option<&mut Relation> {
        self.relations.iter_mut().find(|relation| relation.id == id)
    }

    /// The first relation of that endpoint of the application.
    pub fn relation_of(&self, application: &str, endpoint: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.endpoint_of(application) == Some(endpoint))
    }

    /// The unit that holds the application's lease.
    pub fn leader(&self, application: &str) -> Option<&str> {
        self.applications.get(application)?.leader.as_deref()
    }

    /// The keys that Juju keeps in each databag of a unit; none while it has no address.
    pub fn network_keys(&self, unit: &str) -> Bag {
        let service = self.applications.get(application_of(unit)).map(|it| &it.service_address);
        let pod = self.unit(unit).map(|it| &it.address);
        let Some(address) = service.into_iter().chain(pod).find(|it| !it.is_empty()) else {
            return Bag::new();
        };
        Bag::from([
            ("egress-subnets".to_owned(), format!("{address}/32")),
            ("ingress-address".to_owned(), address.clone()),
            ("private-address".to_owned(), address.clone()),
        ])
    }

    /// Sets a status as of now.
    pub fn status(&self, word: &str, message: &str) -> Status {
        Status::at(word, message, &self.now)
    }
}

impl Relation {
    /// Whether it relates an application with itself.
    pub fn is_peer(&self) -> bool {
        self.endpoints.len() == 1
    }

    /// The application's endpoint of it.
    pub fn endpoint_of(&self, application: &str) -> Option<&str> {
        self.endpoints.get(application).map(String::as_str)
    }

    /// The application on the other side; of a peer relation, the own one.
    pub fn remote_of<'a>(&'a self, application: &'a str) -> &'a str {
        self.endpoints.keys().find(|other| *other != application).map_or(application, |it| it)
    }
}

impl Status {
    fn at(word: &str, message: &str, since: &str) -> Self {
        Self { status: word.to_owned(), message: message.to_owned(), since: since.to_owned() }
    }
}

/// The application of a unit's name.
pub fn application_of(unit: &str) -> &str {
    unit.split_once('/').map_or(unit, |(application, _)| application)
}

fn now() -> String {
    "2026-01-03T00:00:00Z".to_owned()
}

/// When everything that a model starts with was set.
const BEFORE: &str = "2026-01-02T03:04:05Z";
