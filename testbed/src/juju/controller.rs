//! The handle of a controller: looks at its model, rearranges it, runs hooks of its units.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

use tempfile::TempDir;

use crate::programs;

use super::context::Context;
use super::context::HookRelation;
use super::error::Error;
use super::files::Files;
use super::hook::Happening;
use super::hook::Hook;
use super::hook::Kind;
use super::model::Model;
use super::model::Status;
use super::model::application_of;
use super::process::Process;
use super::run::RunningHook;
use super::server::Server;
use super::tools;
use super::world::SharedWorld;
use super::world::World;
use super::world::locked;

/// A controller with the agents of all its units. Clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct Controller {
    world: SharedWorld,
    directory: Arc<TempDir>,
}

impl Controller {
    /// A controller of that model, with an empty charm directory for each unit.
    pub fn new(model: Model) -> Result<Self, Error> {
        let file = |path: &Path, source| Error::File { path: path.to_owned(), source };
        let directory = TempDir::new().map_err(|source| file(Path::new("/tmp"), source))?;
        let program = programs::own("hook-tool").map_err(Error::Tools)?;
        let tools = directory.path().join("tools");
        fs::create_dir(&tools).map_err(|source| file(&tools, source))?;
        for (name, _) in tools::TOOLS {
            let tool = tools.join(name);
            symlink(&program, &tool).map_err(|source| file(&tool, source))?;
        }
        let world = Arc::new(Mutex::new(World::new(model)));
        Ok(Self { world, directory: Arc::new(directory) })
    }

    /// Looks at the model.
    pub fn read<T>(&self, look: impl FnOnce(&Model) -> T) -> T {
        look(&locked(&self.world).model)
    }

    /// Rearranges the model, as if by other units, the operator or the controller.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        change(&mut locked(&self.world).model)
    }

    /// Gives the lease of the unit's application to that unit.
    pub fn set_leader(&self, unit: &str) {
        self.edit(|model| {
            if let Some(application) = model.applications.get_mut(application_of(unit)) {
                application.leader = Some(unit.to_owned());
            }
        });
    }

    /// Leaves the application without a leader.
    pub fn clear_leader(&self, application: &str) {
        self.edit(|model| {
            if let Some(application) = model.applications.get_mut(application) {
                application.leader = None;
            }
        });
    }

    /// Makes the unit's agent believe that it holds the lease, or that it does not, whatever the
    /// controller knows; nothing makes it ask again.
    pub fn claim_leadership(&self, unit: &str, claim: Option<bool>) {
        locked(&self.world).agent(unit).claim = claim;
    }

    /// Restarts the unit's agent: it forgets the databags that it has read.
    pub fn restart_agent(&self, unit: &str) {
        locked(&self.world).agent(unit).members.clear();
    }

    /// The unit's charm directory, which is the working directory of its hooks.
    pub fn charm_directory(&self, unit: &str) -> Result<PathBuf, Error> {
        let path = self.agent_directory(unit).join("charm");
        fs::create_dir_all(&path).map_err(|source| Error::File { path: path.clone(), source })?;
        Ok(path)
    }

    /// Empties the unit's charm directory, as a new pod has it.
    pub fn wipe_charm_directory(&self, unit: &str) -> Result<(), Error> {
        let path = self.charm_directory(unit)?;
        fs::remove_dir_all(&path)
            .and_then(|()| fs::create_dir(&path))
            .map_err(|source| Error::File { path, source })
    }

    /// Statuses in the order that charms set them, by unit or application.
    pub fn statuses(&self) -> Vec<(String, Status)> {
        locked(&self.world).statuses.clone()
    }

    /// All that was ever said where others may read it: command lines of tools, log lines,
    /// messages of statuses and actions, output of hooks. Databags, state and standard input of
    /// tools are not in it, as secrets belong there.
    pub fn transcript(&self) -> String {
        locked(&self.world).transcript.join("\n")
    }

    /// What tools have read from their standard input, in hooks of any end: where secrets belong,
    /// so that a test knows what to search the transcript for.
    pub fn inputs(&self) -> Vec<String> {
        locked(&self.world).inputs.clone()
    }

    /// Runs the program for the hook. Environment, directory and output are set here, whatever
    /// the command has of them; further variables are the hook's.
    pub fn start(&self, mut hook: Hook, mut command: Command) -> Result<RunningHook, Error> {
        let unit = hook.unit.clone();
        let mut world = locked(&self.world);
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
        let files = self.files_of(&unit)?;
        let context = Context::begin(&hook, relation.clone(), files, &mut world);
        let charm = self.charm_directory(&unit)?;
        let socket = self.agent_directory(&unit).join("agent.socket");
        let mut environment = common_environment(&unit, &world.model);
        let path = |path: &Path| path.display().to_string();
        let tools = path(&self.directory.path().join("tools"));
        environment.extend([
            ("JUJU_CHARM_DIR", path(&charm)),
            ("CHARM_DIR", path(&charm)),
            ("JUJU_CONTEXT_ID", id.clone()),
            ("JUJU_AGENT_SOCKET_ADDRESS", path(&socket)),
            ("PATH", format!("{tools}:/usr/bin:/bin")),
        ]);
        environment.extend(hook_environment(&hook, relation.as_ref()));
        let mut environment: BTreeMap<String, String> =
            environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        environment.extend(hook.variables.iter().cloned());
        world.agent(&unit).is_busy = true;
        drop(world);

        let opened =
            Server::open(Arc::clone(&self.world), context, id, hook.faults.clone(), socket.clone());
        let server = opened
            .map_err(|source| self.give_up(&unit, Error::File { path: socket.clone(), source }))?;
        let program = command.get_program().to_string_lossy().into_owned();
        command.env_clear().envs(&environment).current_dir(charm);
        let process = Process::start(command).map_err(|source| {
            server.close();
            self.give_up(&unit, Error::Start { program, hook: described, source })
        })?;
        // Only this sets it.
        let _ = server.group.set(process.group());
        let world = Arc::clone(&self.world);
        let directory = Arc::clone(&self.directory);
        Ok(RunningHook { world, server, process, hook, _directory: directory, environment })
    }

    /// The unit's files: those of the machine, as its charm runs on it.
    fn files_of(&self, unit: &str) -> Result<Files, Error> {
        let resources = self.agent_directory(unit).join("resources");
        fs::create_dir_all(&resources)
            .map_err(|source| Error::File { path: resources.clone(), source })?;
        Ok(Files { root: PathBuf::from("/"), resources })
    }

    fn give_up(&self, unit: &str, error: Error) -> Error {
        locked(&self.world).agent(unit).is_busy = false;
        error
    }

    fn agent_directory(&self, unit: &str) -> PathBuf {
        self.directory.path().join(format!("unit-{}", unit.replace('/', "-")))
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

/// The variables that every hook has, but for paths.
fn common_environment(unit: &str, model: &Model) -> BTreeMap<&'static str, String> {
    let mut environment = BTreeMap::from([
        ("JUJU_UNIT_NAME", unit.to_owned()),
        ("JUJU_MODEL_NAME", model.identity.name.clone()),
        ("JUJU_MODEL_UUID", model.identity.uuid.clone()),
    ]);
    environment.extend(CONSTANT.iter().map(|&(name, value)| (name, value.to_owned())));
    environment
}

/// The variables that depend on what the hook is about.
fn hook_environment(hook: &Hook, relation: Option<&HookRelation>) -> Vec<(&'static str, String)> {
    let mut environment = match &hook.kind {
        Kind::Hook(name) => {
            vec![("JUJU_DISPATCH_PATH", format!("hooks/{name}")), ("JUJU_HOOK_NAME", name.clone())]
        }
        Kind::Action { name, id } => vec![
            ("JUJU_DISPATCH_PATH", format!("actions/{name}")),
            ("JUJU_HOOK_NAME", String::new()),
            ("JUJU_ACTION_NAME", name.clone()),
            ("JUJU_ACTION_UUID", id.clone()),
            ("JUJU_ACTION_TAG", format!("action-{id}")),
        ],
        Kind::Exec => vec![("JUJU_HOOK_NAME", String::new())],
    };
    if let Some(relation) = relation {
        environment.extend([
            ("JUJU_RELATION", relation.endpoint.clone()),
            ("JUJU_RELATION_ID", format!("{}:{}", relation.endpoint, relation.id)),
            ("JUJU_REMOTE_APP", relation.remote_application.clone()),
            ("JUJU_REMOTE_UNIT", relation.remote_unit.clone()),
        ]);
    }
    if let Some((_, Happening::Departed { departing, .. })) = &hook.relation {
        environment.push(("JUJU_DEPARTING_UNIT", departing.clone()));
    }
    environment
}

const CONSTANT: &[(&str, &str)] = &[
    ("JUJU_AGENT_SOCKET_NETWORK", "unix"),
    ("JUJU_VERSION", "3.6.28"),
    ("JUJU_API_ADDRESSES", "10.152.183.1:17070"),
    ("JUJU_MACHINE_ID", ""),
    ("JUJU_PRINCIPAL_UNIT", ""),
    ("JUJU_AVAILABILITY_ZONE", ""),
    ("JUJU_SLA", ""),
    ("CLOUD_API_VERSION", ""),
    ("JUJU_CHARM_HTTP_PROXY", ""),
    ("JUJU_CHARM_HTTPS_PROXY", ""),
    ("JUJU_CHARM_FTP_PROXY", ""),
    ("JUJU_CHARM_NO_PROXY", ""),
    ("LANG", "C.UTF-8"),
    ("TERM", "tmux-256color"),
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("KUBERNETES_SERVICE_HOST", "10.152.183.1"),
    ("KUBERNETES_SERVICE_PORT", "443"),
];
