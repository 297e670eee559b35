//! The handle of a controller: looks at its model, rearranges it, runs hooks of its units.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

use tempfile::TempDir;

use super::cloud::Place;
use super::core::Core;
use super::error::Error;
use super::files::Files;
use super::hook::Hook;
use super::launch::Ground;
use super::model::Model;
use super::model::Status;
use super::model::application_of;
use super::run::RunningHook;
use super::world::SharedWorld;
use super::world::World;
use crate::lock::lock;

/// A controller with the agents of all its units. Clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct Controller {
    pub(crate) core: Core,
    _end: Arc<End>,
}

/// Ends all threads of the controller with its last handle, and its folder.
#[derive(Debug)]
struct End {
    world: SharedWorld,
    _directory: Arc<TempDir>,
}

impl Controller {
    /// A controller of that model, with an empty charm directory for each unit.
    pub fn new(model: Model) -> Result<Self, Error> {
        Self::in_folder(model, &std::env::temp_dir())
    }

    /// The same, whose own folder is made in that one.
    pub fn in_folder(model: Model, folder: &Path) -> Result<Self, Error> {
        let directory = TempDir::new_in(folder)
            .map_err(|source| Error::File { path: folder.to_owned(), source })?;
        Core::install_tools(&directory.path().join("tools"))?;
        let world = Arc::new(Mutex::new(World::new(model)));
        let directory = Arc::new(directory);
        let core = Core {
            world: Arc::clone(&world),
            directory: directory.path().to_owned(),
            kept: Arc::downgrade(&directory),
            cloud: Arc::default(),
        };
        let end = Arc::new(End { world, _directory: directory });
        Ok(Self { core, _end: end })
    }

    /// Looks at the model.
    pub fn read<T>(&self, look: impl FnOnce(&Model) -> T) -> T {
        look(&lock(self.world()).model)
    }

    /// Rearranges the model, as if by other units, the operator or the controller.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        let mut world = lock(self.world());
        let result = change(&mut world.model);
        world.note_change();
        result
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
        lock(self.world()).agent(unit).claim = claim;
    }

    /// Restarts the unit's agent: it forgets the databags that it has read. One that runs by itself
    /// does so when its hook is through, and begins with what follows a restart.
    pub fn restart_agent(&self, unit: &str) {
        let mut world = lock(self.world());
        let agent = world.agent(unit);
        agent.members.clear();
        if let Some(running) = &mut agent.running {
            running.is_to_restart = true;
        }
        world.note_change();
    }

    /// Lets the unit's hooks that `start` runs run in that pod from now on.
    pub fn set_place(&self, unit: &str, place: Arc<dyn Place>) {
        lock(self.world()).agent(unit).place = Some(place);
    }

    /// A command that runs `program` as the unit's charm: in its pod, in its charm directory.
    pub fn command(&self, unit: &str, program: &Path) -> Result<Command, Error> {
        let place = lock(self.world()).agent(unit).place.clone();
        let charm = self.ground(unit)?.charm;
        Ok(place.map_or_else(|| Command::new(program), |place| place.command(&charm, program)))
    }

    /// The unit's charm directory, as the machine has it; it is the working directory of its hooks.
    pub fn charm_directory(&self, unit: &str) -> Result<PathBuf, Error> {
        Ok(self.ground(unit)?.charm_here)
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
        lock(self.world()).statuses.clone()
    }

    /// All that was ever said where others may read it: command lines of tools, log lines,
    /// messages of statuses and actions, output of hooks. Databags, state and standard input of
    /// tools are not in it, as secrets belong there.
    pub fn transcript(&self) -> String {
        lock(self.world()).transcript.join("\n")
    }

    /// What tools have read from their standard input, in hooks of any end: where secrets belong,
    /// so that a test knows what to search the transcript for.
    pub fn inputs(&self) -> Vec<String> {
        lock(self.world()).inputs.clone()
    }

    /// Runs the program for the hook. Environment, directory and output are set here, whatever
    /// the command has of them; further variables are the hook's.
    pub fn start(&self, hook: Hook, mut command: Command) -> Result<RunningHook, Error> {
        let ground = self.ground(&hook.unit)?;
        command.current_dir(&ground.charm_here);
        self.core.launch(hook, command, &ground)
    }

    /// Where hooks of a unit run that a test starts; the folders are there.
    fn ground(&self, unit: &str) -> Result<Ground, Error> {
        let place = lock(self.world()).agent(unit).place.clone();
        if let Some(place) = place {
            let ground = Ground::in_pod(unit, &*place)?;
            let tools = format!("tools/unit-{}", unit.replace('/', "-"));
            Core::install_tools(&place.juju_directory().join(tools))?;
            return Ok(ground);
        }
        let directory = &self.core.directory;
        let agent = directory.join(format!("unit-{}", unit.replace('/', "-")));
        let (charm, resources) = (agent.join("charm"), agent.join("resources"));
        for folder in [&charm, &resources] {
            fs::create_dir_all(folder)
                .map_err(|source| Error::File { path: folder.clone(), source })?;
        }
        let socket = agent.join("agent.socket");
        Ok(Ground {
            charm_here: charm.clone(),
            charm,
            tools: directory.join("tools"),
            socket: socket.clone(),
            socket_inside: socket,
            path: "/usr/bin:/bin".to_owned(),
            files: Files { root: PathBuf::from("/"), resources },
        })
    }

    pub(crate) fn world(&self) -> &SharedWorld {
        &self.core.world
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut world = lock(&self.world);
        world.deployment.is_over = true;
        world.note_change();
    }
}
