//! Kubernetes in miniature: pods are folders of the machine with a Pebble for each container.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use testbed::juju::cloud::Cloud;
use testbed::juju::cloud::CloudError;
use testbed::juju::cloud::Place;
use testbed::juju::cloud::StatefulSet;
use testbed::juju::cloud::Template;
use testbed::juju::controller::Controller;
use testbed::pebble::daemon::Daemon;
use testbed::wait::until;

/// The cluster.
#[derive(Clone, Default)]
pub(crate) struct Cluster {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    folder: OnceLock<PathBuf>,
    controller: OnceLock<Controller>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pods: BTreeMap<String, Pod>,
    templates: BTreeMap<String, Template>,
    /// What the provisioner has asked for, in order: application and replicas.
    asked: Vec<(String, u32)>,
    made: u32,
    is_over: bool,
}

/// A pod that runs.
struct Pod {
    version: u32,
    daemons: BTreeMap<String, Daemon>,
}

/// A pod's folder.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    address: String,
}

impl Place for Folder {
    fn command(&self, directory: &Path, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory);
        command
    }

    fn pebble_socket(&self, container: &str) -> PathBuf {
        self.path.join(container).join("pebble/.pebble.socket")
    }

    fn root(&self) -> PathBuf {
        PathBuf::from("/")
    }

    fn address(&self) -> String {
        self.address.clone()
    }

    fn juju_directory(&self) -> PathBuf {
        self.path.join("juju")
    }

    fn juju_directory_inside(&self) -> PathBuf {
        self.juju_directory()
    }
}

impl Cloud for Cluster {
    fn apply(&self, set: &StatefulSet) -> Result<(), CloudError> {
        let name = &set.application;
        {
            let mut state = self.state();
            state.asked.push((name.clone(), set.replicas));
            state.templates.insert(name.clone(), set.template.clone());
        }
        let units = |range: std::ops::Range<u32>| range.map(|n| format!("{name}/{n}"));
        for unit in units(0..set.replicas) {
            if !self.state().pods.contains_key(&unit) {
                self.start(&unit);
            }
        }
        let surplus: Vec<String> = self.units_of(name);
        let wanted: Vec<String> = units(0..set.replicas).collect();
        surplus.iter().filter(|unit| !wanted.contains(unit)).for_each(|unit| self.stop(unit));
        let stale = wanted.iter().any(|unit| self.version(unit) != Some(set.template.version));
        if stale {
            let (cluster, set) = (self.clone(), set.clone());
            thread::spawn(move || cluster.roll(&set));
        }
        Ok(())
    }

    fn delete(&self, application: &str) -> Result<(), CloudError> {
        self.units_of(application).iter().for_each(|unit| self.stop(unit));
        self.state().templates.remove(application);
        Ok(())
    }
}

impl Cluster {
    /// Uses that folder, and tells that controller of its pods.
    pub(crate) fn begin(&self, folder: &Path, controller: &Controller) {
        let _ = self.shared.folder.set(folder.to_owned());
        let _ = self.shared.controller.set(controller.clone());
    }

    /// Takes all pods away: a thread that holds the cluster may see the end later than the folder goes.
    pub(crate) fn end(&self) {
        let pods = {
            let mut state = self.state();
            state.is_over = true;
            std::mem::take(&mut state.pods)
        };
        drop(pods);
    }

    /// What the provisioner has asked for of an application, in order.
    pub(crate) fn replicas_asked(&self, application: &str) -> Vec<u32> {
        let asked = self.state().asked.clone();
        asked.into_iter().filter(|(name, _)| name == application).map(|(_, count)| count).collect()
    }

    /// Deletes the pod: SIGTERM, up to the grace period, and a new one.
    pub(crate) fn delete_pod(&self, unit: &str) {
        self.stop(unit);
        self.start(unit);
    }

    /// The node is lost, and the pod comes up on another one.
    pub(crate) fn lose_pod(&self, unit: &str) {
        self.controller().pod_gone(unit);
        self.state().pods.remove(unit);
        self.start(unit);
    }

    /// The charm container restarts in the same pod.
    pub(crate) fn restart_charm_container(&self, unit: &str) {
        self.controller().agent_restarted(unit);
    }

    /// Does something with the container's Pebble.
    pub(crate) fn pebble<T>(
        &self,
        unit: &str,
        container: &str,
        act: impl FnOnce(&mut Daemon) -> T,
    ) -> T {
        let mut state = self.state();
        let pod = state.pods.get_mut(unit).expect("the pod runs");
        act(pod.daemons.get_mut(container).expect("the pod has the container"))
    }

    fn start(&self, unit: &str) {
        let name = unit.split_once('/').expect("a unit").0;
        let (template, number) = {
            let mut state = self.state();
            if state.is_over {
                return;
            }
            state.made += 1;
            (state.templates.get(name).expect("a template").clone(), state.made)
        };
        let path = self.shared.folder.get().expect("begun").join(number.to_string());
        let mut daemons = BTreeMap::new();
        for container in &template.containers {
            let folder = path.join(&container.name);
            fs::create_dir_all(&folder).expect("a folder for the container");
            let daemon = Daemon::start(&folder).expect("a Pebble");
            daemons.insert(container.name.clone(), daemon);
        }
        let place = Arc::new(Folder { path, address: format!("10.1.0.{number}") });
        let version = template.version;
        let pod = Pod { version, daemons };
        {
            let mut state = self.state();
            if state.is_over {
                return;
            }
            state.pods.insert(unit.to_owned(), pod);
        }
        self.controller().pod_started(unit, version, place);
    }

    fn stop(&self, unit: &str) {
        let controller = self.controller();
        controller.pod_terminating(unit);
        let over =
            until("the agent to end", GRACE, || controller.is_agent_ended(unit).then_some(()));
        over.expect("an agent ends within the grace period");
        controller.pod_gone(unit);
        self.state().pods.remove(unit);
    }

    /// Highest number first; each new pod is ready at once.
    fn roll(&self, set: &StatefulSet) {
        for number in (0..set.replicas).rev() {
            let unit = format!("{}/{number}", set.application);
            if self.version(&unit).is_some_and(|version| version < set.template.version) {
                self.delete_pod(&unit);
            }
        }
    }

    fn version(&self, unit: &str) -> Option<u32> {
        self.state().pods.get(unit).map(|pod| pod.version)
    }

    fn units_of(&self, application: &str) -> Vec<String> {
        let prefix = format!("{application}/");
        self.state().pods.keys().filter(|unit| unit.starts_with(&prefix)).cloned().collect()
    }

    fn controller(&self) -> &Controller {
        self.shared.controller.get().expect("the cluster has begun")
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().expect("no test thread has failed with it")
    }
}

const GRACE: Duration = Duration::from_secs(30);
