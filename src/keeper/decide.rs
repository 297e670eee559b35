//! What a Redis that does not run is started as. It is master by election, never by a record or by
//! chance. Pure.

use std::fmt;
use std::time::Duration;

use crate::render::inputs::Inputs;
use crate::world::cluster::Cluster;
use crate::world::cluster::RedisView;
use crate::world::cluster::Role;

/// What is known when Redis does not run.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What the charm said.
    pub inputs: &'a Inputs,
    /// What the other units' servers said, and the own Sentinel.
    pub cluster: &'a Cluster,
    /// Whether there is a key on the volume.
    pub has_data: bool,
    /// How the last Redis on this volume ended.
    pub end: End,
    /// For how long it has looked at the others since then.
    pub looked_for: Duration,
    /// Whether Sentinels were asked in vain to make another unit master.
    pub in_vain: bool,
}

/// How a Redis ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself or when it was asked to, or there was none: all that it acknowledged is on disk.
    Clean,
    /// Killed: its last second may be on the disks of others only.
    Unclean,
}

/// What is done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What.
    pub step: Step,
    /// Why; it completes the step's text.
    pub why: String,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Redis starts as master.
    Master,
    /// Redis starts as a replica of this host.
    Replica(String),
    /// Another unit is to become master: a Sentinel is asked, and Redis starts when they have voted.
    HandOver,
    /// Redis does not start; the world is looked at again.
    Hold,
}

impl fmt::Display for Choice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = &self.why;
        match &self.step {
            Step::Master => write!(out, "start as master: {why}"),
            Step::Replica(host) => write!(out, "start as a replica of {host}: {why}"),
            Step::HandOver => write!(out, "do not start before another is master: {why}"),
            Step::Hold => write!(out, "do not start: {why}"),
        }
    }
}

/// Decides it.
pub fn start(at: &Situation<'_>) -> Choice {
    match at.cluster.voted() {
        Ok(voted) if voted.master == at.inputs.unit => named(at, voted.epoch),
        Ok(voted) if at.inputs.is_alone() && !at.cluster.members.contains_key(&voted.master) => {
            let gone = at.cluster.unit_text(voted.master);
            unless_another_is_ahead(at, format!("{gone} is gone, and no other unit is planned"))
        }
        Ok(voted) => {
            let host = at.cluster.naming.host(voted.master);
            let why = format!("elected at epoch {}", voted.epoch);
            choose(Step::Replica(host), why)
        }
        Err(obstacle) => unnamed(at, &obstacle.to_string()),
    }
}

/// The Sentinels name this unit.
fn named(at: &Situation<'_>, epoch: u64) -> Choice {
    if let Some(other) = other_master(at) {
        return choose(Step::Hold, format!("{other} answers as master, Sentinels name this unit"));
    }
    let synced = others(at).find(|(unit, view)| is_synced(at, *unit, view));
    if let Some((unit, _)) = synced.filter(|_| at.end == End::Unclean || !at.has_data) {
        let other = at.cluster.unit_text(unit);
        if at.in_vain && at.has_data {
            let why = format!("no Sentinel makes {other} master, which is in sync");
            return choose(Step::Master, why);
        }
        let why = if at.has_data { "ended uncleanly" } else { "has an empty volume" };
        return choose(Step::HandOver, format!("the named master {why}, and {other} is in sync"));
    }
    if at.end == End::Unclean
        && at.looked_for < UNHEARD_FOR
        && let Some(unit) = unheard(at)
    {
        // It may only be slow, and have what this one has lost.
        let other = at.cluster.unit_text(unit);
        let why = format!("the named master ended uncleanly, and {other} has not been heard yet");
        return choose(Step::Hold, why);
    }
    if !at.has_data {
        if let Some((unit, _)) = others(at).find(|(_, view)| view.has_data) {
            let other = at.cluster.unit_text(unit);
            return choose(Step::Hold, format!("still named, but empty, and {other} has data"));
        }
        // In the very first start nobody has data, and the others may not be there yet.
        if !at.inputs.is_bootstrap()
            && let Some(unit) = unheard(at)
        {
            let other = at.cluster.unit_text(unit);
            let why = format!("still named, but empty, and {other} has not been heard");
            return choose(Step::Hold, why);
        }
    }
    choose(Step::Master, format!("elected at epoch {epoch}"))
}

/// No vote can be had.
fn unnamed(at: &Situation<'_>, obstacle: &str) -> Choice {
    let own = at.inputs.own_host();
    match &at.inputs.bootstrap {
        Some(host) if *host == own => {
            return unless_another_is_ahead(at, "the very first start".to_owned());
        }
        Some(host) => {
            return choose(
                Step::Replica(host.clone()),
                "master of the very first start".to_owned(),
            );
        }
        None => {}
    }
    if at.inputs.is_alone() {
        return unless_another_is_ahead(at, "no other unit is planned".to_owned());
    }
    if at.cluster.nobody_votes() {
        return full_restart(at);
    }
    choose(Step::Hold, obstacle.to_owned())
}

/// No Sentinel has a vote. Whose data are the freshest nobody can tell yet, so this waits for one.
fn full_restart(at: &Situation<'_>) -> Choice {
    let planned = at.inputs.planned.len();
    choose(Step::Hold, format!("no Sentinel of the {planned} planned units names a master"))
}

/// Master, unless another unit's Redis is one already, or has data where this one has none.
fn unless_another_is_ahead(at: &Situation<'_>, why: String) -> Choice {
    if let Some(other) = other_master(at) {
        return choose(Step::Hold, format!("{why}, but {other} answers as master"));
    }
    match others(at).find(|(_, view)| view.has_data && !at.has_data) {
        Some((unit, _)) => {
            let other = at.cluster.unit_text(unit);
            choose(Step::Hold, format!("{why}, but the volume is empty and {other} has data"))
        }
        None => choose(Step::Master, why),
    }
}

/// A replica that could take over: its keeper has raised its priority, so it is complete.
fn is_synced(at: &Situation<'_>, unit: u32, view: &RedisView) -> bool {
    let stays = at.cluster.planned().contains(&unit);
    stays && view.role != Role::Master && view.priority.is_some_and(|priority| priority > 0)
}

fn other_master(at: &Situation<'_>) -> Option<String> {
    let master = others(at).find(|(_, view)| view.role == Role::Master);
    master.map(|(unit, _)| at.cluster.unit_text(unit))
}

fn others<'a>(at: &Situation<'a>) -> impl Iterator<Item = (u32, &'a RedisView)> {
    let own = at.inputs.unit;
    at.cluster.redis_servers().filter(move |(unit, _)| *unit != own)
}

fn unheard(at: &Situation<'_>) -> Option<u32> {
    let mut planned = at.inputs.planned.iter().copied();
    planned.find(|unit| *unit != at.inputs.unit && at.cluster.redis(*unit).is_none())
}

fn choose(step: Step, why: String) -> Choice {
    Choice { step, why }
}

/// How long a unit that is silent is listened for: two looks, with a pause between them.
pub const UNHEARD_FOR: Duration = Duration::from_secs(4);
