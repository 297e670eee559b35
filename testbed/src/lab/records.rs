//! What an operator's tools read of a model, beyond its status.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;

use super::Lab;
use super::error::LabError;
use crate::juju::model::Model;
use crate::juju::switches::Switches;

impl Lab {
    /// What the controller holds now.
    pub fn model(&self) -> Model {
        self.controller.read(Model::clone)
    }

    /// What an application's peer databag holds; nothing if there is none.
    pub fn databag(&self, application: &str) -> BTreeMap<String, String> {
        self.controller.read(|model| {
            let peers = model.relations.iter().filter(|it| it.is_peer());
            let mut bags = peers.filter_map(|it| it.application_data.get(application));
            bags.next().cloned().unwrap_or_default()
        })
    }

    /// `juju actions`: an application's actions with their descriptions.
    pub fn actions(&self, application: &str) -> Result<BTreeMap<String, String>, LabError> {
        let found = self.controller.actions(application);
        found.ok_or_else(|| LabError::NoApplication { name: application.to_owned() })
    }

    /// How much faster than Juju's own all periods pass.
    pub fn speed(&self) -> f64 {
        self.options.speed
    }

    /// How Juju behaves where its versions differ: each switch's name and value.
    pub fn switches(&self) -> Map<String, Value> {
        match serde_json::to_value(self.controller.switches()) {
            Ok(Value::Object(switches)) => switches,
            // A struct becomes nothing else.
            _ => Map::new(),
        }
    }

    /// Sets a switch by its name, or all of them to those of a Juju: `juju` to `3` or `4`.
    pub fn set_switch(&self, name: &str, value: &str) -> Result<(), LabError> {
        let wrong = |reason: String| LabError::NoSwitch { name: name.to_owned(), reason };
        let switches = match (name, value) {
            ("juju", "3") => Switches::JUJU_3,
            ("juju", "4") => Switches::JUJU_4,
            _ => {
                let mut switches = self.switches();
                let current = switches.get_mut(name);
                let current = current.ok_or_else(|| wrong("there is none".to_owned()))?;
                *current = match value {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    word => Value::String(word.to_owned()),
                };
                let switches = serde_json::from_value(Value::Object(switches));
                switches.map_err(|error| wrong(error.to_string()))?
            }
        };
        self.note(&format!("switch {name} {value}"));
        self.switch(switches);
        Ok(())
    }
}
