//! `goal-state`: units and relations as they are meant to be; never cached.

use std::collections::BTreeMap;

use super::Call;
use super::Refusal;
use crate::juju::flags::Flag;
use crate::juju::flags::OUTPUT;
use crate::juju::flags::Takes;
use crate::juju::model::Life;
use crate::juju::model::application::Application;
use crate::juju::output::Value;

/// Prints the goal state of the own application.
pub(super) fn goal_state(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[FORMAT_OF_STRUCTURE, OUTPUT])?;
    parsed.at_most(0)?;
    let model = &call.world.model;
    let own = &call.context.application;
    let mut units = BTreeMap::new();
    units.extend(model.applications.get(own).into_iter().flat_map(units_of));
    let mut relations: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for relation in model.relations.iter().filter(|relation| !relation.is_peer()) {
        let Some(endpoint) = relation.endpoint_of(own) else { continue };
        let remote = relation.remote_of(own);
        let Some(application) = model.applications.get(remote) else { continue };
        let entries = relations.entry(endpoint.to_owned()).or_default();
        let status = &relation.status;
        entries.insert(remote.to_owned(), entry(&status.status, &status.since));
        entries.extend(units_of(application));
    }
    let relations = relations.into_iter().map(|(endpoint, entries)| (endpoint, map(entries)));
    let value = Value::Map(vec![
        ("units".to_owned(), map(units)),
        ("relations".to_owned(), map(relations.collect())),
    ]);
    call.print(&parsed, "yaml", &value)
}

/// Units that are not dead, with their status, which for one on its way out is `dying`, and for one
/// whose hook has failed `error`.
fn units_of(application: &Application) -> impl Iterator<Item = (String, Value)> {
    let units = application.units.iter().filter(|(_, unit)| unit.life != Life::Dead);
    units.map(|(name, unit)| {
        let failed = unit.agent_status.as_ref().filter(|status| status.status == "error");
        let status = match failed {
            _ if unit.life == Life::Dying => "dying",
            Some(_) => "error",
            None => &unit.status.status,
        };
        (name.clone(), entry(status, &unit.status.since))
    })
}

fn entry(status: &str, since: &str) -> Value {
    Value::Map(vec![
        ("status".to_owned(), Value::Text(status.to_owned())),
        ("since".to_owned(), Value::Text(since.replace('T', " "))),
    ])
}

fn map(entries: BTreeMap<String, Value>) -> Value {
    Value::Map(entries.into_iter().collect())
}

const FORMAT_OF_STRUCTURE: Flag = Flag { names: &["format"], takes: Takes::FormatOfStructure };
