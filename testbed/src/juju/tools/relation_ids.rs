//! `relation-ids` and `relation-list`: which relations there are, and who is in them.

use super::Call;
use super::Refusal;
use crate::juju::flags::APP;
use crate::juju::flags::FORMAT;
use crate::juju::flags::OUTPUT;
use crate::juju::flags::RELATION;
use crate::juju::model::Life;
use crate::juju::output::Value;

/// Prints the relations of an endpoint.
pub(super) fn ids(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[FORMAT, OUTPUT])?;
    let of_hook = call.context.relation.as_ref().map(|relation| relation.endpoint.as_str());
    let endpoint = parsed
        .positional(0)
        .or(of_hook)
        .ok_or_else(|| Refusal::Usage("no endpoint name specified".to_owned()))?;
    parsed.at_most(1)?;
    let mut ids: Vec<String> = Vec::new();
    for number in call.context.relations() {
        let Some(relation) = call.world.model.relation(number) else { continue };
        // One that ends is still listed while somebody is left in it; a peer relation always.
        let ends = relation.life != Life::Alive || relation.suspended;
        let is_hidden = ends && !relation.is_peer() && call.context.members(number).is_empty();
        if relation.endpoint_of(&call.context.application) == Some(endpoint) && !is_hidden {
            ids.push(format!("{endpoint}:{number}"));
        }
    }
    ids.sort();
    call.print(&parsed, "smart", &Value::List(ids))
}

/// Prints the members of a relation, or the application on its other side.
pub(super) fn list(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[APP, RELATION, FORMAT, OUTPUT])?;
    let number = call.relation(&parsed)?;
    parsed.at_most(0)?;
    let value = if parsed.is_set(APP) {
        let relation = call.world.model.relation(number);
        let remote = relation.map(|it| it.remote_of(&call.context.application).to_owned());
        Value::Text(remote.unwrap_or_default())
    } else {
        Value::List(call.context.members(number).into_iter().collect())
    };
    call.print(&parsed, "smart", &value)
}

/// Prints the model on the other side of a relation.
pub(super) fn model(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[RELATION, FORMAT, OUTPUT])?;
    let number = call.relation(&parsed)?;
    parsed.at_most(0)?;
    let model = &call.world.model;
    let remote = model.relation(number).and_then(|it| it.remote_model_uuid.as_ref());
    let uuid = remote.unwrap_or(&model.identity.uuid).clone();
    let value = Value::Map(vec![("uuid".to_owned(), Value::Text(uuid))]);
    call.print(&parsed, "smart", &value)
}
