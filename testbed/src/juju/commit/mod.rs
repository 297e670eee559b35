//! The commit at the end of a hook: all of its buffered changes or none.

mod ports;
mod relations;
mod secrets;
mod state;

use super::context::Context;
use super::model::Model;

/// Saves what the hook has buffered; the error is the text that Juju logs.
pub(crate) fn commit(context: &Context, model: &mut Model) -> Result<(), String> {
    ports::refuse_protocols(&context.ports)?;
    // Whatever fails after this, secrets are not undone.
    secrets::write(context, model)?;
    // From here on it is one transaction: nothing is written before all is checked.
    relations::check(context, model)?;
    ports::check(context, model)?;
    state::check(context)?;
    relations::write(context, model);
    ports::write(context, model);
    state::write(context, model);
    Ok(())
}
