//! The last word: what is logged of a run, and the unit's status.

use std::error::Error;

use tracing::debug;
use tracing::info;
use tracing::warn;

use crate::clients::hook_tools::status::application_status_set;
use crate::clients::hook_tools::status::status_set;
use crate::clock::Budget;
use crate::decide::plan::Plan;
use crate::decide::verdict::Status;
use crate::decide::verdict::Verdict;
use crate::world::cluster::Cluster;
use crate::world::deferral::DeferralChange;

/// Logs what was decided for the databag, what failed, who is silent, and what is kept for later.
pub fn log(plan: &Plan, failures: &[String], after: Option<&Cluster>, verdict: &Verdict) {
    for write in plan.writes() {
        info!("{write}");
    }
    for failure in failures {
        warn!("{failure}");
    }
    for (unit, member) in after.iter().flat_map(|cluster| &cluster.members) {
        let name = after.map(|cluster| cluster.unit_text(*unit)).unwrap_or_default();
        for (server, silence) in
            [("Redis", member.redis.silence()), ("Sentinel", member.sentinel.silence())]
        {
            if let Some(silence) = silence {
                warn!("{server} of {name} {silence}{}", silence.advice());
            }
        }
    }
    match &verdict.deferral {
        DeferralChange::Keep => {}
        DeferralChange::Store(entry) => {
            info!("leader-elected is kept for the next event (try {}): {}", entry.tries, entry.why);
        }
        DeferralChange::Drop => info!("the deferred leader-elected is done with"),
    }
}

/// Sets the unit's status, and the application's. A status that cannot be set fails no hook.
pub fn status(verdict: &Verdict, budget: &Budget) {
    if let Some(Status { word, message }) = &verdict.status
        && let Err(error) = status_set(word.text(), message, budget)
    {
        debug!("cannot set the status: {error}");
    }
    if let Some(Status { word, message }) = &verdict.application
        && let Err(error) = application_status_set(word.text(), message, budget)
    {
        debug!("cannot set the application's status: {error}");
    }
}

/// An error with all that caused it, each said once.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
