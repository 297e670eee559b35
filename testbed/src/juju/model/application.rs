//! An application: what its charm declares, and what its units share.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use super::Bag;
use super::Life;
use super::Status;
use super::unit::Unit;

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
    /// Options of `juju config` by name.
    #[serde(default)]
    pub config: BTreeMap<String, ConfigOption>,
    /// What its leaders have set by `leader-set`.
    #[serde(default)]
    pub leader_settings: Bag,
    /// Resources by name.
    #[serde(default)]
    pub resources: BTreeMap<String, Resource>,
    /// Whether it was deployed with `--trust`.
    #[serde(default)]
    pub trust: bool,
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

/// An option of `juju config`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigOption {
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: OptionKind,
    /// What it is unless it was set.
    #[serde(default)]
    pub default: Option<Value>,
    /// What it was set to.
    #[serde(default)]
    pub value: Option<Value>,
}

/// What the values of an option are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptionKind {
    /// Text.
    String,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// True or false.
    Boolean,
    /// The URI of a secret.
    Secret,
}

/// A resource of the charm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Resource {
    /// An image of a container.
    OciImage {
        /// Where it is to be had.
        image: Image,
    },
    /// A file.
    File {
        /// The name that it gets beside the charm.
        filename: String,
        /// What is in it.
        #[serde(with = "text_of_bytes")]
        content: Vec<u8>,
    },
}

/// Where an image is to be had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Registry, name and tag.
    pub registrypath: String,
    /// Who may have it; empty for everybody.
    #[serde(default)]
    pub username: String,
    /// The password of that user.
    #[serde(default)]
    pub password: String,
}

impl ConfigOption {
    /// Its value, or else its default.
    pub fn current(&self) -> Option<&Value> {
        self.value.as_ref().or(self.default.as_ref())
    }
}

/// Bytes that stand as text in a recorded model.
mod text_of_bytes {
    use serde::Deserialize as _;
    use serde::Deserializer;
    use serde::Serializer;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&String::from_utf8_lossy(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(from).map(String::into_bytes)
    }
}
