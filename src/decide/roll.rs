//! A roll of the pods is held by the partition of the StatefulSet: the pods below it stay as they are.
//!
//! It always is the unit whose turn it is: the highest that is not both new and whole. So no pod goes
//! while one above it is not whole, and where all are, nothing is held. Every unit compares this at each
//! event, so that it does not matter who has held, and whether it is still there.

use crate::decide::Situation;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;

/// Holds what has to wait, and lets go whose turn it is.
pub fn hold(at: &Situation<'_>, plan: &mut Plan) {
    let Some((roll, cluster)) = at.world.roll.as_ref().zip(at.cluster()) else { return };
    let Some(turn) = roll.turn(cluster) else {
        if roll.partition > 0 {
            let why = if roll.is_under_way { "all pods are new and whole" } else { NO_ROLL };
            plan.push(Effect::SetPartition { from: roll.partition, to: 0 }, why);
        }
        return;
    };
    let unit = cluster.unit_text(turn);
    if roll.is_to_be_held_at(turn) {
        let why = format!("{unit} is not through the roll");
        plan.push(Effect::SetPartition { from: roll.partition, to: turn }, why);
    } else if roll.partition > turn && roll.hindrance(turn, cluster).is_none() {
        let why = format!("it is the turn of {unit}");
        plan.push(Effect::SetPartition { from: roll.partition, to: turn }, why);
    }
}

/// The pod that goes in a roll holds those below it until its next one is whole: that is known before it
/// is ready, which is when Kubernetes would go on. A unit that is being removed holds nothing.
pub fn hold_at_stop(at: &Situation<'_>, plan: &mut Plan) {
    let Some(roll) = &at.world.roll else { return };
    let own = at.world.juju.unit.number;
    if roll.is_under_way && !roll.is_leaving && roll.partition < own {
        let why = "this unit's pod is being replaced";
        plan.push(Effect::SetPartition { from: roll.partition, to: own }, why);
    }
}

const NO_ROLL: &str = "no roll is under way";
