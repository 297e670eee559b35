//! Applications and relations as an operator's orders make and change them in the world.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::trace::entry::What;

use super::charm::Charm;
use super::charm::option_value;
use super::error::Error;
use super::model::Bag;
use super::model::Life;
use super::model::Model;
use super::model::application::Application;
use super::model::application::Resource;
use super::model::application::Role;
use super::model::relation::Relation;
use super::world::World;

impl World {
    /// Notes what the operator did, and that it changed something.
    pub(crate) fn operator(&mut self, command: String) {
        self.deployment.trace.push(What::Operator { command });
        self.note_change();
    }

    pub(crate) fn new_application(&mut self, charm: &Charm) -> Application {
        let number = self.deployment.applications.len() + 10;
        Application {
            life: Life::Alive,
            leader: None,
            service_address: format!("10.152.183.{number}"),
            status: self.model.status("unknown", ""),
            endpoints: charm.endpoints.clone(),
            config: charm.options.clone(),
            leader_settings: Bag::new(),
            resources: charm.resources.clone(),
            trust: false,
            units: BTreeMap::new(),
        }
    }

    pub(crate) fn add_peer_relations(&mut self, application: &str, charm: &Charm) {
        for (endpoint, declared) in &charm.endpoints {
            let known = self.model.relation_of(application, endpoint).is_some();
            if declared.role == Role::Peer && !known {
                self.add_relation(&[(application, endpoint)]);
            }
        }
    }

    pub(crate) fn add_relation(&mut self, sides: &[(&str, &str)]) -> u32 {
        let known = self.model.relations.iter().map(|relation| relation.id).max();
        let id = known.max(self.deployment.last_relation).map_or(0, |last| last + 1);
        self.deployment.last_relation = Some(id);
        let side = |(application, endpoint): &(&str, &str)| {
            ((*application).to_owned(), (*endpoint).to_owned())
        };
        let endpoints: BTreeMap<String, String> = sides.iter().map(side).collect();
        let application_data = endpoints.keys().map(|name| (name.clone(), Bag::new())).collect();
        self.model.relations.push(Relation {
            id,
            endpoints,
            life: Life::Alive,
            suspended: false,
            remote_model_uuid: None,
            status: self.model.status("joining", ""),
            units: BTreeMap::new(),
            application_data,
        });
        id
    }

    pub(crate) fn refresh(
        &mut self,
        application: &str,
        charm: Charm,
        folder: PathBuf,
        version: u32,
    ) {
        if let Some(record) = self.model.applications.get_mut(application) {
            let former = std::mem::take(&mut record.config);
            record.config.clone_from(&charm.options);
            for (name, option) in &mut record.config {
                option.value = former.get(name).and_then(|former| former.value.clone());
            }
            record.endpoints.clone_from(&charm.endpoints);
            for (name, resource) in &charm.resources {
                record.resources.entry(name.clone()).or_insert_with(|| resource.clone());
            }
        }
        self.add_peer_relations(application, &charm);
        if let Some(deployed) = self.deployment.applications.get_mut(application) {
            deployed.charm = charm;
            deployed.revision += 1;
            deployed.version = version;
            deployed.folders.insert(version, folder);
        }
    }
}

/// Gives an option a value, or its default again.
pub(crate) fn set_option(
    application: &mut Application,
    name: &str,
    option: &str,
    text: Option<&str>,
) -> Result<(), Error> {
    let unfit = |text: &str| Error::UnfitOption {
        option: option.to_owned(),
        value: text.to_owned(),
        application: name.to_owned(),
    };
    let known = application.config.get_mut(option);
    let known = known.ok_or_else(|| unfit(text.unwrap_or_default()))?;
    known.value = match text {
        None => None,
        Some(text) => Some(option_value(known.kind, text).ok_or_else(|| unfit(text))?),
    };
    Ok(())
}

/// Attaches a file; says whether it differs from what was there.
pub(crate) fn attach(
    application: &mut Application,
    charm: &Charm,
    name: &str,
    content: &[u8],
) -> bool {
    if let Some(Resource::File { content: known, .. }) = application.resources.get(name)
        && known == content
    {
        return false;
    }
    let filename = charm.files.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let resource = Resource::File { filename, content: content.to_vec() };
    application.resources.insert(name.to_owned(), resource);
    true
}

impl Model {
    /// An empty model of that name.
    pub fn named(name: &str) -> Self {
        let mut model = Self::application(name, 0);
        model.applications.clear();
        model.relations.clear();
        name.clone_into(&mut model.identity.name);
        model.now = None;
        model
    }
}
