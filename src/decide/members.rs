//! Units that are gone.

use crate::decide::Situation;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;

/// Who leaves stands in the databag until it is forgotten, so that its going and its end make an event
/// on every unit: Juju 4 mostly tells nobody.
pub fn record_leaving(at: &Situation<'_>, plan: &mut Plan) {
    let Some(cluster) = at.cluster() else { return };
    let numbers: Vec<String> = cluster.leaving().iter().map(u32::to_string).collect();
    let leaving = Some(numbers.join(",")).filter(|text| !text.is_empty());
    if at.world.juju.application.leaving == leaving {
        return;
    }
    let (what, reason) = match &leaving {
        Some(units) => (format!("record that units {units} leave"), "every unit is to know"),
        None => ("record that no unit leaves".to_owned(), "nobody knows one any more"),
    };
    plan.write(what, reason, |application| application.leaving = leaving);
}

/// Where this pod's own Sentinel cannot be restarted, every Sentinel forgets what is no planned unit's,
/// where that is safe: the group is at rest, and what is forgotten would not come straight back.
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
