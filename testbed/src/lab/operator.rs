//! What an operator does with a model: the verbs of the `juju` command.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Map;
use serde_json::Value;

use super::Lab;
use super::ends;
use super::error::LabError;
use crate::error::at_file;
use crate::juju::action::ActionResult;
use crate::juju::operator::Deploy;
use crate::juju::requests::Resolved;
use crate::pebble::yaml::node::Node;
use crate::trace::mask::is_confidential;

/// What `juju deploy` is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deployment {
    /// The folder of an unpacked charm: `metadata.yaml` or `charmcraft.yaml`, `dispatch`, ..
    pub charm: PathBuf,
    /// The application's name.
    pub application: String,
    /// How many units.
    pub units: u32,
    /// Options that differ from their defaults, as written on a command line.
    pub config: BTreeMap<String, String>,
    /// Whether the charm may use the cluster's credentials.
    pub trust: bool,
    /// File resources by name.
    pub resources: BTreeMap<String, PathBuf>,
    /// Memory limit in bytes, by container.
    pub memory: BTreeMap<String, u64>,
}

impl Lab {
    /// `juju deploy`, with defaults for all that `deploy_with` can be told.
    pub fn deploy(&self, charm: &Path, application: &str, units: u32) -> Result<(), LabError> {
        self.deploy_with(&Deployment {
            charm: charm.to_owned(),
            application: application.to_owned(),
            units,
            ..Deployment::default()
        })
    }

    /// `juju deploy`.
    pub fn deploy_with(&self, deployment: &Deployment) -> Result<(), LabError> {
        if !deployment.charm.is_dir() {
            return Err(LabError::NoFolder { path: deployment.charm.clone() });
        }
        let mut resources = BTreeMap::new();
        for (name, file) in &deployment.resources {
            resources.insert(name.clone(), fs::read(file).map_err(at_file(file))?);
        }
        let options = deployment.config.iter();
        for (_, value) in options.filter(|(key, _)| is_confidential(key)) {
            self.trace().learn(value);
        }
        Ok(self.controller.deploy(&Deploy {
            application: deployment.application.clone(),
            charm: deployment.charm.clone(),
            units: deployment.units,
            config: deployment.config.clone(),
            trust: deployment.trust,
            resources,
            memory_limits: deployment.memory.clone(),
        })?)
    }

    /// `juju scale-application`.
    pub fn scale(&self, application: &str, units: u32) -> Result<(), LabError> {
        Ok(self.controller.scale(application, units)?)
    }

    /// `juju config APPLICATION key=value ..`.
    pub fn config(&self, application: &str, values: &[(&str, &str)]) -> Result<(), LabError> {
        for (_, value) in values.iter().filter(|(key, _)| is_confidential(key)) {
            self.trace().learn(value);
        }
        let options: Vec<_> = values.iter().map(|(key, value)| (*key, Some(*value))).collect();
        Ok(self.controller.config_set(application, &options)?)
    }

    /// `juju config APPLICATION --reset key,..`.
    pub fn reset_config(&self, application: &str, keys: &[&str]) -> Result<(), LabError> {
        let options: Vec<_> = keys.iter().map(|key| (*key, None)).collect();
        Ok(self.controller.config_set(application, &options)?)
    }

    /// `juju config APPLICATION`: options with their values; null where there is none.
    pub fn config_of(&self, application: &str) -> Result<BTreeMap<String, Value>, LabError> {
        self.controller.read(|model| {
            let record = model.applications.get(application);
            let record =
                record.ok_or_else(|| LabError::NoApplication { name: application.to_owned() })?;
            let options = record.config.iter();
            Ok(options
                .map(|(key, option)| (key.clone(), option.current().cloned().unwrap_or_default()))
                .collect())
        })
    }

    /// `juju trust`.
    pub fn trust(&self, application: &str, trusted: bool) -> Result<(), LabError> {
        Ok(self.controller.trust(application, trusted)?)
    }

    /// `juju refresh --path`.
    pub fn refresh(&self, application: &str, charm: &Path) -> Result<(), LabError> {
        if !charm.is_dir() {
            return Err(LabError::NoFolder { path: charm.to_owned() });
        }
        Ok(self.controller.refresh(application, charm)?)
    }

    /// `juju attach-resource`.
    pub fn attach_resource(
        &self,
        application: &str,
        resource: &str,
        file: &Path,
    ) -> Result<(), LabError> {
        let content = fs::read(file).map_err(at_file(file))?;
        Ok(self.controller.attach_resource(application, resource, &content)?)
    }

    /// `juju integrate one two`; each side is `application` or `application:endpoint`. Gives the
    /// relation's number.
    pub fn integrate(&self, one: &str, other: &str) -> Result<u32, LabError> {
        let sides = self.controller.read(|model| ends::fitting(model, one, other))?;
        let [one, other] = sides.each_ref().map(ends::End::as_pair);
        Ok(self.controller.integrate(one, other)?)
    }

    /// `juju remove-relation`.
    pub fn remove_relation(&self, one: &str, other: &str) -> Result<(), LabError> {
        let relation = self.controller.read(|model| ends::relation(model, one, other))?;
        Ok(self.controller.remove_relation(relation)?)
    }

    /// `juju remove-application`.
    pub fn remove_application(&self, application: &str) -> Result<(), LabError> {
        Ok(self.controller.remove_application(application)?)
    }

    /// `juju run UNIT ACTION key=value ..`, and waits for its end. Values are YAML, as there.
    pub fn run(
        &self,
        unit: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<ActionResult, LabError> {
        let task = self.begin_action(unit, action, parameters)?;
        self.outcome(task, ACTION_LIMIT)
    }

    /// `juju run --background`. Gives the task's number.
    pub fn begin_action(
        &self,
        unit: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<u64, LabError> {
        let parameters = parameters.iter().map(|(key, text)| {
            let node = Node::parse(text).ok().flatten();
            let value = node.map_or_else(|| Value::String((*text).to_owned()), |it| it.to_json());
            ((*key).to_owned(), value)
        });
        Ok(self.controller.run_action(unit, action, parameters.collect::<Map<_, _>>())?)
    }

    /// Waits for the end of an action, or of a command of `juju exec`.
    pub fn outcome(&self, task: u64, limit: Duration) -> Result<ActionResult, LabError> {
        Ok(self.controller.wait_for_action(task, limit)?)
    }

    /// `juju exec --unit UNIT -- command`, and waits for its end.
    pub fn exec(&self, unit: &str, command: &str) -> Result<ActionResult, LabError> {
        let task = self.controller.exec(unit, command)?;
        self.outcome(task, ACTION_LIMIT)
    }

    /// `juju resolved`; without `retry` the failed hook is taken for done.
    pub fn resolved(&self, unit: &str, retry: bool) -> Result<(), LabError> {
        let how = if retry { Resolved::Retry } else { Resolved::Skip };
        Ok(self.controller.resolved(unit, how)?)
    }
}

/// Long against any action; whoever means to wait longer says so.
const ACTION_LIMIT: Duration = Duration::from_mins(2);
