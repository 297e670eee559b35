//! The charm's state at the commit.

use crate::juju::context::Context;
use crate::juju::model::Bag;
use crate::juju::model::Model;

/// A state that was changed must not be too large.
pub(super) fn check(context: &Context) -> Result<(), String> {
    if let Some((loaded, current)) = &context.state
        && loaded != current
        && stored_size(current) > STATE_LIMIT
    {
        return Err(format!("persisting charm state: max allowed size ({STATE_LIMIT}) exceeded"));
    }
    Ok(())
}

/// Keeps the whole state as the hook has it.
pub(super) fn write(context: &Context, model: &mut Model) {
    if let (Some((_, state)), Some(unit)) = (&context.state, model.unit_mut(&context.unit)) {
        unit.state.clone_from(state);
    }
}

/// The size of a state as the controller's database stores it: a document of strings.
fn stored_size(state: &Bag) -> usize {
    let pairs: usize = state.iter().map(|(key, value)| key.len() + value.len() + 7).sum();
    pairs + 5
}

/// `max-charm-state-size` of a controller, in bytes, by default.
const STATE_LIMIT: usize = 2_097_152;
