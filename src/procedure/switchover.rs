//! A planned switch: a master that leaves lets another become master, and no acknowledged write is lost.
//!
//! ```text
//! somebody in sync -> fence -> everybody has all -> one Sentinel is asked -> another is master
//!                 -> the old one follows it -> the fence falls
//! ```
//!
//! The fence is `CLIENT PAUSE <ms> WRITE`: it ends by itself, so a switch that is cut off heals. It
//! stands, renewed, from before the request until the old master is none any more. Sentinel chooses
//! the new master by itself, so everybody whom it might choose has to have everything; where it acts
//! on older knowledge than ours, it is made to look again before it is asked. Pure: it reads no clock
//! and sends nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::procedure::ask_failover::AskFailover;
use crate::procedure::ask_failover::Next as Asking;
use crate::procedure::ask_failover::Taken;
use crate::procedure::forget_units::SHORT_INFO_PERIOD;
use crate::world::cluster::Cluster;
use crate::world::cluster::RedisView;
use crate::world::cluster::Role;
use crate::world::cluster::SentinelView;

/// The time that a switch has, counted from the same moment as every `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// When it goes on with whom there is.
    pub ready: Duration,
    /// When it is given up.
    pub over: Duration,
}

/// Where a switch stands.
#[derive(Clone, Debug)]
pub struct Switchover {
    own: u32,
    limits: Limits,
    stage: Stage,
    asking: AskFailover,
    /// Whose Sentinels were made to look at the servers each second.
    hastened: BTreeSet<u32>,
    /// Since when there has been nobody to hand over to.
    alone_since: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Writes are taken.
    Open,
    /// Writes are held since the last fence; `goal` is what the master had then.
    Fenced {
        at: Duration,
        goal: Option<u64>,
    },
    Over(Outcome),
}

/// The next step. After each the cluster is looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The old master holds all writes for `FENCE` from now on; then say whether it does.
    Fence,
    /// These units' Sentinels look at the servers each second from now on.
    Hasten(Vec<u32>),
    /// Ask the first of these units' Sentinels that answers a PING; then say how it was taken.
    Ask(Vec<u32>),
    /// The old master follows this unit.
    Follow(u32),
    /// The old master holds no writes any more: it refuses them.
    Unfence,
    /// Look again in a moment.
    Look,
    /// Nothing more.
    Done(Outcome),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This unit is master now.
    Moved(u32),
    /// The own Redis is no master, or does not answer.
    NoMaster,
    /// No other planned unit has a Redis that could take over.
    NobodyThere,
    /// No other unit got in sync in time.
    NobodyInSync,
    /// No other unit's Sentinel answers.
    NobodyToAsk,
    /// The time was up. The fence stands, if it was reached: a request may be under way.
    OutOfTime,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moved(unit) => write!(out, "unit {unit} is master now"),
            Self::NoMaster => out.write_str("the own Redis is no master"),
            Self::NobodyThere => out.write_str("no other unit could take over"),
            Self::NobodyInSync => out.write_str("no other unit was in sync in time"),
            Self::NobodyToAsk => out.write_str("no other unit's Sentinel answers"),
            Self::OutOfTime => out.write_str("no other unit was master in time"),
        }
    }
}

impl Switchover {
    /// A switch away from a unit.
    pub fn new(own: u32, limits: Limits) -> Self {
        Self {
            own,
            limits,
            stage: Stage::Open,
            asking: AskFailover::default(),
            hastened: BTreeSet::new(),
            alone_since: None,
        }
    }

    /// The next step on what is seen `now`; the look was begun after the last step was done.
    pub fn next(&mut self, seen: &Cluster, now: Duration) -> Next {
        if let Stage::Over(outcome) = self.stage {
            return Next::Done(outcome);
        }
        let is_over = now >= self.limits.over;
        match (seen.redis(self.own).map(|view| &view.role), &self.stage) {
            (Some(Role::Master), _) => {}
            (Some(Role::Replica { .. }), Stage::Fenced { .. }) => {
                let moved = self.successor(seen).map(Outcome::Moved);
                if moved.is_none() && !is_over {
                    return Next::Look;
                }
                self.stage = Stage::Over(moved.unwrap_or(Outcome::NoMaster));
                return Next::Unfence;
            }
            // A failover that another unit has asked for may make it master yet.
            (Some(Role::Replica { .. }), _) if seen.failover_leader().is_some() && !is_over => {
                return Next::Look;
            }
            // It may only be slow.
            (None, _) if !is_over => return self.renewed(now).unwrap_or(Next::Look),
            (Some(Role::Replica { .. }) | None, _) => return self.over(Outcome::NoMaster),
        }
        let successor = self.successor(seen);
        if is_over {
            return self.over(successor.map_or(Outcome::OutOfTime, Outcome::Moved));
        }
        if let Some(fence) = self.renewed(now) {
            return fence;
        }
        // Whoever was meant, that is what happened.
        if let Some(new) = successor {
            return Next::Follow(new);
        }
        match self.stage {
            Stage::Open => self.prepare(seen, now),
            Stage::Fenced { at, goal } => self.ask(seen, now, at, goal),
            Stage::Over(outcome) => Next::Done(outcome),
        }
    }

    /// Whether the old master holds writes, since `now` or later.
    pub fn fenced(&mut self, holds: bool, now: Duration) {
        match &mut self.stage {
            Stage::Open if holds => self.stage = Stage::Fenced { at: now, goal: None },
            Stage::Fenced { at, .. } if holds => *at = now,
            Stage::Open | Stage::Fenced { .. } | Stage::Over(_) => {}
        }
    }

    /// How the Sentinel of a unit took the request; `None` when none answered a PING.
    pub fn answered(&mut self, answer: Option<(u32, Taken)>, now: Duration) {
        self.asking.answered(answer, now);
    }

    /// The Sentinels that look more often than usual: they are to get their own period back.
    pub fn hastened(&self) -> &BTreeSet<u32> {
        &self.hastened
    }

    /// Writes are taken. It waits for one that is in sync, and for a second, without which the new
    /// master would refuse writes (`min-replicas-to-write`).
    fn prepare(&mut self, seen: &Cluster, now: Duration) -> Next {
        if seen.sentinels().all(|(unit, _)| unit == self.own) {
            return self.unless_it_passes(Outcome::NobodyToAsk, now);
        }
        let (fit, coming) = (self.fit(seen), self.coming(seen));
        if fit.is_empty() && coming.is_empty() {
            return self.unless_it_passes(Outcome::NobodyThere, now);
        }
        self.alone_since = None;
        let in_time = now < self.limits.ready;
        if fit.is_empty() && !in_time {
            return self.over(Outcome::NobodyInSync);
        }
        let is_enough = coming.is_empty() || fit.len() > 1 || !in_time;
        if fit.is_empty() || !is_enough || (in_time && self.lags(seen, &fit)) {
            return Next::Look;
        }
        self.unready_sentinels(seen, &fit).unwrap_or(Next::Fence)
    }

    /// Writes are held, and a request may be under way.
    fn ask(&mut self, seen: &Cluster, now: Duration, at: Duration, goal: Option<u64>) -> Next {
        let goal = goal.or_else(|| seen.redis(self.own).map(|view| view.offset));
        self.stage = Stage::Fenced { at, goal };
        let Asking::Ask(units) = self.asking.next(seen, self.own, now) else { return Next::Look };
        // One that was promoted by a Sentinel that ended before it told the others: its own keeper makes
        // it follow the elected master again. Until then another request would make a second one.
        if self.others(seen).any(|(_, view)| view.role == Role::Master) {
            return Next::Look;
        }
        let fit = self.fit(seen);
        let has_all = |unit| seen.redis(unit).map(|view| view.offset) >= goal;
        if fit.is_empty() || !fit.iter().all(|unit| has_all(*unit)) {
            return Next::Look;
        }
        self.unready_sentinels(seen, &fit).unwrap_or(Next::Ask(units))
    }

    /// The fence again, where it stands for a second.
    fn renewed(&self, now: Duration) -> Option<Next> {
        match self.stage {
            Stage::Fenced { at, .. } if now.saturating_sub(at) >= RENEWED_AFTER => {
                Some(Next::Fence)
            }
            Stage::Fenced { .. } | Stage::Open | Stage::Over(_) => None,
        }
    }

    /// The other unit whose Redis is master, and whom the Sentinels' highest epoch names.
    fn successor(&self, seen: &Cluster) -> Option<u32> {
        let epoch = seen.sentinels().map(|(_, view)| view.epoch).max()?;
        seen.sentinels()
            .filter(|(_, view)| view.epoch == epoch)
            .filter_map(|(_, view)| seen.unit_at(&view.vote))
            .filter(|unit| *unit != self.own)
            .find(|unit| seen.redis(*unit).is_some_and(|view| view.role == Role::Master))
    }

    /// The replicas that can take over: complete, in sync with this master, and not about to leave.
    fn fit(&self, seen: &Cluster) -> BTreeSet<u32> {
        let planned = seen.planned();
        let is_fit = |view: &RedisView| {
            view.priority.is_some_and(|priority| priority > 0)
                && matches!(&view.role, Role::Replica { of, link_up: true } if seen.unit_at(of) == Some(self.own))
        };
        self.others(seen)
            .filter(|(unit, view)| planned.contains(unit) && is_fit(view))
            .map(|(unit, _)| unit)
            .collect()
    }

    /// The planned units that are no such replicas yet.
    fn coming(&self, seen: &Cluster) -> BTreeSet<u32> {
        let (planned, fit) = (seen.planned(), self.fit(seen));
        self.others(seen)
            .filter(|(unit, view)| planned.contains(unit) && view.role != Role::Master)
            .map(|(unit, _)| unit)
            .filter(|unit| !fit.contains(unit))
            .collect()
    }

    fn others<'a>(&self, seen: &'a Cluster) -> impl Iterator<Item = (u32, &'a RedisView)> {
        let own = self.own;
        seen.redis_servers().filter(move |(unit, _)| *unit != own)
    }

    /// One that is far behind would make the fence stand long.
    fn lags(&self, seen: &Cluster, fit: &BTreeSet<u32>) -> bool {
        let master = seen.redis(self.own).map_or(0, |view| view.offset);
        let offsets = fit.iter().filter_map(|unit| seen.redis(*unit)).map(|view| view.offset);
        offsets.min().is_some_and(|offset| master.saturating_sub(offset) > SMALL_LAG)
    }

    /// What is to be done before a Sentinel is asked: each has to know of one that is fit, and would
    /// promote nobody else. One that restarted is still what it was to a Sentinel that has not asked.
    fn unready_sentinels(&mut self, seen: &Cluster, fit: &BTreeSet<u32>) -> Option<Next> {
        let planned = seen.planned();
        let unready: Vec<(u32, &SentinelView)> = seen
            .sentinels()
            .filter(|(unit, _)| *unit != self.own && planned.contains(unit))
            .filter(|(_, view)| {
                let mut eligible = view.replicas.iter().filter(|entry| entry.eligible).peekable();
                let is_fit =
                    |host: &str| seen.unit_at(host).is_some_and(|unit| fit.contains(&unit));
                eligible.peek().is_none() || !eligible.all(|entry| is_fit(&entry.host))
            })
            .collect();
        // A hook may have given them their own period back.
        let slow = unready.iter().filter(|(_, view)| view.info_period != Some(SHORT_INFO_PERIOD));
        let slow: Vec<u32> = slow.map(|(unit, _)| *unit).collect();
        self.hastened.extend(&slow);
        match (unready.is_empty(), slow.is_empty()) {
            (true, _) => None,
            (false, true) => Some(Next::Look),
            (false, false) => Some(Next::Hasten(slow)),
        }
    }

    /// A look may have been too short, and a Sentinel that forgets somebody is away for a moment.
    fn unless_it_passes(&mut self, outcome: Outcome, now: Duration) -> Next {
        let since = *self.alone_since.get_or_insert(now);
        if now.saturating_sub(since) < IT_PASSES { Next::Look } else { self.over(outcome) }
    }

    fn over(&mut self, outcome: Outcome) -> Next {
        self.stage = Stage::Over(outcome);
        Next::Done(outcome)
    }
}

/// How long the old master holds writes after each `Fence`. Longer than a keeper that was killed needs
/// to come back and to make its Redis follow the new master.
pub const FENCE: Duration = Duration::from_secs(6);

/// The fence stands for the rest when a renewal comes late.
const RENEWED_AFTER: Duration = Duration::from_secs(1);

/// In bytes of the replication stream: what is sent in a few hundredths of a second.
const SMALL_LAG: u64 = 1 << 20;

const IT_PASSES: Duration = Duration::from_secs(1);
