//! A relation with its databags.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::Bag;
use super::Life;
use super::Status;

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
    /// UUID of the model of the other side, where that is another one.
    #[serde(default)]
    pub remote_model_uuid: Option<String>,
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
