//! The last judgement of a run: what the unit's status says, and whether leader-elected is kept.
//! It looks at the cluster as it is after acting, not at what was meant.

use crate::decide::workload;
use crate::event::Event;
use crate::names::REDIS_CONTAINER;
use crate::names::SENTINEL_CONTAINER;
use crate::render::layer;
use crate::world::World;
use crate::world::cluster::Cluster;
use crate::world::cluster::Role;
use crate::world::cluster::Silence;
use crate::world::deferral::Deferral;
use crate::world::deferral::DeferralChange;
use crate::world::juju::Leadership;
use crate::world::obstacle::Obstacle;
use crate::world::workload::Container;
use crate::world::workload::Service;
use crate::world::workload::Workload;

/// What is told and kept at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The unit's status; `None` leaves it as it is.
    pub status: Option<Status>,
    /// The application's status, which its leader sets; `None` leaves it as it is.
    pub application: Option<Status>,
    /// Whether nothing is told that may pass.
    pub is_well: bool,
    /// What becomes of a deferred leader-elected.
    pub deferral: DeferralChange,
}

/// A status as Juju shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its word.
    pub word: Word,
    /// Its message.
    pub message: String,
}

/// Juju's words for a unit's status; the charm has no use for the others yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// This unit's Redis and Sentinel answer, the master is elected, links are up.
    Active,
    /// Something is waited for.
    Waiting,
    /// Somebody has to do something.
    Blocked,
}

impl Word {
    /// As Juju writes it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
        }
    }
}

/// Something the user should know. The status tells the first one; `findings` lists the worst first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The image of a container is not fit.
    Image {
        /// The container.
        container: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// The peer relation is missing.
    NoPeerRelation,
    /// A minion before the leader's first commit.
    NoPasswords,
    /// The first start: nothing runs yet.
    NotStarted,
    /// Redis of this unit does not start without units whose data may be fresher.
    DataMissing {
        /// The units, with commas between them.
        units: String,
    },
    /// A container has not started, and its server does not answer.
    ContainerAway {
        /// The container.
        container: &'static str,
    },
    /// Something could not be done in this pod.
    Own {
        /// What, and why.
        what: String,
    },
    /// This unit's own server is silent.
    OwnSilent {
        /// Redis or Sentinel, and what is wrong with it.
        what: String,
    },
    /// Something stands between the application and its rest.
    Held(Obstacle),
    /// This unit's Redis has no link to the master.
    LinkDown,
    /// Pods are being replaced, and the next one has to wait.
    Roll {
        /// What for.
        waits_for: String,
    },
    /// The loss of the master's pod would not be failed over.
    NoFailover {
        /// Why.
        why: String,
    },
    /// A unit is silent, and the others can still fail over.
    Degraded {
        /// Which, and why.
        what: String,
    },
}

impl Finding {
    /// The status that tells it: every text of the charm in one place.
    pub fn status(&self) -> Status {
        let (word, message) = match self {
            Self::Image { container, fault } => {
                (Word::Blocked, format!("image of container {container}: {fault}"))
            }
            Self::DataMissing { units } => (
                Word::Blocked,
                format!("newest data may be on {units}: bring back, or run accept-data-loss"),
            ),
            Self::ContainerAway { container } => {
                (Word::Waiting, format!("waiting for container {container}"))
            }
            Self::NoPeerRelation => (Word::Waiting, "waiting for the peer relation".to_owned()),
            Self::NoPasswords => {
                (Word::Waiting, "waiting for the leader to create the passwords".to_owned())
            }
            Self::NotStarted => (Word::Waiting, "waiting for Redis and Sentinel".to_owned()),
            Self::Own { what } | Self::OwnSilent { what } => (Word::Waiting, what.clone()),
            Self::Held(obstacle) => (Word::Waiting, obstacle.to_string()),
            Self::LinkDown => (Word::Waiting, "link to the master is down".to_owned()),
            Self::Roll { waits_for } => (Word::Active, format!("roll waits: {waits_for}")),
            Self::NoFailover { why } => (Word::Active, format!("no failover: {why}")),
            Self::Degraded { what } => (Word::Active, what.clone()),
        };
        Status { word, message }
    }
}

/// How the run went.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// The cluster after acting; `None` where nobody needed to be asked.
    pub after: Option<&'a Cluster>,
    /// What could not be done.
    pub failures: &'a [Obstacle],
    /// What could not be done in this pod's containers.
    pub own_failures: &'a [String],
    /// True when SIGTERM cut the run short.
    pub terminated: bool,
}

/// Judges the run.
pub fn verdict(event: &Event, world: &World, course: &Course<'_>) -> Verdict {
    let obstacles = obstacles(world, course);
    let speaks = event.looks(world.juju.deferral.is_some());
    // Without an answer to who leads there is too little to judge by: the last status stays.
    let knows_enough = world.juju.leadership != Leadership::Unknown;
    let speaks = speaks && knows_enough && !course.terminated;
    let own = findings(world, course, &obstacles);
    let leads = world.juju.leadership == Leadership::Leader;
    let of_all = course.after.filter(|_| leads).map(|cluster| {
        let held = obstacles.iter().cloned().map(Finding::Held);
        let held = held.chain(roll(world, cluster)).chain(survival(cluster));
        missing_data(world, cluster).into_iter().chain(held).collect::<Vec<_>>()
    });
    Verdict {
        is_well: is_well(&own, course.after),
        status: speaks.then(|| worst(&own)),
        application: of_all.filter(|_| speaks).map(|found| worst(&found)),
        deferral: deferral(event, world, &obstacles),
    }
}

/// What the first finding says; none is the best.
fn worst(findings: &[Finding]) -> Status {
    let nothing = || Status { word: Word::Active, message: String::new() };
    findings.first().map_or_else(nothing, Finding::status)
}

/// One unit or two are no failing that passes.
fn is_well(findings: &[Finding], after: Option<&Cluster>) -> bool {
    findings.iter().all(|it| matches!(it, Finding::NoFailover { .. }))
        && after.is_some_and(|cluster| cluster.ailments().is_empty())
}

/// leader-elected is kept until nothing stands in its way, and by the leader only.
fn deferral(event: &Event, world: &World, obstacles: &[Obstacle]) -> DeferralChange {
    let earlier = world.juju.deferral.as_ref();
    if !event.replays_deferred() || (*event != Event::LeaderElected && earlier.is_none()) {
        return DeferralChange::Keep;
    }
    let done = if earlier.is_some() { DeferralChange::Drop } else { DeferralChange::Keep };
    match (world.juju.leadership, obstacles.first()) {
        (Leadership::Minion, _) | (Leadership::Leader | Leadership::Unknown, None) => done,
        (Leadership::Leader | Leadership::Unknown, Some(obstacle)) => {
            DeferralChange::Store(Deferral {
                since: earlier.map_or(world.juju.now, |entry| entry.since),
                tries: earlier.map_or(0, |entry| entry.tries).saturating_add(1),
                why: obstacle.to_string(),
            })
        }
    }
}

/// What stands in the way of leader-elected, the most telling first.
fn obstacles(world: &World, course: &Course<'_>) -> Vec<Obstacle> {
    let mut found = Vec::new();
    if course.terminated {
        found.push(Obstacle::Terminated);
    }
    if world.juju.leadership == Leadership::Unknown {
        found.push(Obstacle::LeadershipUnknown);
    }
    if world.juju.peer_relation.is_none() {
        found.push(Obstacle::NoPeerRelation);
    }
    if let Some(cluster) = course.after {
        match cluster.settled() {
            Err(obstacle) => found.push(obstacle),
            Ok(elected) => found.extend(remembered(world, cluster, elected.master)),
        }
    }
    found.extend(course.failures.iter().cloned());
    found
}

/// The first stranger that some Sentinel still lists, and what keeps it.
fn remembered(world: &World, cluster: &Cluster, master: u32) -> Option<Obstacle> {
    let sentinel = cluster.stale_sentinels().into_iter().next()?;
    let restarts = world.workload.as_ref().is_some_and(|it| it.sentinel.open().is_some());
    let kept = if restarts {
        cluster.keeps_after_restart(sentinel, master)
    } else {
        cluster.keeps_strangers(sentinel, master)
    };
    kept.or_else(|| {
        let view = cluster.sentinel(sentinel)?;
        let stranger = cluster.strangers_in(view).into_iter().next()?;
        Some(Obstacle::NotForgotten {
            sentinel: cluster.unit_text(sentinel),
            stranger: stranger.to_string(),
        })
    })
}

/// All that there is to be told, the worst first.
fn findings(world: &World, course: &Course<'_>, obstacles: &[Obstacle]) -> Vec<Finding> {
    let juju = &world.juju;
    let mut findings = Vec::new();
    if juju.peer_relation.is_none() {
        findings.push(Finding::NoPeerRelation);
    } else if juju.is_first_deployment() {
        findings.push(match juju.leadership {
            Leadership::Leader => Finding::NotStarted,
            Leadership::Minion | Leadership::Unknown => Finding::NoPasswords,
        });
    }
    if let Some(workload) = &world.workload {
        findings.extend(images(workload));
    }
    findings.extend(course.own_failures.iter().map(|what| Finding::Own { what: what.clone() }));
    if let Some(cluster) = course.after {
        findings.extend(missing_data(world, cluster));
        findings.extend(own_silence(world, cluster));
    }
    findings.extend(obstacles.iter().cloned().map(Finding::Held));
    if let Some(cluster) = course.after {
        findings.extend(own_link(world, cluster));
        findings.extend(roll(world, cluster));
        findings.extend(survival(cluster));
    }
    findings
}

/// What the keeper has told counts while Redis does not run.
fn missing_data(world: &World, cluster: &Cluster) -> Option<Finding> {
    let missing = workload::report(world).missing;
    let units: Vec<String> = missing.iter().map(|unit| cluster.unit_text(*unit)).collect();
    let is_silent = cluster.redis(world.juju.unit.number).is_none();
    (is_silent && !units.is_empty()).then(|| Finding::DataMissing { units: units.join(",") })
}

fn own_silence(world: &World, cluster: &Cluster) -> Option<Finding> {
    let own = cluster.members.get(&world.juju.unit.number)?;
    let redis = own.redis.silence().map(|it| ("Redis", it, REDIS_CONTAINER, layer::REDIS));
    let sentinel =
        || own.sentinel.silence().map(|it| ("Sentinel", it, SENTINEL_CONTAINER, layer::SENTINEL));
    let (server, silence, container, service) = redis.or_else(sentinel)?;
    let silent = Finding::OwnSilent { what: format!("{server} of this unit {silence}") };
    if *silence != Silence::Refused {
        return Some(silent);
    }
    let place = world.workload.as_ref().map(|workload| match container {
        REDIS_CONTAINER => &workload.redis,
        _ => &workload.sentinel,
    });
    let is_first_start = world.juju.application.bootstrap.is_some();
    match place {
        Some(Container::Away) => Some(Finding::ContainerAway { container }),
        Some(Container::Failing(what)) => Some(Finding::Own { what: what.clone() }),
        Some(Container::Open(contents)) => match contents.service(service) {
            Service::Retrying if !is_first_start => Some(silent),
            // It waits for a vote, and what stands in the way of that is told.
            Service::Stopped if container == SENTINEL_CONTAINER && cluster.voted().is_err() => None,
            // It comes up, or its keeper waits for an election.
            Service::Stopped | Service::Running | Service::Retrying => Some(Finding::NotStarted),
        },
        None if is_first_start => Some(Finding::NotStarted),
        None => Some(silent),
    }
}

fn images(workload: &Workload) -> impl Iterator<Item = Finding> {
    [(REDIS_CONTAINER, &workload.redis), (SENTINEL_CONTAINER, &workload.sentinel)]
        .into_iter()
        .filter_map(|(container, place)| {
            let fault = place.open()?.image.as_ref()?.fault()?;
            Some(Finding::Image { container, fault })
        })
}

fn own_link(world: &World, cluster: &Cluster) -> Option<Finding> {
    match &cluster.redis(world.juju.unit.number)?.role {
        Role::Replica { link_up: false, .. } => Some(Finding::LinkDown),
        Role::Replica { link_up: true, .. } | Role::Master => None,
    }
}

/// What a roll waits for, where this application may hold one.
fn roll(world: &World, cluster: &Cluster) -> Option<Finding> {
    let waits_for = world.roll.as_ref()?.waits_for(cluster)?;
    Some(Finding::Roll { waits_for })
}

/// What the group can still survive.
fn survival(cluster: &Cluster) -> Option<Finding> {
    let master = cluster.elected().ok()?.master;
    let why = match (cluster.planned().len(), cluster.ailments().into_iter().next()) {
        (1, _) => "a single unit".to_owned(),
        (2, None) => "with two units the loss of a pod is not failed over".to_owned(),
        (_, Some(what)) if cluster.survives_loss_of(master) => {
            return Some(Finding::Degraded { what });
        }
        (_, Some(what)) => what,
        (_, None) => return None,
    };
    Some(Finding::NoFailover { why })
}
