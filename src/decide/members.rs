//! Units that are gone.

use crate::decide::Situation;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;

/// The planned units stand in the databag, so that a change of them makes an event on every unit.
pub fn record_planned(at: &Situation<'_>, plan: &mut Plan) {
    let Some(cluster) = at.cluster() else { return };
    let numbers: Vec<String> = cluster.planned().iter().map(u32::to_string).collect();
    let units = numbers.join(",");
    if !units.is_empty() && at.world.juju.application.units.as_ref() != Some(&units) {
        plan.write(format!("record units {units}"), "they are planned", |application| {
            application.units = Some(units);
        });
    }
}

/// Where this pod's own Sentinel cannot be restarted, every Sentinel forgets what is no planned unit's, where that is safe: the group is at rest, and
/// what is forgotten would not come straight back.
pub fn forget_gone(at: &Situation<'_>, plan: &mut Plan) {
    let Some(cluster) = at.cluster() else { return };
    // Elsewhere every unit does so in its own pod.
    if at.world.workload.as_ref().is_some_and(|workload| workload.sentinel.open().is_some()) {
        return;
    }
    let Ok(elected) = cluster.settled() else { return };
    let ready = cluster
        .stale_sentinels()
        .into_iter()
        .find(|sentinel| cluster.keeps_strangers(*sentinel, elected.master).is_none());
    let stranger = ready
        .and_then(|sentinel| cluster.sentinel(sentinel))
        .and_then(|view| cluster.strangers_in(view).into_iter().next());
    if let Some(stranger) = stranger {
        plan.push(Effect::ForgetUnits, format!("{stranger} is no planned unit's"));
    }
}
