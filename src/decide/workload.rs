//! What the own pod's workload containers are to have, and what differs. Whatever event comes, the
//! same is compared, so that one that was lost is made up for, and nothing that is right is touched.
//!
//! Redis is never restarted here: its keeper reads what it is told at each decision.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::decide::Situation;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;
use crate::names::REDIS_CONTAINER;
use crate::names::SENTINEL_CONTAINER;
use crate::render::file::File;
use crate::render::inputs::Inputs;
use crate::render::layer;
use crate::render::places;
use crate::render::report::Report;
use crate::render::sentinel_conf;
use crate::render::sentinel_conf::SentinelConf;
use crate::world::World;
use crate::world::cluster::Cluster;
use crate::world::cluster::Role;
use crate::world::juju::Application;
use crate::world::juju::Juju;
use crate::world::obstacle::Obstacle;
use crate::world::workload::Container;
use crate::world::workload::Contents;
use crate::world::workload::Service;

/// Redis with its keeper, and the exporter.
pub fn run_redis(at: &Situation<'_>, plan: &mut Plan) {
    let Some(workload) = &at.world.workload else { return };
    let Some(contents) = workload.redis.open() else { return };
    // What it is to ring for from now on is told when all else is done.
    let rings_for = RingsFor::before(contents);
    let Some(inputs) = inputs(at.world, &at.world.juju.application, rings_for) else { return };
    let password = at.world.juju.application.login_to_redis().map(|it| it.reveal().to_owned());
    let wanted = [
        File::of_root(places::KEEPER_INPUTS, inputs.render()),
        File::of_redis(places::EXPORTER_PASSWORD, layer::exporter_password(password.as_deref())),
    ];
    let program = File::program(places::KEEPER);
    if push(plan, REDIS_CONTAINER, contents, (program, &workload.program), wanted.into()) {
        start(plan, REDIS_CONTAINER, contents, layer::REDIS, layer::redis());
    }
}

/// Sentinel.
pub fn run_sentinel(at: &Situation<'_>, plan: &mut Plan) {
    let juju = &at.world.juju;
    let Some(workload) = &at.world.workload else { return };
    let Some(contents) = workload.sentinel.open() else { return };
    let Some(cluster) = at.cluster() else { return };
    let mut wanted = vec![File::of_redis(
        places::SENTINEL_MEMBERS,
        sentinel_conf::members(&members(juju, cluster, contents)),
    )];
    if !keeps_file(juju, contents, cluster) {
        // Without a vote it is not started: it would believe what it is told, and tell others.
        let Ok((master, epoch)) = sentinels_master(juju, cluster, report(at.world).epoch) else {
            return;
        };
        let conf = SentinelConf {
            naming: juju.naming.clone(),
            unit: juju.unit.number,
            planned: cluster.planned(),
            master,
            epoch,
            redis_password: juju.application.login_to_redis().cloned(),
            sentinel_password: juju.application.sentinel_password.clone(),
        };
        wanted.push(File::of_redis(places::SENTINEL_CONF, conf.render()));
    }
    let program = File::program(places::SENTINEL_STARTER);
    if push(plan, SENTINEL_CONTAINER, contents, (program, &workload.program), wanted) {
        if !juju.has_own_sentinel {
            plan.push(Effect::ClaimSentinel, "it is this unit's own from now on");
        }
        start(plan, SENTINEL_CONTAINER, contents, layer::SENTINEL, layer::sentinel());
    }
}

/// In its own pod a unit forgets those who are gone by one restart of Sentinel, which knows everybody
/// else from its file. The list of members, written before, says who stays.
pub fn forget_in_own_pod(at: &Situation<'_>, plan: &mut Plan) {
    let own = at.world.juju.unit.number;
    let Some(cluster) = at.cluster() else { return };
    let contents = at.world.workload.as_ref().and_then(|workload| workload.sentinel.open());
    let runs = contents.is_some_and(|it| it.service(layer::SENTINEL) == Service::Running);
    if !runs || !cluster.may_forget_by_restart(own) {
        return;
    }
    if let Some(stranger) =
        cluster.sentinel(own).and_then(|view| cluster.strangers_in(view).into_iter().next())
    {
        plan.push(Effect::RestartSentinel, format!("{stranger} is no planned unit's"));
    }
}

/// A unit that is being removed says so to its peers: Juju 4 mostly does not tell them when it leaves.
pub fn tell_that_it_leaves(at: &Situation<'_>, plan: &mut Plan) {
    let own = at.world.juju.unit.number;
    if at.cluster().and_then(|it| it.members.get(&own)).is_some_and(|member| member.leaving) {
        plan.tell("leaving", "true", "this unit is being removed");
    }
}

/// What the keeper is to be told when everything else is done, if it differs from what it was told.
pub fn last_word(world: &World, plan: &Plan, rings_for: RingsFor) -> Option<File> {
    let contents = world.workload.as_ref()?.redis.open()?;
    let before =
        plan.pushed(places::KEEPER_INPUTS).or_else(|| contents.file(places::KEEPER_INPUTS))?;
    let text = inputs(world, &plan.application, rings_for)?.render();
    (text != before).then(|| File::of_root(places::KEEPER_INPUTS, text))
}

/// Whether a later event is to go on in this pod: its Sentinel waits for a vote, or its Pebble fails.
pub fn is_unfinished(world: &World, plan: &Plan) -> bool {
    let Some(workload) = &world.workload else { return false };
    match &workload.sentinel {
        Container::Away => false,
        Container::Failing(_) => true,
        Container::Open(contents) => {
            let start = Effect::Replan { container: SENTINEL_CONTAINER };
            let starts = plan.effects().any(|(effect, _)| *effect == start);
            let is_fit = contents.image.as_ref().is_none_or(|image| image.fault().is_none());
            is_fit && !starts && contents.service(layer::SENTINEL) == Service::Stopped
        }
    }
}

/// What the keeper is to ring for; only the end of a run knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingsFor {
    /// Whether a later run is to go on: with leader-elected, or in this pod.
    pub deferred: bool,
    /// Whether the status tells of something that may pass.
    pub unwell: bool,
}

impl RingsFor {
    /// What it was told at the end of the last run.
    fn before(contents: &Contents) -> Self {
        let told = contents.file(places::KEEPER_INPUTS).and_then(|text| Inputs::parse(text).ok());
        told.map_or(Self { deferred: false, unwell: true }, |inputs| Self {
            deferred: inputs.deferred,
            unwell: inputs.unwell,
        })
    }
}

fn inputs(world: &World, application: &Application, rings_for: RingsFor) -> Option<Inputs> {
    let cluster = world.cluster.as_ref()?;
    let juju = &world.juju;
    Some(Inputs {
        application: juju.naming.application.clone(),
        model: juju.naming.model.clone(),
        cluster_domain: juju.naming.cluster_domain.clone(),
        unit: juju.unit.number,
        planned: cluster.planned(),
        // Whoever has left is looked after until nobody knows it any more.
        leaving: cluster.leaving(),
        redis_password: application.login_to_redis().cloned(),
        sentinel_password: application.sentinel_password.clone(),
        bootstrap: application.bootstrap.clone(),
        recorded_master: application.leader_host.clone(),
        recorded_epoch: application.master_epoch,
        deferred: rings_for.deferred,
        unwell: rings_for.unwell,
        accepted_loss: application.accepted_units(),
    })
}

/// Plans to write what differs; false where the image is not fit for it.
fn push(
    plan: &mut Plan,
    container: &'static str,
    contents: &Contents,
    (program, mark): (File, &str),
    wanted: Vec<File>,
) -> bool {
    if let Some(image) = &contents.image {
        if image.fault().is_some() {
            return false;
        }
        if let Some(version) = image.version().filter(|_| container == REDIS_CONTAINER) {
            plan.push(Effect::SetVersion { version: version.to_owned() }, "the image has it");
        }
        let mark = File::of_root(places::PROGRAM_MARK, mark.to_owned());
        let files = vec![program, mark];
        plan.push(Effect::Push { container, files }, "the charm's program is not there");
    }
    let differing: Vec<File> =
        wanted.into_iter().filter(|file| contents.file(file.path) != file.text()).collect();
    if !differing.is_empty() {
        plan.push(Effect::Push { container, files: differing }, "not as it is to be");
    }
    true
}

/// Plans what makes the service run as the layer says.
fn start(
    plan: &mut Plan,
    container: &'static str,
    contents: &Contents,
    service: &str,
    layer: Value,
) {
    let is_right = layer::entries(&layer)
        .iter()
        .all(|(path, value)| contents.plan.get(path).is_some_and(|it| it == value));
    if !is_right {
        plan.push(Effect::AddLayer { container, layer }, "the plan differs");
    }
    let stopped = contents.service(service) == Service::Stopped;
    if stopped || !is_right {
        let why = if stopped { "does not run" } else { "is to be as the layer says" };
        plan.push(Effect::Replan { container }, format!("service {service} {why}"));
    }
}

/// Who may stay in the own Sentinel's file at its next start, whenever that is: everybody who is
/// planned, and whom it must not forget yet.
fn members(juju: &Juju, cluster: &Cluster, contents: &Contents) -> BTreeSet<String> {
    let own = juju.unit.number;
    let mut hosts: BTreeSet<String> =
        cluster.planned().into_iter().map(|unit| cluster.naming.host(unit)).collect();
    match cluster.sentinel(own) {
        Some(view) if !cluster.may_forget_by_restart(own) => {
            hosts.extend(cluster.strangers_in(view).into_iter().map(|stranger| stranger.host));
        }
        Some(_) => {}
        // What it knows cannot be seen.
        None => {
            let before = contents.file(places::SENTINEL_MEMBERS).unwrap_or_default();
            hosts.extend(before.lines().map(str::to_owned));
        }
    }
    hosts
}

/// Whether Sentinel's file stays. One that a Sentinel runs with is never overwritten; a run of this unit
/// has started it, though it may have died before it could say so. Any other must be this unit's own.
fn keeps_file(juju: &Juju, contents: &Contents, cluster: &Cluster) -> bool {
    let is_this_units = contents
        .file(places::SENTINEL_CONF)
        .is_some_and(|text| sentinel_conf::is_file_of(text, &juju.unit));
    let runs = contents.service(layer::SENTINEL) == Service::Running;
    runs || (is_this_units && juju.has_own_sentinel && !is_of_another_time(contents, cluster))
}

/// Whether a file would outvote the Sentinels that run: after a refresh to the Python charm and back it
/// has an epoch of before, and theirs began at 0 again.
fn is_of_another_time(contents: &Contents, cluster: &Cluster) -> bool {
    let vote = contents.file(places::SENTINEL_CONF).and_then(sentinel_conf::vote_in);
    let (Some((host, epoch)), Ok(voted)) = (vote, cluster.voted()) else { return false };
    let names_another = cluster.unit_at(host) != Some(voted.master);
    names_another && epoch >= voted.epoch
}

/// What the keeper has told.
pub fn report(world: &World) -> Report {
    let contents = world.workload.as_ref().and_then(|workload| workload.redis.open());
    let text = contents.and_then(|contents| contents.file(places::KEEPER_REPORT));
    text.map(Report::parse).unwrap_or_default()
}

/// The master that a new Sentinel is to watch, by host and epoch: the voted one. Where too few vote it
/// is that of the very first start, or the one Redis that acts as master, if no Sentinel names another.
/// Its epoch is none that the data have left behind.
fn sentinels_master(
    juju: &Juju,
    cluster: &Cluster,
    noted_epoch: u64,
) -> Result<(String, u64), Obstacle> {
    let application = &juju.application;
    let obstacle = match cluster.voted() {
        Ok(voted) => return Ok((cluster.naming.host(voted.master), voted.epoch)),
        Err(obstacle) => obstacle,
    };
    if let Some(first) = &application.bootstrap
        && cluster.sentinels().all(|(_, view)| view.vote == *first)
    {
        return Ok((first.clone(), 0));
    }
    let voted_epoch = cluster.sentinels().map(|(_, view)| view.epoch).max().unwrap_or_default();
    let epoch = application.master_epoch.unwrap_or_default().max(noted_epoch).max(voted_epoch);
    let alone = cluster.members.keys().all(|unit| *unit == juju.unit.number);
    let masters: Vec<u32> = cluster
        .redis_servers()
        .filter(|(_, view)| view.role == Role::Master)
        .map(|(unit, _)| unit)
        .collect();
    let is_named = |master: u32| {
        cluster.sentinels().all(|(_, view)| cluster.unit_at(&view.vote) == Some(master))
    };
    match masters.as_slice() {
        [] if alone && cluster.nobody_votes() => Ok((juju.own_host(), epoch)),
        [master] if cluster.nobody_else_votes() && is_named(*master) => {
            Ok((cluster.naming.host(*master), epoch))
        }
        _ => Err(obstacle),
    }
}
