//! `is-leader`.

use super::Call;
use super::Refusal;
use crate::juju::flags::FORMAT;
use crate::juju::flags::OUTPUT;
use crate::juju::output::Value;

/// Prints whether this unit leads.
pub(super) fn is_leader(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[FORMAT, OUTPUT])?;
    parsed.at_most(0)?;
    let leads = call.context.is_leader(call.world);
    call.print(&parsed, "smart", &Value::Bool(leads))
}
