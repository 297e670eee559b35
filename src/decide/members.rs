//! Units that are gone.

use crate::decide::Situation;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;

/// Every Sentinel forgets what is no planned unit's, where that is safe: the group is at rest, and
/// what is forgotten would not come straight back.
pub fn forget_gone(at: &Situation<'_>, plan: &mut Plan) {
    let Some(cluster) = at.cluster() else { return };
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
