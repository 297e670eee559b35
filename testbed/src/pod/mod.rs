//! A pod: containers with a network and a host name in common. In `charm` nothing runs but what is
//! started there with `Pod::command`; in all others Pebble is process 1.

mod container;
mod contents;
mod place;
mod sandbox;

pub mod plan;
pub mod spec;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Output;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::BedError;
use crate::error::at_file;
use crate::ground::Ground;
use crate::lock::lock;
use crate::pebble::client::http::Client;
use crate::pod::container::Begun;
use crate::pod::container::Container;
use crate::pod::sandbox::Sandbox;
use crate::pod::spec::PodSpec;
use crate::programs;
use crate::wait;

/// A pod; everything in it ends with the bed.
#[derive(Debug)]
pub struct Pod {
    ground: Arc<Ground>,
    spec: PodSpec,
    name: String,
    directory: PathBuf,
    sandbox: Sandbox,
    containers: BTreeMap<String, Container>,
    listeners: Arc<Mutex<Vec<Sender<ContainerEnd>>>>,
}

/// A container that has ended, by itself or by force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEnd {
    /// Its name.
    pub container: String,
    /// How its first process ended.
    pub status: ExitStatus,
}

/// The container of the charm.
pub const CHARM: &str = "charm";

impl Pod {
    /// Begins to make it. Split in four so that many pods are made at once: the waiting is in `made`,
    /// which gives the hub's lines that connect it, and in `started`, after `begin_containers`.
    pub(crate) fn begin(
        ground: &Arc<Ground>,
        spec: PodSpec,
        number: u32,
        address: Ipv4Addr,
    ) -> Result<Self, BedError> {
        let name = spec.name();
        // Short, as the path of a socket has at most 107 bytes.
        let directory = ground.directory().join("pods").join(number.to_string());
        fs::create_dir_all(&directory).map_err(at_file(&directory))?;
        let link = format!("pod{number}");
        let sandbox = Sandbox::begin(Arc::clone(ground), &directory, &spec, address, link)?;
        let plans = contents::plans(ground, &spec, &directory, &sandbox)?;
        let container = |(container, plan)| {
            let title = format!("container {container} of {name}");
            (container, Container::new(Arc::clone(ground), title, plan))
        };
        Ok(Self {
            ground: Arc::clone(ground),
            containers: plans.into_iter().map(container).collect(),
            listeners: Arc::default(),
            spec,
            name,
            directory,
            sandbox,
        })
    }

    pub(crate) fn made(&mut self) -> Result<Vec<String>, BedError> {
        self.sandbox.made()
    }

    pub(crate) fn begin_containers(&self) -> Result<Vec<(String, Begun)>, BedError> {
        self.sandbox.join()?;
        let begun = self.containers.iter().map(|(name, container)| {
            container.begin(&self.sandbox).map(|begun| (name.clone(), begun))
        });
        begun.collect()
    }

    pub(crate) fn started(&self, begun: Vec<(String, Begun)>) -> Result<(), BedError> {
        self.sandbox.joined()?;
        begun.into_iter().try_for_each(|(name, begun)| self.made_container(&name, begun))
    }

    fn made_container(&self, name: &str, begun: Begun) -> Result<(), BedError> {
        let listeners = Arc::clone(&self.listeners);
        let container = name.to_owned();
        self.container(name)?.made(begun, move |status| {
            let end = ContainerEnd { container, status };
            // Those who no longer listen are forgotten.
            lock(&listeners).retain(|listener| listener.send(end.clone()).is_ok());
        })
    }

    /// What it was made of.
    pub fn spec(&self) -> &PodSpec {
        &self.spec
    }

    /// Its name, which is its host name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The full name by which the pods know it.
    pub fn host(&self) -> String {
        self.spec.names.host(self.spec.unit)
    }

    /// Its address; a pod that takes its place has another.
    pub fn address(&self) -> Ipv4Addr {
        self.sandbox.address()
    }

    /// The names of all its containers.
    pub fn containers(&self) -> impl Iterator<Item = &str> {
        self.containers.keys().map(String::as_str)
    }

    /// A command that runs `program` inside a container, in `/`, with nothing but a PATH in its
    /// environment. Arguments and variables are added as to any `Command`.
    ///
    /// The process that it starts stands for the program outside the container's PID namespace: it ends
    /// as the program ends, SIGKILL to it kills the program, and it leads a process group to which the
    /// program belongs, so other signals have to be sent to that group.
    pub fn command(&self, container: &str, program: impl AsRef<OsStr>) -> Command {
        self.command_in(container, Path::new("/"), program)
    }

    /// The same in a working directory, which `Command::current_dir` would set outside the container.
    pub fn command_in(
        &self,
        container: &str,
        directory: &Path,
        program: impl AsRef<OsStr>,
    ) -> Command {
        // Nobody has number 0, so the command says that there is no such process.
        let process = self.container_process(container).unwrap_or_default();
        let mut command = self.ground.enter(process, "net,uts,mnt", directory);
        command.arg(program).env("PATH", contents::PATH);
        command
    }

    /// A command that runs one of the bed's own programs in the charm container.
    pub(crate) fn own_command(&self, program: &str) -> Result<Command, BedError> {
        programs::own(program)?;
        Ok(self.command(CHARM, Path::new(contents::OWN_PROGRAMS).join(program)))
    }

    /// Runs a command to its end with `input` at its stdin; its argv goes into the transcript.
    pub fn run(&self, command: &mut Command, input: &str) -> Result<Output, BedError> {
        self.ground.run(command, input)
    }

    /// Starts a command; its argv goes into the transcript. It ends with its container at the latest.
    pub fn spawn(&self, command: &mut Command) -> Result<Child, BedError> {
        self.ground.spawn(command)
    }

    /// The files of a container, as a folder of the machine. One that does not run has none.
    pub fn container_root(&self, container: &str) -> PathBuf {
        let process = self.container_process(container).unwrap_or_default();
        PathBuf::from(format!("/proc/{process}/root"))
    }

    /// The first process of a container by its number on the machine, if it runs.
    pub fn container_process(&self, container: &str) -> Option<u32> {
        self.containers.get(container).and_then(Container::process)
    }

    /// Whether a container runs.
    pub fn is_running(&self, container: &str) -> bool {
        self.container_process(container).is_some()
    }

    /// The processes in a container, by their numbers on the machine, without the first.
    pub fn processes(&self, container: &str) -> Vec<u32> {
        let Some(container) = self.containers.get(container) else { return Vec::new() };
        let (first, mut processes) = (container.process(), container.processes());
        processes.retain(|process| Some(*process) != first);
        processes
    }

    /// The socket of a workload container's Pebble, as a path of the machine.
    pub fn pebble_socket(&self, container: &str) -> PathBuf {
        contents::shared_folder(&self.directory, container).join("pebble.socket")
    }

    /// The socket over which the own Pebble of a workload container is told to do what goes wrong.
    pub fn faults_socket(&self, container: &str) -> PathBuf {
        contents::shared_folder(&self.directory, container).join(contents::FAULTS)
    }

    /// Waits until a workload container's Pebble answers.
    pub fn wait_for_pebble(&self, container: &str, limit: Duration) -> Result<Client, BedError> {
        let client = Client::new(&self.pebble_socket(container));
        wait::until(&format!("Pebble answers in {container} of {}", self.name), limit, || {
            client.get("/v1/system-info").ok()
        })
        .map_err(|error| error.with("its log", &self.log(container)))?;
        Ok(client)
    }

    /// What a container's first process has printed, since the first pod of this name.
    pub fn log(&self, container: &str) -> String {
        let log = self.containers.get(container).map(|container| fs::read(&container.plan().log));
        String::from_utf8_lossy(&log.and_then(Result::ok).unwrap_or_default()).into_owned()
    }

    /// From now on, tells of each container that ends.
    pub fn ends(&self) -> Receiver<ContainerEnd> {
        let (sender, receiver) = mpsc::channel();
        lock(&self.listeners).push(sender);
        receiver
    }

    /// Waits until a container has ended, and gives the status of its first process; none if that takes
    /// longer.
    pub fn wait_for_end(&self, container: &str, limit: Duration) -> Option<ExitStatus> {
        self.containers.get(container).and_then(|container| container.wait(limit))
    }

    /// SIGTERM to the first process of every workload container at once, as the kubelet sends it. What
    /// runs in the charm container is told by whoever started it.
    pub fn terminate(&self) {
        for (_, container) in self.containers.iter().filter(|(name, _)| *name != CHARM) {
            container.signal(Signal::SIGTERM);
        }
    }

    /// Kills every container at once; the address stays, and refuses connections.
    pub fn kill(&self) -> Result<(), BedError> {
        for container in self.containers.values() {
            container.signal(Signal::SIGKILL);
        }
        self.gone()
    }

    /// Waits until all containers have ended.
    pub(crate) fn gone(&self) -> Result<(), BedError> {
        self.containers.values().try_for_each(Container::gone)
    }

    /// Kills every process in the pod but the first of each container.
    pub fn kill_processes(&self) -> Result<(), BedError> {
        self.containers.values().try_for_each(Container::kill_others)
    }

    /// Kills one container.
    pub fn kill_container(&self, name: &str) -> Result<(), BedError> {
        let container = self.container(name)?;
        container.signal(Signal::SIGKILL);
        container.gone()
    }

    /// Starts a container that has ended: its root is fresh, its volumes and what it shares with the
    /// charm container are as they were.
    pub fn start_container(&self, name: &str) -> Result<(), BedError> {
        let begun = self.container(name)?.begin(&self.sandbox)?;
        self.made_container(name, begun)
    }

    /// Freezes every process of a container.
    pub fn freeze_container(&self, name: &str) -> Result<(), BedError> {
        self.container(name)?.signal_all(Signal::SIGSTOP);
        Ok(())
    }

    /// Thaws every process of a container.
    pub fn thaw_container(&self, name: &str) -> Result<(), BedError> {
        self.container(name)?.signal_all(Signal::SIGCONT);
        Ok(())
    }

    /// Freezes every process in the pod.
    pub fn freeze(&self) {
        self.containers.values().for_each(|container| container.signal_all(Signal::SIGSTOP));
    }

    /// Thaws every process in the pod.
    pub fn thaw(&self) {
        self.containers.values().for_each(|container| container.signal_all(Signal::SIGCONT));
    }

    /// Lets each `fdatasync` and `fsync` of a workload container's services take so much longer, from the
    /// next one on. The spec must have said that it can be.
    pub fn slow_disk(&self, container: &str, delay: Duration) -> Result<(), BedError> {
        let known = self.container(container)?;
        if !self.spec.can_slow_disk {
            return Err(BedError::NoSlowDisk { container: known.title().to_owned() });
        }
        let file = contents::shared_folder(&self.directory, container).join(contents::SLOW_DISK);
        // Whoever reads it meanwhile must not find it empty.
        let fresh = file.with_extension("new");
        fs::write(&fresh, delay.as_millis().to_string()).map_err(at_file(&fresh))?;
        fs::rename(&fresh, &file).map_err(at_file(&file))
    }

    /// Rewrites `/etc/hosts` of all containers.
    pub fn set_hosts(&self, text: &str) -> Result<(), BedError> {
        self.sandbox.set_hosts(text)
    }

    /// Rewrites `/etc/resolv.conf` of all containers.
    pub fn set_resolver(&self, text: &str) -> Result<(), BedError> {
        self.sandbox.set_resolver(text)
    }

    pub(crate) fn link(&self) -> &str {
        self.sandbox.link()
    }

    /// Kills everything in it and gives its network up.
    pub(crate) fn end(&self) -> Result<(), BedError> {
        let killed = self.kill();
        self.sandbox.end();
        killed
    }

    fn container(&self, name: &str) -> Result<&Container, BedError> {
        self.containers.get(name).ok_or_else(|| BedError::NoContainer {
            pod: self.name.clone(),
            container: name.to_owned(),
        })
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
