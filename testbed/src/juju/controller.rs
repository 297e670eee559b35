//! The handle of a controller: looks at its model, rearranges it, runs hooks of its units.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

use tempfile::TempDir;

use crate::programs;

use super::cloud::Place;
use super::context::Context;
use super::context::HookRelation;
use super::error::Error;
use super::folders::Folders;
use super::hook::Happening;
use super::hook::Hook;
use super::hook::Kind;
use super::model::Model;
use super::model::Status;
use super::model::application_of;
use super::process::Process;
use super::run::RunningHook;
use super::server::Server;
use super::world::SharedWorld;
use super::world::World;
use super::world::locked;

/// A controller with the agents of all its units. Clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct Controller {
    world: SharedWorld,
    /// Of the units that run on the machine itself.
    directory: Arc<TempDir>,
    hook_tool: PathBuf,
}

impl Controller {
    /// A controller of that model, with an empty charm directory for each unit.
    pub fn new(model: Model) -> Result<Self, Error> {
        let directory =
            TempDir::new().map_err(|source| Error::File { path: PathBuf::from("/tmp"), source })?;
        let hook_tool = programs::own("hook-tool").map_err(Error::Tools)?;
        let world = Arc::new(Mutex::new(World::new(model)));
        Ok(Self { world, directory: Arc::new(directory), hook_tool })
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

    /// Lets the unit's hooks run in that pod from now on.
    pub fn set_place(&self, unit: &str, place: Arc<dyn Place>) {
        locked(&self.world).agent(unit).place = Some(place);
    }

    /// A command that runs `program` as the unit's charm: in its pod, in its charm directory.
    pub fn command(&self, unit: &str, program: &Path) -> Result<Command, Error> {
        let place = locked(&self.world).agent(unit).place.clone();
        let charm = self.folders(unit)?.charm.charm();
        Ok(place.map_or_else(|| Command::new(program), |place| place.command(&charm, program)))
    }

    /// The unit's charm directory, as the machine has it; it is the working directory of its hooks.
    pub fn charm_directory(&self, unit: &str) -> Result<PathBuf, Error> {
        Ok(self.folders(unit)?.machine.charm())
    }

    /// The folder of the unit's hook tools, as the machine has it.
    pub fn tools_directory(&self, unit: &str) -> Result<PathBuf, Error> {
        Ok(self.folders(unit)?.machine.tools())
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
        let folders = self.folders_in(&mut world, &unit)?;
        let context = Context::begin(&hook, relation.clone(), folders.files(), &mut world);
        let mut environment = common_environment(&unit, &world.model);
        let path = |path: &Path| path.display().to_string();
        let (charm, tools) = (path(&folders.charm.charm()), path(&folders.charm.tools()));
        environment.extend([
            ("JUJU_CHARM_DIR", charm.clone()),
            ("CHARM_DIR", charm),
            ("JUJU_CONTEXT_ID", id.clone()),
            ("JUJU_AGENT_SOCKET_ADDRESS", path(&folders.charm.socket())),
            ("PATH", format!("{tools}:/usr/bin:/bin")),
        ]);
        environment.extend(hook_environment(&hook, relation.as_ref()));
        let mut environment: BTreeMap<String, String> =
            environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        environment.extend(hook.variables.iter().cloned());
        world.agent(&unit).is_busy = true;
        drop(world);

        let socket = folders.machine.socket();
        let opened =
            Server::open(Arc::clone(&self.world), context, id, hook.faults.clone(), socket.clone());
        let server = opened
            .map_err(|source| self.give_up(&unit, Error::File { path: socket.clone(), source }))?;
        let program = command.get_program().to_string_lossy().into_owned();
        command.env_clear().envs(&environment).current_dir(folders.machine.charm());
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

    /// The unit's folders, which are there.
    fn folders(&self, unit: &str) -> Result<Folders, Error> {
        self.folders_in(&mut locked(&self.world), unit)
    }

    fn folders_in(&self, world: &mut World, unit: &str) -> Result<Folders, Error> {
        let folders = match &world.agent(unit).place {
            Some(place) => Folders::of(&**place, unit),
            None => Folders::on_machine(self.directory.path(), unit),
        };
        folders.make(&self.hook_tool)?;
        Ok(folders)
    }

    fn give_up(&self, unit: &str, error: Error) -> Error {
        locked(&self.world).agent(unit).is_busy = false;
        error
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
