//! Databags at the commit.

use crate::juju::bag::Overlay;
use crate::juju::context::Context;
use crate::juju::hook::Kind;
use crate::juju::model::Model;

/// Whoever has written to the own application's databag, if only the same again, must lead still.
pub(super) fn check(context: &Context, model: &Model) -> Result<(), String> {
    let (unit, application) = (&context.unit, &context.application);
    let needs_lease = context.application_bags.values().any(Overlay::is_written);
    if needs_lease && model.leader(application) != Some(unit) {
        return Err(format!(
            "checking leadership continuity: \"{unit}\" is not leader of \"{application}\""
        ));
    }
    Ok(())
}

/// Carries what the hook has written into the databags.
pub(super) fn write(context: &Context, model: &mut Model) {
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
