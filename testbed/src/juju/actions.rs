//! Actions and commands that an operator asks of units.

use std::time::Duration;
use std::time::Instant;

use serde_json::Map;
use serde_json::Value;

use super::action::ActionResult;
use super::controller::Controller;
use super::core::Core;
use super::error::Error;
use super::model::application_of;
use super::requests::RequestKind;
use super::switches::Switches;
use crate::lock::lock;

impl Controller {
    /// `juju run`: asks a unit for an action; the number is to wait by. Parameters that do not fit
    /// what the charm declares never reach it.
    pub fn run_action(
        &self,
        unit: &str,
        action: &str,
        parameters: Map<String, Value>,
    ) -> Result<u64, Error> {
        let mut world = lock(self.world());
        let deployment = &world.deployment;
        let refusal = |reason: String| Error::UnfitAction {
            action: action.to_owned(),
            unit: unit.to_owned(),
            reason,
        };
        let deployed = deployment.applications.get(application_of(unit));
        let schema = deployed.and_then(|deployed| deployed.charm.actions.get(action));
        let schema = schema.ok_or_else(|| refusal("its charm has no such action".to_owned()))?;
        let parameters = filled_in(schema, parameters, deployment.switches).map_err(refusal)?;
        if world.model.unit(unit).is_none() {
            return Err(Error::NoSuchUnit { unit: unit.to_owned() });
        }
        let kind = RequestKind::Action { name: action.to_owned(), parameters };
        let id = world.deployment.requests.add(unit, kind);
        world.operator(format!("run {unit} {action}"));
        Ok(id)
    }

    /// `juju exec`: asks a unit to run a line of shell with the environment of a hook.
    pub fn exec(&self, unit: &str, command: &str) -> Result<u64, Error> {
        let mut world = lock(self.world());
        if world.model.unit(unit).is_none() {
            return Err(Error::NoSuchUnit { unit: unit.to_owned() });
        }
        let kind = RequestKind::Exec { command: command.to_owned() };
        let id = world.deployment.requests.add(unit, kind);
        world.operator(format!("exec --unit {unit} -- {command}"));
        Ok(id)
    }

    /// What became of an action or a command; nothing while it has not ended.
    pub fn action_result(&self, id: u64) -> Option<ActionResult> {
        lock(self.world()).deployment.requests.result(id).cloned()
    }

    /// Waits for the end of an action or a command.
    pub fn wait_for_action(&self, id: u64, limit: Duration) -> Result<ActionResult, Error> {
        let deadline = Instant::now().checked_add(limit);
        let mut world = lock(self.world());
        loop {
            if let Some(result) = world.deployment.requests.result(id) {
                return Ok(result.clone());
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                let seen = format!("{:?}", world.deployment.requests.get(id));
                return Err(Error::Late { what: format!("the end of task {id}"), limit, seen });
            }
            world = Core::wait(world, deadline);
        }
    }
}

/// The parameters with their defaults; the error says what does not fit.
fn filled_in(
    schema: &Value,
    mut parameters: Map<String, Value>,
    switches: Switches,
) -> Result<Map<String, Value>, String> {
    let empty = Map::new();
    let declared = schema.get("params").and_then(Value::as_object).unwrap_or(&empty);
    let open = schema.get("additionalProperties").and_then(Value::as_bool);
    for (name, value) in &parameters {
        match declared.get(name) {
            None if !open.unwrap_or(!switches.undeclared_parameters_refused) => {
                return Err(format!("additional property \"{name}\" is not allowed"));
            }
            Some(schema) if !has_type(schema, value) => {
                return Err(format!("parameter \"{name}\" is no {}", schema["type"]));
            }
            None | Some(_) => {}
        }
    }
    for (name, schema) in declared {
        if let Some(default) = schema.get("default")
            && !parameters.contains_key(name)
        {
            parameters.insert(name.clone(), default.clone());
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if !parameters.contains_key(name) {
            return Err(format!("\"{name}\" is missing"));
        }
    }
    Ok(parameters)
}

fn has_type(schema: &Value, value: &Value) -> bool {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(_) | None => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::filled_in;
    use crate::juju::switches::Switches;

    #[test]
    fn parameters_get_their_defaults_and_those_that_do_not_fit_are_refused() {
        let schema = json!({
            "params": {"n": {"type": "integer", "default": 3}, "who": {"type": "string"}},
            "required": ["who"],
        });
        let map = |value: Value| value.as_object().cloned().unwrap();
        let rows = [
            (json!({"who": "a"}), Switches::JUJU_3, Ok(json!({"who": "a", "n": 3}))),
            (json!({"who": "a", "n": 4}), Switches::JUJU_3, Ok(json!({"who": "a", "n": 4}))),
            (json!({"n": 4}), Switches::JUJU_3, Err("\"who\" is missing")),
            (json!({"who": 1}), Switches::JUJU_3, Err("parameter \"who\" is no \"string\"")),
            (
                json!({"who": "a", "x": 1}),
                Switches::JUJU_3,
                Ok(json!({"who": "a", "n": 3, "x": 1})),
            ),
            (
                json!({"who": "a", "x": 1}),
                Switches::JUJU_4,
                Err("additional property \"x\" is not allowed"),
            ),
        ];
        for (given, switches, expected) in rows {
            let filled = filled_in(&schema, map(given), switches);
            assert_eq!(filled, expected.map(map).map_err(str::to_owned));
        }
    }
}
