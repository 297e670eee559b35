//! Settings of the Sentinels.

use crate::decide::Situation;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;
use crate::procedure::forget_units::SHORT_INFO_PERIOD;
use crate::world::election::majority;

/// Every Sentinel has the quorum of the planned units. It is raised only where all of them are
/// listed: a Sentinel that knows one unit and wants two votes could never fail over.
pub fn set_quorum(at: &Situation<'_>, plan: &mut Plan) {
    let Some(cluster) = at.cluster() else { return };
    let planned = cluster.planned().len();
    if planned == 0 || cluster.elected().is_err() {
        return;
    }
    let quorum = majority(planned);
    let sentinels: Vec<u32> = cluster
        .sentinels()
        .filter(|(_, view)| view.quorum != quorum)
        .filter(|(unit, view)| view.quorum > quorum || cluster.counts_everyone(*unit))
        .map(|(unit, _)| unit)
        .collect();
    if !sentinels.is_empty() {
        let units = if planned == 1 { "unit" } else { "units" };
        plan.push(Effect::SetQuorum { quorum, sentinels }, format!("{planned} {units} planned"));
    }
}

/// A run that was killed while it had a Sentinel look each second is put right.
pub fn restore_info_period(at: &Situation<'_>, plan: &mut Plan) {
    let Some(cluster) = at.cluster() else { return };
    let sentinels: Vec<u32> = cluster
        .sentinels()
        .filter(|(_, view)| view.info_period == Some(SHORT_INFO_PERIOD))
        .map(|(unit, _)| unit)
        .collect();
    if !sentinels.is_empty() {
        plan.push(Effect::RestoreInfoPeriod { sentinels }, "an earlier run was cut short");
    }
}
