//! What is told to Juju: the commit of a run, and an action's failure.

use crate::clients::hook_tools::ToolError;
use crate::clients::hook_tools::action::action_fail;
use crate::clients::hook_tools::relation::relation_set_application;
use crate::clients::hook_tools::state::state_delete;
use crate::clients::hook_tools::state::state_set;
use crate::clock::Budget;
use crate::world::deferral;
use crate::world::deferral::Deferral;
use crate::world::deferral::DeferralChange;
use crate::world::juju::Application;
use crate::world::juju::Juju;

/// How a commit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// All of it is with Juju, which keeps it when the process exits with 0.
    Written,
    /// Juju refused the application databag: another unit leads by now. Nothing was written.
    LeadershipLost,
}

/// Writes what differs into the application databag, in one call, and the deferral beside it.
pub fn commit(
    juju: &Juju,
    application: &Application,
    deferral: &DeferralChange,
    budget: &Budget,
) -> Result<Committed, ToolError> {
    let changes = application.changes_since(&juju.application);
    if let Some(relation) = juju.peer_relation.filter(|_| !changes.is_empty()) {
        match relation_set_application(relation, &changes, budget) {
            Err(ToolError::Failed { stderr, .. }) if stderr.contains("cannot write") => {
                return Ok(Committed::LeadershipLost);
            }
            written => written?,
        }
    }
    match deferral {
        DeferralChange::Keep => {}
        DeferralChange::Store(entry) => store_deferral(entry, budget)?,
        DeferralChange::Drop => state_delete(deferral::STATE_KEY, budget)?,
    }
    Ok(Committed::Written)
}

/// Keeps leader-elected for a later run.
pub fn store_deferral(entry: &Deferral, budget: &Budget) -> Result<(), ToolError> {
    state_set(deferral::STATE_KEY, &entry.to_text(), budget)
}

/// Marks the action as failed.
pub fn fail_action(message: &str, budget: &Budget) -> Result<(), ToolError> {
    action_fail(message, budget)
}
