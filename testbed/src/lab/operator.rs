//! What an operator does with a model: the verbs of the `juju` command, and some of `kubectl`.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::Lab;
use super::error::LabError;
use super::status::ModelStatus;

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

/// How an action or a command of `juju exec` ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its number.
    pub id: String,
    /// `completed` or `failed`.
    pub status: String,
    /// What `action-fail` said, or why it could not run.
    pub message: String,
    /// Results, with `return-code`, `stdout` and `stderr`.
    pub results: Value,
    /// Lines of `action-log`.
    pub log: Vec<String>,
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
        let _ = deployment;
        Err(LabError::Unsupported("deploy"))
    }

    /// `juju scale-application`.
    pub fn scale(&self, application: &str, units: u32) -> Result<(), LabError> {
        let _ = (application, units);
        Err(LabError::Unsupported("scale"))
    }

    /// `juju config APPLICATION key=value ..`.
    pub fn config(&self, application: &str, values: &[(&str, &str)]) -> Result<(), LabError> {
        let _ = (application, values);
        Err(LabError::Unsupported("config"))
    }

    /// `juju config APPLICATION`: options with their values; null where there is none.
    pub fn config_of(&self, application: &str) -> Result<BTreeMap<String, Value>, LabError> {
        let _ = application;
        Err(LabError::Unsupported("read config"))
    }

    /// `juju config APPLICATION --reset key`.
    pub fn reset_config(&self, application: &str, keys: &[&str]) -> Result<(), LabError> {
        let _ = (application, keys);
        Err(LabError::Unsupported("reset config"))
    }

    /// `juju trust`.
    pub fn trust(&self, application: &str, trusted: bool) -> Result<(), LabError> {
        let _ = (application, trusted);
        Err(LabError::Unsupported("trust"))
    }

    /// `juju refresh --path`.
    pub fn refresh(&self, application: &str, charm: &Path) -> Result<(), LabError> {
        let _ = (application, charm);
        Err(LabError::Unsupported("refresh"))
    }

    /// `juju attach-resource`.
    pub fn attach_resource(
        &self,
        application: &str,
        resource: &str,
        file: &Path,
    ) -> Result<(), LabError> {
        let _ = (application, resource, file);
        Err(LabError::Unsupported("attach a resource"))
    }

    /// `juju integrate one two`; each side is `application` or `application:endpoint`. Gives the
    /// relation's number.
    pub fn integrate(&self, one: &str, other: &str) -> Result<u32, LabError> {
        let _ = (one, other);
        Err(LabError::Unsupported("integrate"))
    }

    /// `juju remove-relation`.
    pub fn remove_relation(&self, one: &str, other: &str) -> Result<(), LabError> {
        let _ = (one, other);
        Err(LabError::Unsupported("remove a relation"))
    }

    /// `juju remove-application`.
    pub fn remove_application(&self, application: &str) -> Result<(), LabError> {
        let _ = application;
        Err(LabError::Unsupported("remove an application"))
    }

    /// `juju run UNIT ACTION key=value ..`, and waits for its end. Values are YAML, as there.
    pub fn run(
        &self,
        unit: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Outcome, LabError> {
        let id = self.begin_action(unit, action, parameters)?;
        self.outcome(&id, ACTION_LIMIT)
    }

    /// `juju run --background`. Gives the action's number.
    pub fn begin_action(
        &self,
        unit: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, LabError> {
        let _ = (unit, action, parameters);
        Err(LabError::Unsupported("run an action"))
    }

    /// Waits for an action's end.
    pub fn outcome(&self, action: &str, limit: Duration) -> Result<Outcome, LabError> {
        let _ = (action, limit);
        Err(LabError::Unsupported("wait for an action"))
    }

    /// `juju exec --unit UNIT -- command`, and waits for its end.
    pub fn exec(&self, unit: &str, command: &str) -> Result<Outcome, LabError> {
        let _ = (unit, command);
        Err(LabError::Unsupported("exec"))
    }

    /// `juju resolved`; without `retry` the failed hook is taken for done.
    pub fn resolved(&self, unit: &str, retry: bool) -> Result<(), LabError> {
        let _ = (unit, retry);
        Err(LabError::Unsupported("resolve"))
    }

    /// `juju status`.
    pub fn status(&self) -> ModelStatus {
        ModelStatus {
            model: self.options.model.clone(),
            applications: Vec::new(),
            relations: Vec::new(),
        }
    }
}

/// Long against any action; whoever means to wait longer says so.
const ACTION_LIMIT: Duration = Duration::from_mins(2);
