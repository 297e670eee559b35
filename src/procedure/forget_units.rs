//! Forgetting units that are gone, by RESET to one Sentinel at a time.
//!
//! A Sentinel that was reset knows no replica until its next look at the master, and a group in
//! which two are blind may never fail over (measured: 0 of 48). So each one learns everybody again
//! before the next is touched, and looks each second meanwhile instead of every ten.

use crate::world::cluster::Cluster;
use crate::world::election::Known;
use crate::world::obstacle::Obstacle;

/// A Sentinel's usual `info-period`, in ms (Sentinel's own default).
pub const INFO_PERIOD: u64 = 10_000;

/// The shortened `info-period`, in ms.
pub const SHORT_INFO_PERIOD: u64 = 1_000;

/// Where the sequence stands.
#[derive(Debug)]
pub struct ForgetUnits {
    stage: Stage,
    tried: Vec<u32>,
    reset: Vec<u32>,
}

#[derive(Debug)]
enum Stage {
    Choose,
    Shortened { sentinel: u32 },
    Learning { sentinel: u32, before: Known },
    Restored,
    Over(Outcome),
}

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send a command to the Sentinel of a unit, then ask for the next step.
    Send(u32, Command),
    /// Look at the cluster again, then ask for the next step.
    Look,
    /// Nothing more.
    Done(Outcome),
}

/// What is sent to a Sentinel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `SENTINEL DEBUG info-period MS`.
    InfoPeriod(u64),
    /// `SENTINEL RESET <application>`.
    Reset,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No Sentinel is left that may forget something.
    Finished,
    /// The cluster is not fit for it any more, or something holds the rest up.
    Held(Obstacle),
    /// The time was up; the rest is for a later run.
    OutOfTime,
}

impl Default for ForgetUnits {
    fn default() -> Self {
        Self { stage: Stage::Choose, tried: Vec::new(), reset: Vec::new() }
    }
}

impl ForgetUnits {
    /// The next step on what is seen now; `in_time` is false when nothing new may be begun.
    ///
    /// Whatever happens, a Sentinel whose period was shortened gets its own back first.
    pub fn next(&mut self, seen: &Cluster, in_time: bool) -> Next {
        match &self.stage {
            Stage::Choose | Stage::Restored => self.choose(seen, in_time),
            Stage::Shortened { sentinel } => {
                let sentinel = *sentinel;
                let is_fit = seen
                    .settled()
                    .is_ok_and(|elected| seen.keeps_strangers(sentinel, elected.master).is_none());
                if !in_time || !is_fit {
                    return self.restore(sentinel);
                }
                self.stage = Stage::Learning { sentinel, before: seen.known_to(sentinel) };
                self.reset.push(sentinel);
                Next::Send(sentinel, Command::Reset)
            }
            Stage::Learning { sentinel, before } => {
                let sentinel = *sentinel;
                if in_time && !seen.known_to(sentinel).covers(before) {
                    return Next::Look;
                }
                self.restore(sentinel)
            }
            Stage::Over(outcome) => Next::Done(outcome.clone()),
        }
    }

    /// The Sentinels that were reset, in order.
    pub fn reset(&self) -> &[u32] {
        &self.reset
    }

    fn choose(&mut self, seen: &Cluster, in_time: bool) -> Next {
        if !in_time {
            return self.over(Outcome::OutOfTime);
        }
        let elected = match seen.settled() {
            Ok(elected) => elected,
            Err(obstacle) => return self.over(Outcome::Held(obstacle)),
        };
        let mut held = None;
        for sentinel in seen.stale_sentinels() {
            if self.tried.contains(&sentinel) {
                continue;
            }
            match seen.keeps_strangers(sentinel, elected.master) {
                None => {
                    self.stage = Stage::Shortened { sentinel };
                    self.tried.push(sentinel);
                    return Next::Send(sentinel, Command::InfoPeriod(SHORT_INFO_PERIOD));
                }
                Some(obstacle) => held = held.or(Some(obstacle)),
            }
        }
        self.over(held.map_or(Outcome::Finished, Outcome::Held))
    }

    fn restore(&mut self, sentinel: u32) -> Next {
        self.stage = Stage::Restored;
        Next::Send(sentinel, Command::InfoPeriod(INFO_PERIOD))
    }

    fn over(&mut self, outcome: Outcome) -> Next {
        self.stage = Stage::Over(outcome.clone());
        Next::Done(outcome)
    }
}
