//! What an operator does with a model, in the words of the `juju` command.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::trace::sink::Sink;

use super::applications::attach;
use super::applications::set_option;
use super::chance::Chance;
use super::charm::Charm;
use super::clock::Clock;
use super::cloud::Cloud;
use super::controller::Controller;
use super::core::CloudHandle;
use super::core::copy;
use super::deployment::Deployed;
use super::error::Error;
use super::keeper;
use super::model::Life;
use super::packed;
use super::requests::Resolved;
use super::switches::Switches;
use super::uniter::record::Record;
use super::world::World;
use crate::lock::lock;

/// How a controller behaves that applications are deployed to.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// How fast time passes.
    pub clock: Clock,
    /// Which Juju it is.
    pub switches: Switches,
    /// Decides what Juju leaves to chance.
    pub seed: u64,
    /// Where what happens is noted.
    pub trace: Sink,
}

/// What `juju deploy` is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deploy {
    /// The application's name.
    pub application: String,
    /// The folder of the charm: `metadata.yaml` or `charmcraft.yaml`, `dispatch`, ..
    pub charm: PathBuf,
    /// How many units.
    pub units: u32,
    /// Options that differ from their defaults, as written on a command line.
    pub config: BTreeMap<String, String>,
    /// Whether the charm may use the cluster's credentials.
    pub trust: bool,
    /// File resources by name.
    pub resources: BTreeMap<String, Vec<u8>>,
    /// Memory limits in bytes by container.
    pub memory_limits: BTreeMap<String, u64>,
}

impl Controller {
    /// Deploys to that Kubernetes from now on. The two know each other, so call `end` when all is
    /// over.
    pub fn connect(&self, cloud: Arc<dyn Cloud>, setting: Setting) {
        {
            let mut world = lock(self.world());
            world.model.now = None;
            let deployment = &mut world.deployment;
            deployment.clock = setting.clock;
            deployment.switches = setting.switches;
            deployment.chance = Chance::from_seed(setting.seed);
            deployment.trace = setting.trace;
            deployment.versions.by_content = setting.switches.unseen_when_undone;
        }
        if lock(&self.core.cloud).replace(CloudHandle(cloud)).is_none() {
            keeper::start(self.core.clone());
        }
    }

    /// Changes which Juju it is.
    pub fn set_switches(&self, switches: Switches) {
        let mut world = lock(self.world());
        world.deployment.switches = switches;
        world.deployment.versions.by_content = switches.unseen_when_undone;
        world.note_change();
    }

    /// Which Juju it is.
    pub fn switches(&self) -> Switches {
        lock(self.world()).deployment.switches
    }

    /// `juju deploy`.
    pub fn deploy(&self, deploy: &Deploy) -> Result<(), Error> {
        let charm = Charm::read(&deploy.charm)?;
        let name = &deploy.application;
        let folder = self.keep_charm(&deploy.charm, name, 1)?;
        let mut world = lock(self.world());
        if world.model.applications.contains_key(name) {
            return Err(Error::Exists { application: name.clone() });
        }
        let mut application = world.new_application(&charm);
        for (option, text) in &deploy.config {
            set_option(&mut application, name, option, Some(text))?;
        }
        application.trust = deploy.trust;
        for (resource, content) in &deploy.resources {
            attach(&mut application, &charm, resource, content);
        }
        world.model.applications.insert(name.clone(), application);
        world.add_peer_relations(name, &charm);
        let deployed = Deployed {
            charm,
            folders: BTreeMap::from([(1, folder)]),
            revision: 0,
            version: 1,
            scale: deploy.units,
            leaving: std::collections::BTreeSet::new(),
            applied: None,
            memory_limits: deploy.memory_limits.clone(),
        };
        world.deployment.applications.insert(name.clone(), deployed);
        (0..deploy.units).for_each(|number| world.add_unit(&format!("{name}/{number}")));
        world.operator(format!("deploy {name} -n {}", deploy.units));
        Ok(())
    }

    /// `juju scale-application`.
    pub fn scale(&self, application: &str, units: u32) -> Result<(), Error> {
        self.change(application, format!("scale-application {application} {units}"), |world| {
            if let Some(deployed) = world.deployment.applications.get_mut(application) {
                deployed.scale = units;
            }
            Ok(())
        })
    }

    /// `juju config`; an option without a value is reset to its default.
    pub fn config_set(
        &self,
        application: &str,
        options: &[(&str, Option<&str>)],
    ) -> Result<(), Error> {
        self.change(application, format!("config {application}"), |world| {
            let Some(record) = world.model.applications.get_mut(application) else { return Ok(()) };
            let mut changed = record.clone();
            for (option, text) in options {
                set_option(&mut changed, application, option, *text)?;
            }
            *record = changed;
            Ok(())
        })
    }

    /// `juju trust`.
    pub fn trust(&self, application: &str, trust: bool) -> Result<(), Error> {
        self.change(application, format!("trust {application}"), |world| {
            if let Some(record) = world.model.applications.get_mut(application) {
                record.trust = trust;
            }
            Ok(())
        })
    }

    /// `juju refresh` to the charm in that folder.
    pub fn refresh(&self, application: &str, charm: &Path) -> Result<(), Error> {
        let read = Charm::read(charm)?;
        let version = self.next_version(application)?;
        let folder = self.keep_charm(charm, application, version)?;
        self.change(application, format!("refresh {application}"), |world| {
            world.refresh(application, read, folder, version);
            Ok(())
        })
    }

    /// `juju attach-resource` of a file. The pods roll, unless the content is the same.
    pub fn attach_resource(
        &self,
        application: &str,
        resource: &str,
        content: &[u8],
    ) -> Result<(), Error> {
        self.change(application, format!("attach-resource {application} {resource}"), |world| {
            let record = world.model.applications.get_mut(application);
            let deployed = world.deployment.applications.get_mut(application);
            if let Some((record, deployed)) = record.zip(deployed)
                && attach(record, &deployed.charm, resource, content)
            {
                let folder = deployed.folders.get(&deployed.version).cloned().unwrap_or_default();
                deployed.version += 1;
                deployed.folders.insert(deployed.version, folder);
            }
            Ok(())
        })
    }

    /// `juju integrate`, of `application:endpoint` with another one; gives the relation's number.
    pub fn integrate(&self, one: (&str, &str), other: (&str, &str)) -> Result<u32, Error> {
        let mut world = lock(self.world());
        for (application, endpoint) in [one, other] {
            let record = world.model.applications.get(application);
            let found = record.is_some_and(|it| it.endpoints.contains_key(endpoint));
            if !found {
                let name = format!("{application}:{endpoint}");
                return Err(Error::NoSuchEndpoint { endpoint: name });
            }
        }
        let sides = [one, other];
        let is_known = world.model.relations.iter().any(|relation| {
            sides
                .iter()
                .all(|(application, endpoint)| relation.endpoint_of(application) == Some(*endpoint))
        });
        if is_known {
            let [one, other] = sides.map(|(name, endpoint)| format!("{name}:{endpoint}"));
            return Err(Error::Related { one, other });
        }
        let id = world.add_relation(&sides);
        world.operator(format!("integrate {}:{} {}:{}", one.0, one.1, other.0, other.1));
        Ok(id)
    }

    /// `juju remove-relation`: its units run what is to be run, then it is gone.
    pub fn remove_relation(&self, relation: u32) -> Result<(), Error> {
        let mut world = lock(self.world());
        let found = world.model.relation_mut(relation).filter(|relation| !relation.is_peer());
        let Some(found) = found else {
            let unit = "the model".to_owned();
            return Err(Error::NoSuchRelation { relation, unit });
        };
        found.life = Life::Dying;
        world.drop_broken_relations();
        world.operator(format!("remove-relation {relation}"));
        Ok(())
    }

    /// `juju remove-application`: all units tear down at once.
    pub fn remove_application(&self, application: &str) -> Result<(), Error> {
        self.change(application, format!("remove-application {application}"), |world| {
            if let Some(record) = world.model.applications.get_mut(application) {
                record.life = Life::Dying;
            }
            for relation in &mut world.model.relations {
                if relation.endpoints.contains_key(application) && !relation.is_peer() {
                    relation.life = Life::Dying;
                }
            }
            Ok(())
        })
    }

    /// An application's actions with their descriptions.
    pub fn actions(&self, application: &str) -> Option<BTreeMap<String, String>> {
        let world = lock(self.world());
        let actions = world.deployment.applications.get(application)?.charm.actions.iter();
        let told =
            |schema: &serde_json::Value| schema.get("description")?.as_str().map(str::to_owned);
        Some(actions.map(|(name, it)| (name.clone(), told(it).unwrap_or_default())).collect())
    }

    /// `juju resolved`: a failed hook is tried again at once, or taken for done.
    pub fn resolved(&self, unit: &str, how: Resolved) -> Result<(), Error> {
        let mut world = lock(self.world());
        if world.model.unit(unit).is_none() {
            return Err(Error::NoSuchUnit { unit: unit.to_owned() });
        }
        let is_failed = world.deployment.records.get(unit).is_some_and(Record::is_failed);
        if !is_failed {
            return Err(Error::NotFailed { unit: unit.to_owned() });
        }
        world.deployment.requests.resolved.insert(unit.to_owned(), how);
        world.operator(format!("resolved {unit}"));
        Ok(())
    }

    /// Whether the application was deployed, and is not gone.
    pub fn is_deployed(&self, application: &str) -> bool {
        lock(self.world()).deployment.applications.contains_key(application)
    }

    /// How often the application's charm was refreshed.
    pub fn revision(&self, application: &str) -> Option<u32> {
        let world = lock(self.world());
        world.deployment.applications.get(application).map(|deployed| deployed.revision)
    }

    /// How many units the application is to have.
    pub fn wanted_units(&self, application: &str) -> Option<u32> {
        let world = lock(self.world());
        world.deployment.applications.get(application).map(|deployed| deployed.scale)
    }

    /// The name of the application's charm.
    pub fn charm_name(&self, application: &str) -> Option<String> {
        let world = lock(self.world());
        world.deployment.applications.get(application).map(|it| it.charm.name.clone())
    }

    fn change<T>(
        &self,
        application: &str,
        command: String,
        change: impl FnOnce(&mut World) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut world = lock(self.world());
        if !world.deployment.applications.contains_key(application) {
            return Err(Error::NoSuchApplication { application: application.to_owned() });
        }
        let result = change(&mut world)?;
        world.operator(command);
        Ok(result)
    }

    fn next_version(&self, application: &str) -> Result<u32, Error> {
        let world = lock(self.world());
        let deployed = world.deployment.applications.get(application);
        let deployed = deployed
            .ok_or_else(|| Error::NoSuchApplication { application: application.to_owned() })?;
        Ok(deployed.version + 1)
    }

    /// Copies the charm, as an upload does: what becomes of the folder later is of no account.
    fn keep_charm(&self, charm: &Path, application: &str, version: u32) -> Result<PathBuf, Error> {
        let charms = self.core.directory.join("charms");
        std::fs::create_dir_all(&charms)
            .map_err(|source| Error::File { path: charms.clone(), source })?;
        let folder = charms.join(format!("{application}-{version}"));
        copy(charm, &folder)?;
        packed::complete(&folder)?;
        Ok(folder)
    }
}
