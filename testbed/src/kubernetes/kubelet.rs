//! One pod's life: made, kept running and probed, told to end, killed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use nix::sys::signal::Signal;

use crate::error::BedError;
use crate::juju::cloud::Template;
use crate::names::Names;
use crate::pebble::client::http::Client;
use crate::pod::CHARM;
use crate::pod::ContainerEnd;
use crate::pod::Pod;
use crate::pod::spec::ContainerSpec;
use crate::pod::spec::Mount;
use crate::pod::spec::PodSpec;
use crate::pod::spec::StorageSpec;
use crate::processes;
use crate::trace::entry::PodChange;

use super::back_off::BackOff;
use super::cluster::Shared;
use super::probes::Health;
use super::probes::Probes;
use super::state::Key;
use super::state::Mail;
use super::statefulset::Phase;

/// Who looks after one pod.
#[derive(Debug)]
pub(crate) struct Kubelet {
    pub(crate) cluster: Arc<Shared>,
    pub(crate) key: Key,
    pub(crate) template: Arc<Template>,
    /// Which pod of the cluster it is, counted from 1.
    pub(crate) number: u64,
    pub(crate) sender: Sender<Mail>,
    pub(crate) mail: Receiver<Mail>,
}

/// How a pod is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Gently,
    AtOnce,
}

/// A container as the kubelet watches it.
#[derive(Debug)]
struct Watch {
    client: Option<Client>,
    probes: Probes,
    back_off: BackOff,
    /// When it is probed next, or started again if it has ended.
    due: Instant,
    started: Instant,
    has_ended: bool,
    restarts: u32,
    /// When one that was told to end is killed.
    killed_at: Option<Instant>,
}

impl Kubelet {
    /// The pod's whole life.
    pub(crate) fn run(self) {
        match self.make() {
            Ok(pod) => match self.keep(&pod) {
                End::Gently => self.stop(&pod),
                End::AtOnce => self.kill(&pod),
            },
            Err(error) => {
                let trouble = format!("{}: {error}", self.key.pod());
                // There may be a part of it.
                let _ = self.cluster.network.remove(&self.key.pod());
                self.cluster.change(&self.key, |record| record.trouble = Some(trouble));
                // It holds the place until it is deleted.
                while let Ok(Mail::Ended(_)) = self.mail.recv() {}
            }
        }
        self.cluster.forget(&self.key);
    }

    /// Volumes and containers; then its agent is told, which unpacks the charm.
    fn make(&self) -> Result<Arc<Pod>, BedError> {
        let juju_directory = self.cluster.network.folder(&format!("juju/{}", self.number))?;
        let pod = self.cluster.network.add(self.spec(juju_directory)?)?;
        let ends = pod.ends();
        let sender = self.sender.clone();
        thread::spawn(move || {
            ends.into_iter().try_for_each(|end| sender.send(Mail::Ended(end)).ok());
        });
        self.cluster.note_pod(&self.key, PodChange::Created { address: pod.address().to_string() });
        let unready = pod.containers().filter(|name| *name != CHARM).map(str::to_owned).collect();
        self.cluster.change(&self.key, |record| {
            record.pod = Some(Arc::clone(&pod));
            record.unready = unready;
        });
        if let Some(agents) = self.cluster.agents() {
            let place = Arc::clone(&pod);
            agents.pod_started(&self.key.unit(), self.template.version, place);
        }
        Ok(pod)
    }

    fn spec(&self, juju_directory: PathBuf) -> Result<PodSpec, BedError> {
        let names = Names {
            application: self.key.application.clone(),
            model: self.cluster.setting.model.clone(),
        };
        let mut spec = PodSpec::new(names, self.key.ordinal, &[]);
        spec.juju_directory = Some(juju_directory);
        spec.account = Some(self.cluster.account(&self.key.application)?);
        spec.shown.clone_from(&self.cluster.setting.shown);
        spec.can_slow_disk = self.cluster.setting.can_slow_disk;
        let storages = self.template.storages.iter().map(|storage| StorageSpec {
            name: storage.name.clone(),
            charm_location: storage.charm_location.clone(),
        });
        spec.storages = storages.collect();
        let containers = self.template.containers.iter().map(|container| ContainerSpec {
            name: container.name.clone(),
            mounts: container
                .mounts
                .iter()
                .map(|mount| Mount {
                    storage: mount.storage.clone(),
                    location: mount.location.clone(),
                })
                .collect(),
            memory_limit: container.memory_limit,
        });
        spec.containers = containers.collect();
        Ok(spec)
    }

    /// Probes the containers and starts those again that end, until the pod is to end.
    fn keep(&self, pod: &Pod) -> End {
        let start = Instant::now();
        let mut watches: BTreeMap<String, Watch> =
            pod.containers().map(|name| (name.to_owned(), Watch::new(pod, name, start))).collect();
        loop {
            for (name, watch) in &mut watches {
                if watch.due <= Instant::now() {
                    if watch.has_ended {
                        self.start_again(pod, name, watch);
                    } else {
                        self.probe(pod, name, watch);
                    }
                }
            }
            self.tell(&watches);
            let next = watches.values().map(Watch::next).min().unwrap_or(start);
            match self.mail.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Mail::Terminate) => return End::Gently,
                Ok(Mail::Kill) | Err(RecvTimeoutError::Disconnected) => return End::AtOnce,
                Ok(Mail::Ended(end)) => {
                    if let Some(watch) = watches.get_mut(&end.container) {
                        self.take_in_end(&end, watch, start.elapsed());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn take_in_end(&self, end: &ContainerEnd, watch: &mut Watch, now: Duration) {
        let change = format!("ended ({})", end.status);
        self.cluster.note_container(&self.key, &end.container, &change);
        if end.container == CHARM
            && let Some(agents) = self.cluster.agents()
        {
            agents.agent_lost(&self.key.unit());
        }
        let clock = self.cluster.setting.clock;
        let now = now.mul_f64(clock.speed());
        let pause = watch.back_off.restart_at(now).saturating_sub(now);
        watch.ended(clock.period(pause));
    }

    fn start_again(&self, pod: &Pod, name: &str, watch: &mut Watch) {
        if let Err(error) = pod.start_container(name) {
            self.cluster.note_container(&self.key, name, &format!("does not start: {error}"));
            watch.due = Instant::now() + self.period(watch.probes.period());
            return;
        }
        watch.started = Instant::now();
        watch.has_ended = false;
        watch.restarts += 1;
        watch.due = Instant::now();
        self.cluster.note_container(&self.key, name, "started again");
        if name == CHARM
            && let Some(agents) = self.cluster.agents()
        {
            agents.agent_restarted(&self.key.unit());
        }
    }

    fn probe(&self, pod: &Pod, name: &str, watch: &mut Watch) {
        if watch.killed_at.is_some_and(|time| time <= Instant::now()) {
            watch.killed_at = None;
            signal(pod, name, Signal::SIGKILL);
        }
        if self.cluster.is_frozen(&self.key) {
            watch.due = Instant::now() + self.period(watch.probes.period());
            return;
        }
        let health = watch.client.as_ref().map_or(WELL, health_of);
        if watch.probes.saw(health) && watch.killed_at.is_none() {
            self.cluster.note_container(&self.key, name, "is told to end, as it does not live");
            signal(pod, name, Signal::SIGTERM);
            watch.killed_at = Some(Instant::now() + self.cluster.setting.grace);
        }
        watch.due = Instant::now() + self.period(watch.probes.period());
    }

    /// Tells the cluster what changed.
    fn tell(&self, watches: &BTreeMap<String, Watch>) {
        let unready = |(name, watch): &(&String, &Watch)| {
            watch.has_ended
                || !watch.probes.is_ready()
                || (*name == CHARM && self.has_no_start(watch))
        };
        let unready = watches.iter().filter(unready).map(|(name, _)| name.clone()).collect();
        let restarts = watches.iter().filter(|(_, watch)| watch.restarts > 0);
        let restarts = restarts.map(|(name, watch)| (name.clone(), watch.restarts)).collect();
        self.cluster.change(&self.key, |record| {
            record.unready = unready;
            record.restarts = restarts;
            let phase = if record.unready.is_empty() { Phase::Ready } else { Phase::Unready };
            if record.phase != Phase::Terminating && record.phase != phase {
                record.phase = phase;
                let is_ready = phase == Phase::Ready;
                let change = if is_ready { PodChange::Ready } else { PodChange::Unready };
                self.cluster.note_pod(&self.key, change);
            }
        });
    }

    /// The charm container counts as ready at once, and no longer if its unit does not get to start.
    fn has_no_start(&self, charm: &Watch) -> bool {
        let is_due = charm.started.elapsed() >= self.period(START_LIMIT);
        is_due && self.cluster.agents().is_some_and(|it| !it.has_started(&self.key.unit()))
    }

    /// SIGTERM to the hook, its tool and all workload containers at the same moment; SIGKILL when all
    /// have ended, or when the time is up.
    fn stop(&self, pod: &Pod) {
        let unit = self.key.unit();
        let deadline = Instant::now() + self.cluster.setting.grace;
        self.cluster.note_pod(&self.key, PodChange::Terminating);
        let agents = self.cluster.agents();
        if let Some(agents) = &agents {
            agents.pod_terminating(&unit);
        }
        pod.terminate();
        loop {
            let is_over = agents.as_ref().is_none_or(|agents| agents.is_agent_ended(&unit))
                && !pod.containers().any(|name| name != CHARM && pod.is_running(name));
            let left = deadline.saturating_duration_since(Instant::now());
            if is_over || left.is_zero() {
                break;
            }
            match self.mail.recv_timeout(left.min(LOOK)) {
                Ok(Mail::Kill) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(Mail::Terminate | Mail::Ended(_)) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
        self.kill(pod);
    }

    fn kill(&self, pod: &Pod) {
        // First, or the agent would take the end of its hook in.
        if let Some(agents) = self.cluster.agents() {
            agents.pod_gone(&self.key.unit());
        }
        self.cluster.note_pod(&self.key, PodChange::Killed);
        if let Err(error) = self.cluster.network.remove(pod.name()) {
            self.cluster.note_container(
                &self.key,
                CHARM,
                &format!("is not to be removed: {error}"),
            );
        }
    }

    fn period(&self, period: Duration) -> Duration {
        self.cluster.setting.clock.period(period)
    }
}

impl Watch {
    fn new(pod: &Pod, name: &str, now: Instant) -> Self {
        let client = || Client::new(&pod.pebble_socket(name)).with_patience(PROBE_PATIENCE);
        Self {
            client: (name != CHARM).then(client),
            probes: Probes::default(),
            back_off: BackOff::default(),
            due: now,
            started: now,
            has_ended: false,
            restarts: 0,
            killed_at: None,
        }
    }

    fn ended(&mut self, pause: Duration) {
        self.has_ended = true;
        self.killed_at = None;
        self.probes = Probes::default();
        self.due = Instant::now() + pause;
    }

    fn next(&self) -> Instant {
        self.killed_at.map_or(self.due, |time| self.due.min(time))
    }
}

fn health_of(client: &Client) -> Health {
    let level = |level: &str| {
        let reply = client.get(&format!("/v1/health?level={level}"));
        reply.is_ok_and(|reply| reply.status == 200)
    };
    let is_alive = level("alive");
    Health { is_alive, is_ready: is_alive && level("ready") }
}

fn signal(pod: &Pod, container: &str, signal: Signal) {
    if let Some(process) = pod.container_process(container) {
        processes::send(process, signal);
    }
}

/// Nothing asks the charm container: its agent runs in the test's own process.
const WELL: Health = Health { is_alive: true, is_ready: true };

/// Not divided by the speed: it allows for a slow machine.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// How long a unit may take to its first `start` before its charm container is not ready any more.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How often a pod that ends is looked at, whether its agent is done.
const LOOK: Duration = Duration::from_millis(20);
