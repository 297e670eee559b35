//! The commit at the end of a hook: all of its buffered changes or none.

use super::context::Context;
use super::hook::Kind;
use super::model::Bag;
use super::model::Model;

/// Saves what the hook has buffered; the error is the text that Juju logs.
pub(crate) fn commit(context: &Context, model: &mut Model) -> Result<(), String> {
    check(context, model)?;
    if context.kind == Kind::Hook("config-changed".to_owned()) {
        refresh_network_keys(&context.unit, model);
    }
    for (relation, overlay) in &context.unit_bags {
        let member = model.relation_mut(*relation).and_then(|it| it.units.get_mut(&context.unit));
        if let Some(member) = member {
            overlay.carry_into(&mut member.data);
        }
    }
    let written = context.application_bags.iter().filter(|(_, overlay)| overlay.is_written());
    for (relation, overlay) in written {
        if let Some(relation) = model.relation_mut(*relation) {
            let application = context.application.clone();
            overlay.carry_into(relation.application_data.entry(application).or_default());
        }
    }
    if let (Some((_, state)), Some(unit)) = (&context.state, model.unit_mut(&context.unit)) {
        unit.state.clone_from(state);
    }
    Ok(())
}

fn check(context: &Context, model: &Model) -> Result<(), String> {
    let (unit, application) = (&context.unit, &context.application);
    let needs_lease = context.application_bags.values().any(super::bag::Overlay::is_written);
    if needs_lease && model.leader(application) != Some(unit) {
        return Err(format!(
            "checking leadership continuity: \"{unit}\" is not leader of \"{application}\""
        ));
    }
    if let Some((loaded, current)) = &context.state
        && loaded != current
        && stored_size(current) > STATE_LIMIT
    {
        return Err(format!("persisting charm state: max allowed size ({STATE_LIMIT}) exceeded"));
    }
    Ok(())
}

/// Juju writes the addresses anew in all databags of the unit.
fn refresh_network_keys(unit: &str, model: &mut Model) {
    let keys = model.network_keys(unit);
    for relation in &mut model.relations {
        if let Some(member) = relation.units.get_mut(unit).filter(|member| member.in_scope) {
            member.data.extend(keys.clone());
        }
    }
}

/// The size of a state as the controller's database stores it: a document of strings.
fn stored_size(state: &Bag) -> usize {
    let pairs: usize = state.iter().map(|(key, value)| key.len() + value.len() + 7).sum();
    pairs + 5
}

/// `max-charm-state-size` of a controller, in bytes, by default.
const STATE_LIMIT: usize = 2_097_152;
