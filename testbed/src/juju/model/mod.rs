//! What a controller holds: applications, units, relations and their databags.
//!
//! Plain data that a test may read and rearrange as it likes; the tools and the commit follow it.

pub mod application;
mod build;
pub mod port;
pub mod relation;
pub mod secret;
pub mod unit;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::Unit as TimeUnit;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use self::application::Application;
use self::relation::Relation;
use self::secret::Secret;
use self::unit::Unit;

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
    /// Secrets by id.
    #[serde(default)]
    pub secrets: BTreeMap<String, Secret>,
    /// What the controller's clock says, as `2026-01-02T03:04:05Z`; nothing for the machine's own
    /// time.
    #[serde(default = "recorded_time")]
    pub now: Option<String>,
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
    /// What Juju keeps beside it: of a failed hook, which one.
    #[serde(default)]
    pub data: BTreeMap<String, Value>,
    /// When it was set, as `2026-01-02T03:04:05Z`.
    pub since: String,
}

impl Model {
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
        self.forget_secrets_of(unit);
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

    /// A status that is set now.
    pub fn status(&self, word: &str, message: &str) -> Status {
        Status::at(word, message, &self.time())
    }

    /// The time now.
    pub fn instant(&self) -> Timestamp {
        self.time().parse().unwrap_or_else(|_| Timestamp::now())
    }

    /// The time now, as `2026-01-02T03:04:05Z`.
    pub fn time(&self) -> String {
        self.now.clone().unwrap_or_else(|| {
            let now = Timestamp::now();
            now.round(TimeUnit::Second).unwrap_or(now).to_string()
        })
    }
}

impl Status {
    fn at(word: &str, message: &str, since: &str) -> Self {
        Self {
            status: word.to_owned(),
            message: message.to_owned(),
            data: BTreeMap::new(),
            since: since.to_owned(),
        }
    }
}

/// The application of a unit's name.
pub fn application_of(unit: &str) -> &str {
    unit.split_once('/').map_or(unit, |(application, _)| application)
}

/// The time of a recorded model.
#[expect(clippy::unnecessary_wraps, reason = "it is the default of an optional field")]
fn recorded_time() -> Option<String> {
    Some("2026-01-03T00:00:00Z".to_owned())
}
