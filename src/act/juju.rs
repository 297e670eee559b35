//! What is told to Juju: the commit of a run, and an action's failure.

use std::collections::BTreeMap;

use tracing::debug;

use crate::clients::hook_tools::ToolError;
use crate::clients::hook_tools::action::action_fail;
use crate::clients::hook_tools::action::action_set;
use crate::clients::hook_tools::relation::relation_set_application;
use crate::clients::hook_tools::relation::relation_set_unit;
use crate::clients::hook_tools::state::state_delete;
use crate::clients::hook_tools::state::state_set;
use crate::clients::hook_tools::status::version_set;
use crate::clock::Budget;
use crate::decide::plan::Plan;
use crate::world::deferral;
use crate::world::deferral::Deferral;
use crate::world::deferral::DeferralChange;
use crate::world::juju::Databag;
use crate::world::juju::Juju;
use crate::world::juju::SENTINEL_STATE;

/// How a commit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// All of it is with Juju, which keeps it when the process exits with 0.
    Written,
    /// Juju refused the application databag: another unit leads by now. Nothing was written.
    LeadershipLost,
}

/// Writes what differs into the application databag, in one call, and beside it what this unit tells its
/// peers and keeps.
pub fn commit(
    juju: &Juju,
    plan: &Plan,
    claims_sentinel: bool,
    deferral: &DeferralChange,
    budget: &Budget,
) -> Result<Committed, ToolError> {
    let changes = plan.application.changes_since(&juju.application);
    if let Some(relation) = juju.peer_relation.filter(|_| !changes.is_empty()) {
        match relation_set_application(relation, &changes, budget) {
            Err(ToolError::Failed { stderr, .. }) if stderr.contains("cannot write") => {
                return Ok(Committed::LeadershipLost);
            }
            written => written?,
        }
    }
    if let Some(relation) = juju.peer_relation.filter(|_| !plan.unit.is_empty()) {
        relation_set_unit(relation, &plan.unit, budget)?;
    }
    let mut state = Databag::new();
    if claims_sentinel {
        state.insert(SENTINEL_STATE.to_owned(), "own".to_owned());
    }
    match deferral {
        DeferralChange::Keep => {}
        DeferralChange::Store(entry) => {
            state.insert(deferral::STATE_KEY.to_owned(), entry.to_text());
        }
        DeferralChange::Drop => state_delete(deferral::STATE_KEY, budget)?,
    }
    if !state.is_empty() {
        state_set(&state, budget)?;
    }
    Ok(Committed::Written)
}

/// Keeps leader-elected for a later run.
pub fn store_deferral(entry: &Deferral, budget: &Budget) -> Result<(), ToolError> {
    state_set(&BTreeMap::from([(deferral::STATE_KEY.to_owned(), entry.to_text())]), budget)
}

/// Marks the action as failed.
pub fn fail_action(message: &str, budget: &Budget) -> Result<(), ToolError> {
    action_fail(message, budget)
}

/// Gives the action a result.
pub fn answer_action(key: &str, value: &str, budget: &Budget) -> Result<(), ToolError> {
    action_set(key, value, budget)
}

/// Tells the workload's version. One that cannot be set fails no hook.
pub fn set_version(version: &str, budget: &Budget) {
    if let Err(error) = version_set(version, budget) {
        debug!("cannot set the workload's version: {error}");
    }
}
