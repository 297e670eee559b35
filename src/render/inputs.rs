//! What the charm tells the keeper: a file that only root can read, and the keeper reads at each
//! decision.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use thiserror::Error;

use crate::names::Naming;
use crate::world::password::Password;

/// What the keeper knows of Juju's side. What changes faster it learns itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The application's name.
    pub application: String,
    /// The model's name.
    pub model: String,
    /// The cluster's domain.
    pub cluster_domain: String,
    /// This unit's number.
    pub unit: u32,
    /// The units that are to stay.
    pub planned: BTreeSet<u32>,
    /// Those that leave or have left, and are not forgotten yet.
    #[serde(default)]
    pub leaving: BTreeSet<u32>,
    /// Redis' password; none means that it runs without one.
    #[serde(default, serialize_with = "revealed", deserialize_with = "hidden")]
    pub redis_password: Option<Password>,
    /// The Sentinels' password.
    #[serde(default, serialize_with = "revealed", deserialize_with = "hidden")]
    pub sentinel_password: Option<Password>,
    /// The host of the very first record, until a census first agreed on a master.
    #[serde(default)]
    pub bootstrap: Option<String>,
    /// The host of the recorded master.
    #[serde(default)]
    pub recorded_master: Option<String>,
    /// The config-epoch of the record.
    #[serde(default)]
    pub recorded_epoch: Option<u64>,
    /// Whether the unit's status tells of something that may pass.
    #[serde(default)]
    pub unwell: bool,
    /// Whether a later run of the charm is to go on with something.
    #[serde(default)]
    pub deferred: bool,
    /// The units that a full restart goes on without, whatever only they have.
    #[serde(default)]
    pub accepted_loss: BTreeSet<u32>,
}

/// A file that the keeper cannot use. It does not repeat the file, which holds passwords.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("it is not what the charm writes (column {column}); the charm's next hook writes it anew")]
pub struct Unusable {
    column: usize,
}

impl Inputs {
    /// Reads the file.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        serde_json::from_str(text).map_err(|error| Unusable { column: error.column() })
    }

    /// The text of the file.
    pub fn render(&self) -> String {
        // A struct of texts, numbers and sets of numbers is always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// How the units are called.
    pub fn naming(&self) -> Naming {
        Naming {
            application: self.application.clone(),
            model: self.model.clone(),
            cluster_domain: self.cluster_domain.clone(),
        }
    }

    /// This unit's host name.
    pub fn own_host(&self) -> String {
        self.naming().host(self.unit)
    }

    /// Whether the databag calls this the first start of the application, with this unit as master.
    pub fn is_bootstrap(&self) -> bool {
        self.bootstrap.as_ref() == Some(&self.own_host())
    }

    /// Whether this unit is the only one that is to stay.
    pub fn is_alone(&self) -> bool {
        self.planned.iter().all(|unit| *unit == self.unit)
    }
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
fn revealed<S: Serializer>(password: &Option<Password>, out: S) -> Result<S::Ok, S::Error> {
    password.as_ref().map(Password::reveal).serialize(out)
}

fn hidden<'de, D: Deserializer<'de>>(text: D) -> Result<Option<Password>, D::Error> {
    Ok(Option::<String>::deserialize(text)?.map(Password::new))
}
