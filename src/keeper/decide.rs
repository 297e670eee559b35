//! What a Redis that does not run is started as. It is master by election, never by a record or by
//! chance. Pure.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::keeper::restart::Finding;
use crate::keeper::restart::Known;
use crate::keeper::restart::Stage;
use crate::keeper::restart::WAIT;
use crate::render::inputs::Inputs;
use crate::world::cluster::Cluster;
use crate::world::cluster::RedisView;
use crate::world::cluster::Role;
use crate::world::cluster::Silence;
use crate::world::election::Elected;
use crate::world::election::majority;
use crate::world::lineage::KeeperView;

/// What is known when Redis does not run.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What the charm said.
    pub inputs: &'a Inputs,
    /// What the other units' servers said, and the own Sentinel.
    pub cluster: &'a Cluster,
    /// What the other keepers said.
    pub keepers: &'a BTreeMap<u32, KeeperView>,
    /// What this unit has.
    pub own: &'a KeeperView,
    /// How the last Redis on this volume ended.
    pub end: End,
    /// Whether this keeper saw that end, and it was a master's: what is on the volume is what it left.
    pub saw_masters_end: bool,
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
    /// The same, of a host that does not run, and with a priority: it has the freshest data, and a
    /// Sentinel is asked to make it master.
    Candidate(String),
    /// Another unit is to become master: a Sentinel is asked, and Redis starts when they have voted.
    HandOver,
    /// Redis does not start; the world is looked at again.
    Hold,
    /// The same, until these units are there or somebody accepts the loss of what only they have.
    Blocked(BTreeSet<u32>),
}

impl fmt::Display for Choice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = &self.why;
        match &self.step {
            Step::Master => write!(out, "start as master: {why}"),
            Step::Replica(host) => write!(out, "start as a replica of {host}: {why}"),
            Step::HandOver => write!(out, "do not start before another is master: {why}"),
            Step::Candidate(host) => {
                write!(out, "start as a candidate, a replica of {host}: {why}")
            }
            Step::Hold | Step::Blocked(_) => write!(out, "do not start: {why}"),
        }
    }
}

/// Decides it.
pub fn start(at: &Situation<'_>) -> Choice {
    match at.cluster.voted() {
        Ok(voted) if at.inputs.is_alone() && !at.cluster.members.contains_key(&voted.master) => {
            let gone = at.cluster.unit_text(voted.master);
            unless_another_is_ahead(at, format!("{gone} is gone, and no other unit is planned"))
        }
        Ok(voted) => by_vote(at, voted),
        Err(obstacle) => unnamed(at, &obstacle.to_string()),
    }
}

/// Whether the decision hangs on what the other keepers say. Where a Redis runs that has all data,
/// nobody is waited for.
pub fn asks_keepers(inputs: &Inputs, cluster: &Cluster) -> bool {
    let voted = cluster.voted().ok().map(|voted| voted.master);
    let mut others = cluster.redis_servers().filter(|(unit, _)| *unit != inputs.unit);
    let serves = |(unit, view): (u32, &RedisView)| {
        voted == Some(unit) || view.role == Role::Master || is_synced(cluster, unit, view)
    };
    !others.any(serves)
}

impl Situation<'_> {
    /// Whose data are the freshest of those that are there.
    pub fn finding(&self) -> Finding {
        self.finding_for(self.cluster.voted().ok())
    }

    fn finding_for(&self, voted: Option<Elected>) -> Finding {
        self.known().finding(voted, self.looked_for)
    }

    /// What is known of all units' data.
    pub fn known(&self) -> Known<'_> {
        let Self { inputs, cluster, own, keepers, .. } = *self;
        Known { inputs, cluster, own, keepers }
    }
}

fn by_vote(at: &Situation<'_>, voted: Elected) -> Choice {
    if voted.master == at.inputs.unit { named(at, voted) } else { other_named(at, voted) }
}

/// The Sentinels name this unit.
fn named(at: &Situation<'_>, voted: Elected) -> Choice {
    if let Some(other) = other_master(at) {
        return choose(Step::Hold, format!("{other} answers as master, Sentinels name this unit"));
    }
    let finding = at.finding_for(Some(voted));
    let is_freshest = finding.freshest == at.inputs.unit;
    let mut running = others(at);
    if let Some((unit, _)) = running.find(|(unit, view)| is_synced(at.cluster, *unit, view)) {
        let other = at.cluster.unit_text(unit);
        if at.in_vain && at.own.has_data && is_freshest {
            let why = format!("no Sentinel makes {other} master, which is in sync");
            return choose(Step::Master, why);
        }
        let why = match at.end {
            _ if !at.own.has_data => "has an empty volume",
            End::Unclean => "ended uncleanly",
            End::Clean => "ended",
        };
        return choose(Step::HandOver, format!("the named master {why}, and {other} is in sync"));
    }
    if let Some(leader) = leader_of_failover(at) {
        return choose(Step::Hold, format!("named, but the Sentinel of {leader} leads a failover"));
    }
    let elected = || choose(Step::Master, format!("elected at epoch {}", voted.epoch));
    let stage = match finding.stage {
        // What this one has lost a slow one may have; what is on the volume is known.
        Stage::Wait | Stage::Blocked if at.saw_masters_end && at.own.has_data => {
            let is_waited_for = at.end == End::Unclean && at.looked_for < UNHEARD_FOR;
            if is_waited_for { Stage::Wait } else { Stage::GoOn }
        }
        Stage::GoOn | Stage::Wait | Stage::Blocked => finding.stage,
    };
    let full = others(at).find(|(_, view)| view.has_data && !at.own.has_data);
    match (stage, full) {
        (Stage::GoOn, Some((unit, _))) if is_freshest => {
            let other = at.cluster.unit_text(unit);
            choose(Step::Hold, format!("still named, but empty, and {other} has data"))
        }
        (Stage::GoOn, _) if is_freshest => elected(),
        (Stage::GoOn, _) => {
            let other = at.cluster.unit_text(finding.freshest);
            choose(Step::HandOver, format!("{other} has fresher data than the named master"))
        }
        (Stage::Wait | Stage::Blocked, _) => not_without(at, &finding, stage, "named"),
    }
}

/// The Sentinels name another unit.
fn other_named(at: &Situation<'_>, voted: Elected) -> Choice {
    let host = at.cluster.naming.host(voted.master);
    let follow =
        || choose(Step::Replica(host.clone()), format!("elected at epoch {}", voted.epoch));
    // A master that is there, or one that will be without us, is followed as soon as there is one.
    let is_first = at.inputs.bootstrap.is_some();
    if is_first || at.cluster.redis(voted.master).is_some() || somebody_serves(at) {
        return follow();
    }
    // Sentinels try again and again where nobody may be promoted; each attempt is over in a moment.
    if let Some(leader) = leader_of_failover(at) {
        return choose(Step::Hold, format!("the Sentinel of {leader} leads a failover"));
    }
    let finding = at.finding_for(Some(voted));
    if finding.freshest == voted.master {
        return follow();
    }
    let master = at.cluster.unit_text(voted.master);
    match finding.stage {
        Stage::GoOn if finding.freshest != at.inputs.unit => follow(),
        Stage::GoOn if !at.known().is_agreed_on(at.inputs.unit) => {
            let why = format!("fresher than the named {master}, but not all keepers agree yet");
            choose(Step::Hold, why)
        }
        Stage::GoOn => {
            let why = format!("the named {master} is not there with data as fresh as these");
            choose(Step::Candidate(host), why)
        }
        Stage::Wait | Stage::Blocked => {
            not_without(at, &finding, finding.stage, &format!("{master} is named"))
        }
    }
}

/// No vote can be had.
fn unnamed(at: &Situation<'_>, obstacle: &str) -> Choice {
    if at.inputs.is_bootstrap() {
        return unless_another_is_ahead(at, "the very first start".to_owned());
    }
    if let Some(host) = &at.inputs.bootstrap {
        return choose(Step::Replica(host.clone()), "master of the very first start".to_owned());
    }
    if at.inputs.is_alone() {
        // Others may come yet that were scaled away with it, and it was not the last master of them.
        let is_recorded = at.inputs.recorded_master == Some(at.inputs.own_host());
        let noted = at.own.lineage.as_ref().map(|note| note.rank.epoch);
        let is_last = is_recorded && (!at.own.has_data || noted >= at.inputs.recorded_epoch);
        if !is_last && at.looked_for < WAIT && at.cluster.nobody_votes() {
            let why = "no other unit is planned yet, and this was not the last master";
            return choose(Step::Hold, why.to_owned());
        }
        return unless_another_is_ahead(at, "no other unit is planned".to_owned());
    }
    if at.cluster.nobody_votes() {
        return full_restart(at);
    }
    too_few_vote(at, obstacle)
}

/// No Sentinel has a vote. The one with the freshest data becomes master, and all follow it.
fn full_restart(at: &Situation<'_>) -> Choice {
    let masters: Vec<u32> =
        others(at).filter(|(_, view)| view.role == Role::Master).map(|(unit, _)| unit).collect();
    match masters.as_slice() {
        [] => {}
        [master] => {
            let why = "the only master, and no Sentinel names one".to_owned();
            return choose(Step::Replica(at.cluster.naming.host(*master)), why);
        }
        _ => return choose(Step::Hold, "no Sentinel names one of several masters".to_owned()),
    }
    if somebody_serves(at) {
        return choose(Step::Hold, "no Sentinel names a master, and others still run".to_owned());
    }
    let finding = at.finding_for(None);
    let freshest = at.cluster.unit_text(finding.freshest);
    match finding.stage {
        Stage::GoOn if finding.freshest != at.inputs.unit => {
            choose(Step::Hold, format!("{freshest} has the freshest data and is to start first"))
        }
        Stage::GoOn if !at.known().is_agreed_on(at.inputs.unit) => {
            choose(Step::Hold, "has the freshest data, but not all keepers agree yet".to_owned())
        }
        Stage::GoOn => unless_another_is_ahead(
            at,
            "no Sentinel names a master, and no data are fresher".to_owned(),
        ),
        Stage::Wait | Stage::Blocked => {
            not_without(at, &finding, finding.stage, "no Sentinel names a master")
        }
    }
}

/// Some Sentinels have a vote, and they are no majority: the others may have elected another master,
/// unless they are too few for it.
fn too_few_vote(at: &Situation<'_>, obstacle: &str) -> Choice {
    let latest = at.cluster.latest_vote();
    let finding = at.finding_for(latest);
    let Some(latest) = latest else {
        return choose(Step::Hold, obstacle.to_owned());
    };
    if finding.missing.is_empty() {
        // Their Sentinels have no file, as the Python charm leaves them: whoever has one starts with its
        // pod. Whose data are the freshest is known without them.
        let is_known = all_others_refuse(at.cluster) && !somebody_serves(at);
        return if is_known && at.looked_for >= SENTINELS_COME {
            by_vote(at, latest)
        } else {
            choose(Step::Hold, obstacle.to_owned())
        };
    }
    if at.looked_for < WAIT {
        return choose(Step::Hold, obstacle.to_owned());
    }
    let is_accepted = finding.missing.is_subset(&at.inputs.accepted_loss);
    if is_accepted || finding.missing.len() < majority(at.inputs.planned.len()) {
        return by_vote(at, latest);
    }
    not_without(at, &finding, Stage::Blocked, obstacle)
}

/// The data of units that are not there may be fresher.
fn not_without(at: &Situation<'_>, finding: &Finding, stage: Stage, why: &str) -> Choice {
    let missing: Vec<String> =
        finding.missing.iter().map(|unit| at.cluster.unit_text(*unit)).collect();
    let missing = missing.join(", ");
    match stage {
        Stage::Blocked => choose(
            Step::Blocked(finding.missing.clone()),
            format!("{why}; missing: {missing}, whose data may be fresher"),
        ),
        Stage::Wait | Stage::GoOn if finding.missing.is_empty() => {
            choose(Step::Hold, format!("{why}; the last master is not there and may yet come"))
        }
        Stage::Wait | Stage::GoOn => choose(Step::Hold, format!("{why}; not heard yet: {missing}")),
    }
}

/// Master, unless another unit's Redis is one already, or has data where this one has none.
fn unless_another_is_ahead(at: &Situation<'_>, why: String) -> Choice {
    if let Some(other) = other_master(at) {
        return choose(Step::Hold, format!("{why}, but {other} answers as master"));
    }
    match others(at).find(|(_, view)| view.has_data && !at.own.has_data) {
        Some((unit, _)) => {
            let other = at.cluster.unit_text(unit);
            choose(Step::Hold, format!("{why}, but the volume is empty and {other} has data"))
        }
        None => choose(Step::Master, why),
    }
}

/// A replica that could take over: its keeper has raised its priority, so it is complete.
fn is_synced(cluster: &Cluster, unit: u32, view: &RedisView) -> bool {
    let stays = cluster.planned().contains(&unit);
    stays && view.role != Role::Master && view.priority.is_some_and(|priority| priority > 0)
}

fn leader_of_failover(at: &Situation<'_>) -> Option<String> {
    at.cluster.failover_leader().map(|leader| at.cluster.unit_text(leader))
}

fn other_master(at: &Situation<'_>) -> Option<String> {
    let master = others(at).find(|(_, view)| view.role == Role::Master);
    master.map(|(unit, _)| at.cluster.unit_text(unit))
}

fn others<'a>(at: &Situation<'a>) -> impl Iterator<Item = (u32, &'a RedisView)> {
    let own = at.inputs.unit;
    at.cluster.redis_servers().filter(move |(unit, _)| *unit != own)
}

/// Whether another Redis has all data, or is linked to one that has.
fn somebody_serves(at: &Situation<'_>) -> bool {
    others(at).any(|(unit, view)| {
        let is_linked = matches!(view.role, Role::Replica { link_up: true, .. });
        is_linked || view.role == Role::Master || is_synced(at.cluster, unit, view)
    })
}

/// Whether nothing listens where a Sentinel is silent: one that is cut off may have a vote.
fn all_others_refuse(cluster: &Cluster) -> bool {
    let mut sentinels = cluster.members.values().map(|member| member.sentinel.silence());
    sentinels.all(|silence| silence.is_none_or(|silence| *silence == Silence::Refused))
}

fn choose(step: Step, why: String) -> Choice {
    Choice { step, why }
}

/// How long one that is silent is listened for where this keeper saw its Redis end: two looks, with a
/// pause between them.
pub const UNHEARD_FOR: Duration = Duration::from_secs(4);

/// How long Sentinels are waited for whose units' keepers all answer.
pub const SENTINELS_COME: Duration = Duration::from_secs(15);
