//! Starts a hook's process, with its environment and the socket of its tools.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use super::cloud::Place;
use super::context::Context;
use super::context::HookRelation;
use super::core::Core;
use super::environment::environment;
use super::error::Error;
use super::files::Files;
use super::hook::Hook;
use super::hook::Kind;
use super::model::Model;
use super::model::application_of;
use super::process::Process;
use super::run::RunningHook;
use super::server::Server;
use crate::lock::lock;

/// Where a unit's hooks run.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    /// The charm's folder, as its processes see it.
    pub(crate) charm: PathBuf,
    /// The same, as the machine sees it.
    pub(crate) charm_here: PathBuf,
    /// The folder of the hook tools, as the charm's processes see it.
    pub(crate) tools: PathBuf,
    /// The socket of the hook tools, as the machine sees it.
    pub(crate) socket: PathBuf,
    /// The same, as the charm's processes see it.
    pub(crate) socket_inside: PathBuf,
    /// Where programs are looked for beside the hook tools.
    pub(crate) path: String,
    /// What tools may read and write.
    pub(crate) files: Files,
}

impl Ground {
    /// The unit's agent in a pod; folders that are missing are made.
    pub(crate) fn in_pod(unit: &str, place: &dyn Place) -> Result<Self, Error> {
        let name = format!("unit-{}", unit.replace('/', "-"));
        let agent = Path::new("agents").join(&name);
        let here = place.juju_directory();
        let inside = place.juju_directory_inside();
        for folder in ["charm", "resources"] {
            let path = here.join(&agent).join(folder);
            fs::create_dir_all(&path)
                .map_err(|source| Error::File { path: path.clone(), source })?;
        }
        let resources = inside.join(&agent).join("resources");
        Ok(Self {
            charm: inside.join(&agent).join("charm"),
            charm_here: here.join(&agent).join("charm"),
            tools: inside.join("tools").join(&name),
            socket: here.join(&agent).join("agent.socket"),
            socket_inside: inside.join(&agent).join("agent.socket"),
            path: place.path(),
            files: Files { root: place.root(), resources },
        })
    }
}

impl Core {
    /// Runs the program for the hook; whatever the command has of environment and output is
    /// replaced.
    pub(crate) fn launch(
        &self,
        mut hook: Hook,
        mut command: Command,
        ground: &Ground,
    ) -> Result<RunningHook, Error> {
        let unit = hook.unit.clone();
        let mut world = lock(&self.world);
        if world.model.unit(&unit).is_none() {
            return Err(Error::NoSuchUnit { unit });
        }
        let relation = hook_relation(&hook, &world.model)?;
        if let (Some(relation), Some((_, happening))) = (&relation, &hook.relation) {
            let name = format!("{}-relation-{}", relation.endpoint, happening.word());
            hook.kind = Kind::Hook(name);
        }
        let described = format!("{unit} {}", hook.kind.word());
        if world.agent(&unit).is_busy {
            return Err(Error::Busy { unit, hook: described });
        }
        world.runs += 1;
        let id = format!("{unit}-{}-{:032x}", hook.kind.word(), world.runs);
        let files = ground.files.clone();
        let context = Context::begin(&hook, relation.clone(), files, &mut world);
        let juju = world.deployment.switches.juju;
        let environment = environment(&hook, relation.as_ref(), ground, &id, &world.model, juju);
        let is_away = world.deployment.is_away;
        let agent = world.agent(&unit);
        agent.is_busy = true;
        agent.is_cut_off = is_away;
        drop(world);

        let give_up = |error| {
            lock(&self.world).agent(&unit).is_busy = false;
            error
        };
        let socket = ground.socket.clone();
        let opened =
            Server::open(Arc::clone(&self.world), context, id, hook.faults.clone(), socket.clone());
        let server =
            opened.map_err(|source| give_up(Error::File { path: socket.clone(), source }))?;
        let program = command.get_program().to_string_lossy().into_owned();
        command.env_clear().envs(&environment);
        let process = Process::start(command).map_err(|source| {
            server.close();
            give_up(Error::Start { program, hook: described, source })
        })?;
        // Only this sets it.
        let _ = server.group.set(process.group());
        let world = Arc::clone(&self.world);
        let kept = self.kept.upgrade();
        Ok(RunningHook { world, server, process, hook, _kept: kept, environment })
    }
}

fn hook_relation(hook: &Hook, model: &Model) -> Result<Option<HookRelation>, Error> {
    let Some((id, happening)) = &hook.relation else { return Ok(None) };
    let application = application_of(&hook.unit);
    let found = model.relation(*id);
    let (endpoint, remote) = found
        .and_then(|it| it.endpoint_of(application).map(|endpoint| (endpoint, it)))
        .map(|(endpoint, it)| (endpoint.to_owned(), it.remote_of(application).to_owned()))
        .ok_or_else(|| Error::NoSuchRelation { relation: *id, unit: hook.unit.clone() })?;
    Ok(Some(HookRelation {
        id: *id,
        endpoint,
        remote_application: remote,
        remote_unit: happening.remote_unit().to_owned(),
    }))
}
