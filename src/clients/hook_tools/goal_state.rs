//! `goal-state`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::clients::hook_tools::Invocation;
use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;

/// The units of the own application that are alive or dying, by name, each with its status: the
/// workload's, or `dying`. A unit that is gone is not listed.
pub fn goal_state_units(budget: &Budget) -> Result<BTreeMap<String, String>, ToolError> {
    let goal: GoalState = Invocation::new("goal-state", &["--format=json"]).ask(budget)?;
    Ok(goal.units.into_iter().map(|(unit, entry)| (unit, entry.status)).collect())
}

/// What `goal-state` prints, as far as it is needed.
#[derive(Debug, Deserialize)]
pub struct GoalState {
    units: BTreeMap<String, GoalUnit>,
}

#[derive(Debug, Deserialize)]
struct GoalUnit {
    #[serde(default)]
    status: String,
}
