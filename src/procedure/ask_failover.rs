//! Asking for a failover: one Sentinel, and a second only when the first surely does nothing.
//!
//! Two Sentinels that were asked 0.3 s apart chose different replicas, and both became master
//! (measured). So the choice is the same for everybody who asks: the lowest unit but the own whose
//! Sentinel answers.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::world::cluster::Cluster;

/// Whom it has asked, and when.
#[derive(Clone, Debug, Default)]
pub struct AskFailover {
    /// When a failover was last asked for or seen.
    under_way: Option<Duration>,
    /// Those that said no, until nobody else is left.
    refused: BTreeSet<u32>,
    /// Since when each one that was asked has said no.
    refused_since: Option<Duration>,
}

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask the first of these, in this order, that answers a PING within `PING`, on the same
    /// connection; then say how it was taken.
    Ask(Vec<u32>),
    /// Look again in a moment.
    Wait,
}

/// How a Sentinel took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It fails over, or may yet do so.
    Perhaps,
    /// It said that it does not.
    No,
}

/// How long a Sentinel may take to answer a PING.
pub const PING: Duration = Duration::from_millis(300);

/// How long after a request another Sentinel is not asked.
pub const ANOTHER_AFTER: Duration = Duration::from_secs(3);

/// Three attempts of Sentinel's own: it repeats one after twice the failover-timeout of 10 s.
pub const IN_VAIN_AFTER: Duration = Duration::from_mins(1);

impl AskFailover {
    /// The next step on what is seen `now` (time since any fixed moment), for a unit that wants
    /// another to become master.
    pub fn next(&mut self, seen: &Cluster, own: u32, now: Duration) -> Next {
        if seen.failover_leader().is_some() {
            self.under_way = Some(now);
        }
        // Asked at the same time as it acts by itself, it would be as if two had been asked.
        if seen.sentinels().any(|(_, view)| view.may_act_by_itself()) {
            return Next::Wait;
        }
        if self.under_way.is_some_and(|since| now.saturating_sub(since) < ANOTHER_AFTER) {
            return Next::Wait;
        }
        let planned = seen.planned();
        let others = || {
            seen.sentinels()
                .map(|(unit, _)| unit)
                .filter(|unit| *unit != own && planned.contains(unit))
        };
        let candidates: Vec<u32> = others().filter(|unit| !self.refused.contains(unit)).collect();
        if candidates.is_empty() {
            // What they said no to may have changed: they see a priority up to 10 s late.
            self.refused.clear();
            self.under_way = Some(now);
            return Next::Wait;
        }
        Next::Ask(candidates)
    }

    /// Whether it is in vain: for a minute nobody has done anything but refuse. Sentinels do so for ever
    /// where they were started after the master's end, and the replicas had lost it long before.
    pub fn is_in_vain(&self, now: Duration) -> bool {
        self.refused_since.is_some_and(|since| now.saturating_sub(since) >= IN_VAIN_AFTER)
    }

    /// How the Sentinel of a unit took it; `None` when none answered a PING.
    pub fn answered(&mut self, answer: Option<(u32, Taken)>, now: Duration) {
        match answer {
            Some((unit, Taken::No)) => {
                self.refused.insert(unit);
                self.refused_since.get_or_insert(now);
            }
            Some((_, Taken::Perhaps)) => {
                self.under_way = Some(now);
                self.refused_since = None;
            }
            None => self.under_way = Some(now),
        }
    }
}
