//! A whole model: a controller, Kubernetes, pods, and an operator's hands on all of it.
//!
//! ```no_run
//! # use std::path::Path;
//! # use std::time::Duration;
//! # use testbed::lab::Lab;
//! # fn main() -> Result<(), testbed::lab::error::LabError> {
//! let lab = Lab::start(7)?;
//! lab.deploy(Path::new("mycharm"), "mycharm", 3)?;
//! lab.wait_for_active("mycharm", Duration::from_secs(60))?;
//! lab.delete_pod("mycharm/1")?;
//! lab.cut("mycharm/0", "mycharm/2")?;
//! lab.run("mycharm/0", "show-something", &[("key", "value")])?;
//! # Ok(())
//! # }
//! ```
//!
//! Dropped, it leaves neither a process nor a file.

mod agents;
mod ends;

pub mod error;
pub mod faults;
pub mod operator;
pub mod pods;
pub mod records;
pub mod redis;
pub mod sentinel_events;
pub mod service_changes;
pub mod status;
pub mod target;
pub mod volumes;
pub mod waits;
pub(crate) mod watcher;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use error::LabError;

use crate::error::at_file;
use crate::juju::clock::Clock;
use crate::juju::clock::GRACE;
use crate::juju::controller::Controller;
use crate::juju::model::Model;
use crate::juju::operator as juju_operator;
use crate::juju::switches::Switches;
use crate::kubernetes::cluster::Cluster;
use crate::kubernetes::cluster::Setting;
use crate::trace::entry::What;
use crate::trace::sink::Sink;
use crate::trace::timeline;
use crate::volume::Snapshot;

/// One Juju model on this machine, and everything below it.
#[derive(Debug)]
pub struct Lab {
    options: Options,
    trace: Sink,
    controller: Controller,
    cluster: Cluster,
    snapshots: Mutex<BTreeMap<String, Snapshot>>,
}

/// What a lab is started with.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Drives every choice that Juju and Kubernetes leave to chance.
    pub seed: u64,
    /// The model's name, which is its Kubernetes namespace.
    pub model: String,
    /// Which Juju it is, where versions differ or the order of events is open.
    pub switches: Switches,
    /// How much faster than Juju's own all periods pass: leases, retries, polls, ticks, probes.
    pub speed: f64,
    /// How long a pod has from SIGTERM to SIGKILL. Whatever the speed, it is 30 s as in Juju unless it
    /// is said otherwise: it is the charm's own work that takes it.
    pub grace: Duration,
    /// Whether disks can be made slow; every program of a workload container then loads a library.
    pub can_slow_disk: bool,
    /// Folders of the machine that every container sees, read-only, at the same path: where an
    /// interpreter lies that the charm needs and that is not below `/usr`.
    pub shown: Vec<PathBuf>,
}

impl Default for Options {
    /// Juju's own times, model `lab`.
    fn default() -> Self {
        Self {
            seed: 0,
            model: "lab".into(),
            switches: Switches::default(),
            speed: 1.0,
            grace: GRACE,
            can_slow_disk: true,
            shown: Vec::new(),
        }
    }
}

impl Lab {
    /// An empty model with Juju's own times.
    pub fn start(seed: u64) -> Result<Self, LabError> {
        Self::start_with(Options { seed, ..Options::default() })
    }

    /// An empty model.
    pub fn start_with(options: Options) -> Result<Self, LabError> {
        let trace = Sink::new();
        let clock = Clock::at_speed(options.speed);
        let cluster = Cluster::start(Setting {
            clock,
            grace: options.grace,
            can_slow_disk: options.can_slow_disk,
            shown: options.shown.clone(),
            ..Setting::new(&options.model, trace.clone())
        })?;
        let folder = cluster.network().directory();
        let controller = Controller::in_folder(Model::named(&options.model), folder)?;
        cluster.connect(Arc::new(controller.clone()));
        controller.connect(
            Arc::new(cluster.clone()),
            juju_operator::Setting {
                clock,
                switches: options.switches,
                seed: options.seed,
                trace: trace.clone(),
            },
        );
        Ok(Self { options, trace, controller, cluster, snapshots: Mutex::default() })
    }

    /// What it was started with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What has happened so far.
    pub fn trace(&self) -> &Sink {
        &self.trace
    }

    /// Writes what has happened so far into a folder: one file of JSON lines, and one timeline.
    pub fn write_trace(&self, folder: &Path) -> Result<(), LabError> {
        static WRITTEN: AtomicU32 = AtomicU32::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let stem = format!("{}-{}-{number}", self.options.model, std::process::id());
        fs::create_dir_all(folder).map_err(at_file(folder))?;
        let path = folder.join(format!("{stem}.jsonl"));
        let mut lines = Vec::new();
        self.trace.write_json_lines(&mut lines).map_err(at_file(&path))?;
        fs::write(&path, lines).map_err(at_file(&path))?;
        let path = folder.join(format!("{stem}.txt"));
        fs::write(&path, timeline::render(&self.trace.entries())).map_err(at_file(&path))?;
        Ok(())
    }

    /// Juju's controller, for what has no verb of its own here.
    pub fn controller(&self) -> &Controller {
        &self.controller
    }

    /// Changes which Juju it is.
    pub fn switch(&self, switches: Switches) {
        self.controller.set_switches(switches);
    }

    /// Kubernetes, for what has no verb of its own here.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Notes what the operator does.
    fn note(&self, command: &str) {
        self.trace.push(What::Operator { command: command.to_owned() });
    }

    /// Notes what is broken, or mended.
    fn note_fault(&self, what: &str) {
        self.trace.push(What::Fault { what: what.to_owned() });
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.controller.end();
        self.cluster.end();
        if let Some(folder) = env::var_os(TRACES) {
            // A run that nobody can look at afterwards is still a run.
            let _ = self.write_trace(Path::new(&folder));
        }
    }
}

/// Names the folder into which every lab writes its trace when it ends.
pub const TRACES: &str = "TESTBED_TRACES";
