//! What an operator's tools read of a model, beyond its status.

use std::collections::BTreeMap;

use super::Lab;
use super::error::LabError;
use crate::juju::model::Model;

impl Lab {
    /// What the controller holds now.
    pub fn model(&self) -> Result<Model, LabError> {
        Err(LabError::Unsupported("look at the model"))
    }

    /// `juju actions`: an application's actions with their descriptions.
    pub fn actions(&self, application: &str) -> Result<BTreeMap<String, String>, LabError> {
        let _ = application;
        Err(LabError::Unsupported("list actions"))
    }

    /// How much faster than Juju's own all periods pass.
    pub fn speed(&self) -> f64 {
        self.options.speed
    }

    /// Lets all periods that begin from now on pass that much faster than Juju's own.
    pub fn set_speed(&self, speed: f64) -> Result<(), LabError> {
        let _ = speed;
        Err(LabError::Unsupported("change the speed"))
    }

    /// How Juju behaves where its versions differ: each switch's name and value.
    pub fn switches(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Sets a switch by its name.
    pub fn set_switch(&self, name: &str, value: &str) -> Result<(), LabError> {
        let _ = (name, value);
        Err(LabError::Unsupported("set a switch"))
    }
}
