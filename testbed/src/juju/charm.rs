//! What a charm's folder declares: `metadata.yaml`, `config.yaml` and `actions.yaml`, or all of it
//! in `charmcraft.yaml`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Map;
use serde_json::Value;

use crate::pebble::yaml::node::Node;

use super::cloud::Container;
use super::cloud::Mount;
use super::error::Error;
use super::model::application::ConfigOption;
use super::model::application::Endpoint;
use super::model::application::Image;
use super::model::application::OptionKind;
use super::model::application::Resource;
use super::model::application::Role;

/// A charm as its files declare it.
#[derive(Clone, Debug)]
pub(crate) struct Charm {
    pub(crate) name: String,
    /// Workload containers, without memory limits.
    pub(crate) containers: Vec<Container>,
    /// Where the charm container has each storage.
    pub(crate) storages: BTreeMap<String, PathBuf>,
    pub(crate) endpoints: BTreeMap<String, Endpoint>,
    pub(crate) options: BTreeMap<String, ConfigOption>,
    /// Resources as they are before anybody has attached any.
    pub(crate) resources: BTreeMap<String, Resource>,
    /// The names that file resources get beside the charm.
    pub(crate) files: BTreeMap<String, String>,
    /// Schemas of the actions' parameters.
    pub(crate) actions: BTreeMap<String, Value>,
}

impl Charm {
    /// Reads the charm in that folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let one_for_all = read_yaml(&folder.join("charmcraft.yaml"))?;
        let part = |file: &str, key: &str| -> Result<Option<Value>, Error> {
            let own = read_yaml(&folder.join(file))?;
            Ok(own.or_else(|| one_for_all.as_ref()?.get(key).cloned()))
        };
        let metadata = read_yaml(&folder.join("metadata.yaml"))?.or_else(|| one_for_all.clone());
        let metadata = metadata.ok_or_else(|| Error::NotACharm {
            folder: folder.to_owned(),
            reason: "neither metadata.yaml nor charmcraft.yaml is in it".to_owned(),
        })?;
        let name =
            metadata.get("name").and_then(Value::as_str).ok_or_else(|| Error::NotACharm {
                folder: folder.to_owned(),
                reason: "its metadata has no name".to_owned(),
            })?;
        let config = part("config.yaml", "config")?;
        let options = config.as_ref().and_then(|config| config.get("options"));
        let actions = part("actions.yaml", "actions")?;
        let storages = entries(metadata.get("storage"));
        Ok(Self {
            name: name.to_owned(),
            containers: entries(metadata.get("containers")).map(container).collect(),
            storages: storages.map(|(name, value)| (name.clone(), location(name, value))).collect(),
            endpoints: endpoints(&metadata),
            options: entries(options).map(|(name, value)| (name.clone(), option(value))).collect(),
            resources: entries(metadata.get("resources"))
                .filter_map(|(name, value)| Some((name.clone(), resource(value)?)))
                .collect(),
            files: entries(metadata.get("resources"))
                .filter_map(|(name, value)| {
                    Some((name.clone(), text(value, "filename")?.to_owned()))
                })
                .collect(),
            actions: entries(actions.as_ref())
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        })
    }

    pub(crate) fn container_names(&self) -> Vec<String> {
        self.containers.iter().map(|container| container.name.clone()).collect()
    }
}

/// A value for an option, as an operator writes it.
pub(crate) fn option_value(kind: OptionKind, text: &str) -> Option<Value> {
    match kind {
        OptionKind::String | OptionKind::Secret => Some(Value::String(text.to_owned())),
        OptionKind::Int => text.parse::<i64>().ok().map(Value::from),
        OptionKind::Float => text.parse::<f64>().ok().map(Value::from),
        OptionKind::Boolean => text.parse::<bool>().ok().map(Value::from),
    }
}

/// The file as JSON; nothing when it is not there.
pub(crate) fn read_yaml(path: &Path) -> Result<Option<Value>, Error> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::File { path: path.to_owned(), source }),
        Ok(text) => text,
    };
    let node = Node::parse(&text).map_err(|error| Error::NotACharm {
        folder: path.parent().unwrap_or(path).to_owned(),
        reason: format!("{}: {error}", path.display()),
    })?;
    Ok(node.map(|node| node.to_json()))
}

fn entries(map: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn container((name, value): (&String, &Value)) -> Container {
    let mounts = value.get("mounts").and_then(Value::as_array).into_iter().flatten();
    let mounts = mounts.filter_map(|mount| {
        Some(Mount {
            storage: text(mount, "storage")?.to_owned(),
            location: PathBuf::from(text(mount, "location")?),
        })
    });
    Container { name: name.clone(), mounts: mounts.collect(), memory_limit: None }
}

fn location(name: &str, value: &Value) -> PathBuf {
    let own = text(value, "location").map(PathBuf::from);
    own.unwrap_or_else(|| Path::new("/var/lib/juju/storage").join(name).join("0"))
}

fn endpoints(metadata: &Value) -> BTreeMap<String, Endpoint> {
    let sides = [("peers", Role::Peer), ("provides", Role::Provider), ("requires", Role::Requirer)];
    let mut all = BTreeMap::new();
    for (side, role) in sides {
        for (name, value) in entries(metadata.get(side)) {
            let interface = value.as_str().or_else(|| text(value, "interface"));
            let interface = interface.unwrap_or_default().to_owned();
            all.insert(name.clone(), Endpoint { role, interface });
        }
    }
    all
}

fn option(value: &Value) -> ConfigOption {
    let kind = match text(value, "type").unwrap_or("string") {
        "int" => OptionKind::Int,
        "float" => OptionKind::Float,
        "boolean" => OptionKind::Boolean,
        "secret" => OptionKind::Secret,
        _ => OptionKind::String,
    };
    let default = value.get("default").filter(|default| !default.is_null());
    let default = default.and_then(|default| match default.as_str() {
        Some(text) => option_value(kind, text),
        None => option_value(kind, &default.to_string()),
    });
    ConfigOption { kind, default, value: None }
}

/// An image is there from the start; a file only once it was attached.
fn resource(value: &Value) -> Option<Resource> {
    let image = text(value, "upstream-source").unwrap_or("image");
    (text(value, "type") == Some("oci-image")).then(|| Resource::OciImage {
        image: Image { registrypath: image.to_owned(), ..Image::default() },
    })
}
