//! The cluster of one model: takes the sets that Juju wants, and has a kubelet for each pod.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::BedError;
use crate::juju::clock::Clock;
use crate::juju::clock::GRACE;
use crate::juju::cloud::Cloud;
use crate::juju::cloud::CloudError;
use crate::juju::cloud::StatefulSet;
use crate::lock::lock;
use crate::network::Network;
use crate::pod::Pod;
use crate::trace::entry::PodChange;
use crate::trace::entry::What;
use crate::trace::sink::Sink;

use super::agents::Agents;
use super::api::Api;
use super::api::accounts::Accounts;
use super::kubelet::Kubelet;
use super::state::Key;
use super::state::Mail;
use super::state::Order;
use super::state::Record;
use super::state::State;
use super::statefulset::Phase;

/// Kubernetes with the pods of one model. Clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct Cluster {
    shared: Arc<Shared>,
}

/// What all pods of a cluster have in common.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The model's name, which is the namespace.
    pub model: String,
    /// The speed of periods.
    pub clock: Clock,
    /// How long a pod may take to end before it is killed; 30 s as Juju sets it.
    pub grace: Duration,
    /// Folders of the machine that every container sees.
    pub shown: Vec<PathBuf>,
    /// Whether disks can be made slow; every program of a workload container then loads a library.
    pub can_slow_disk: bool,
    /// Where what happens to pods is noted.
    pub trace: Sink,
}

impl Setting {
    /// Juju's own times.
    pub fn new(model: &str, trace: Sink) -> Self {
        Self {
            model: model.to_owned(),
            clock: Clock::default(),
            grace: GRACE,
            shown: Vec::new(),
            can_slow_disk: false,
            trace,
        }
    }
}

/// What the threads of a cluster share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) setting: Setting,
    pub(crate) network: Network,
    agents: Mutex<Option<Arc<dyn Agents>>>,
    pub(crate) accounts: Accounts,
    api: Mutex<Option<Api>>,
    state: Mutex<State>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Cluster {
    /// An empty cluster.
    pub fn start(setting: Setting) -> Result<Self, BedError> {
        let network = Network::start()?;
        let shared = Arc::new(Shared {
            setting,
            network,
            agents: Mutex::default(),
            accounts: Accounts::default(),
            api: Mutex::default(),
            state: Mutex::default(),
            threads: Mutex::default(),
        });
        let api = Api::start(&shared)?;
        *lock(&shared.api) = Some(api);
        Ok(Self { shared })
    }

    /// Says who is told of pods that start and end; without one, no agent runs in them.
    pub fn connect(&self, agents: Arc<dyn Agents>) {
        *lock(&self.shared.agents) = Some(agents);
    }

    /// The network of the pods.
    pub fn network(&self) -> &Network {
        &self.shared.network
    }

    /// The pod of that unit, if its containers run or did.
    pub fn pod(&self, application: &str, ordinal: u32) -> Option<Arc<Pod>> {
        let key = Key { application: application.to_owned(), ordinal };
        lock(&self.shared.state).pods.get(&key).and_then(|record| record.pod.clone())
    }

    /// `kubectl delete pod`: SIGTERM, the grace period, and another in its place. Says whether there was
    /// one.
    pub fn delete_pod(&self, application: &str, ordinal: u32) -> bool {
        let key = Key { application: application.to_owned(), ordinal };
        lock(&self.shared.state).terminate(&key)
    }

    /// `kubectl delete pod --grace-period=0 --force`, as when its machine is lost: SIGKILL at once, and
    /// another in its place. Says whether there was one.
    pub fn kill_pod(&self, application: &str, ordinal: u32) -> bool {
        let key = Key { application: application.to_owned(), ordinal };
        let state = lock(&self.shared.state);
        // One that has just ended has no ear for it.
        state.pods.get(&key).is_some_and(|record| record.mail.send(Mail::Kill).is_ok())
    }

    /// Whether the kubelet of a pod stands still, as its machine does: it probes nothing meanwhile.
    pub fn set_frozen(&self, application: &str, ordinal: u32, is_frozen: bool) {
        let key = Key { application: application.to_owned(), ordinal };
        self.shared.change(&key, |record| record.is_frozen = is_frozen);
    }

    /// Pods of lower ordinals keep the version that they have in a roll.
    pub fn set_partition(&self, application: &str, partition: u32) {
        if let Some(set) = lock(&self.shared.state).sets.get_mut(application) {
            set.partition = partition;
        }
        self.shared.advance();
    }

    /// The partition of the application's set; `None` where there is no such set.
    pub fn partition(&self, application: &str) -> Option<u32> {
        lock(&self.shared.state).sets.get(application).map(|set| set.partition)
    }

    /// Whether all pods that the application is to have are there, new and ready.
    pub fn is_rolled_out(&self, application: &str) -> bool {
        lock(&self.shared.state).is_rolled_out(application)
    }

    /// Whether there are pods of the application, also on their way out.
    pub fn has_pods(&self, application: &str) -> bool {
        lock(&self.shared.state).pods.keys().any(|key| key.application == application)
    }

    /// Looks at the pods.
    pub fn pods(&self) -> Vec<PodView> {
        lock(&self.shared.state).pods.iter().map(|(key, record)| PodView::of(key, record)).collect()
    }

    /// Kills all pods and ends all that there is on the machine.
    pub fn end(&self) {
        {
            let mut state = lock(&self.shared.state);
            state.is_ending = true;
            for record in state.pods.values() {
                let _ = record.mail.send(Mail::Kill);
            }
        }
        let threads = std::mem::take(&mut *lock(&self.shared.threads));
        for thread in threads {
            // One that panicked has said so.
            let _ = thread.join();
        }
        lock(&self.shared.api).take();
        // They may hold what holds this cluster.
        lock(&self.shared.agents).take();
        self.shared.network.end();
    }
}

/// A pod as Kubernetes tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodView {
    /// The application.
    pub application: String,
    /// The ordinal.
    pub ordinal: u32,
    /// Version of its template.
    pub version: u32,
    /// `Pending`, `Running`, `Terminating`.
    pub phase: &'static str,
    /// Whether all its containers are ready.
    pub is_ready: bool,
    /// Its address; empty while it has none.
    pub address: String,
    /// Containers that run.
    pub running: BTreeSet<String>,
    /// Containers that are not ready.
    pub unready: BTreeSet<String>,
    /// How often each container was started again.
    pub restarts: BTreeMap<String, u32>,
    /// Why it cannot be made.
    pub trouble: Option<String>,
}

impl PodView {
    fn of(key: &Key, record: &Record) -> Self {
        let pod = record.pod.as_ref();
        let running = pod.into_iter().flat_map(|pod| pod.containers().map(move |name| (pod, name)));
        Self {
            application: key.application.clone(),
            ordinal: key.ordinal,
            version: record.version,
            phase: match record.phase {
                Phase::Terminating => "Terminating",
                Phase::Ready | Phase::Unready if pod.is_some() => "Running",
                Phase::Ready | Phase::Unready => "Pending",
            },
            is_ready: record.phase == Phase::Ready,
            address: pod.map(|pod| pod.address().to_string()).unwrap_or_default(),
            running: running
                .filter(|(pod, name)| pod.is_running(name))
                .map(|(_, name)| name.to_owned())
                .collect(),
            unready: record.unready.clone(),
            restarts: record.restarts.clone(),
            trouble: record.trouble.clone(),
        }
    }
}

impl Cloud for Cluster {
    fn apply(&self, set: &StatefulSet) -> Result<(), CloudError> {
        lock(&self.shared.state).apply(set);
        self.shared.advance();
        Ok(())
    }

    fn delete(&self, application: &str) -> Result<(), CloudError> {
        lock(&self.shared.state).sets.remove(application);
        self.shared.advance();
        Ok(())
    }
}

impl Shared {
    /// The sets and pods, which only `advance` may act upon.
    pub(crate) fn state(&self) -> &Mutex<State> {
        &self.state
    }

    /// The folder with an application's service account.
    pub(crate) fn account(&self, application: &str) -> Result<PathBuf, BedError> {
        let all = self.network.folder("accounts")?;
        let (folder, token) = self.accounts.folder(application, &self.setting.model, &all)?;
        if let Some(token) = token {
            self.setting.trace.learn(&token);
        }
        Ok(folder)
    }

    /// Does what is due: after every change.
    pub(crate) fn advance(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        for Order { key, template } in state.advance() {
            let (sender, mail) = mpsc::channel();
            state.made += 1;
            let kubelet = Kubelet {
                cluster: Arc::clone(self),
                key: key.clone(),
                template: Arc::clone(&template),
                number: state.made,
                sender: sender.clone(),
                mail,
            };
            let record = Record {
                version: template.version,
                phase: Phase::Unready,
                mail: sender,
                pod: None,
                unready: BTreeSet::new(),
                restarts: BTreeMap::new(),
                is_frozen: false,
                trouble: None,
            };
            state.pods.insert(key, record);
            let mut threads = lock(&self.threads);
            threads.retain(|thread| !thread.is_finished());
            threads.push(thread::spawn(move || kubelet.run()));
        }
    }

    /// Changes a pod's record and does what is due then.
    pub(crate) fn change(self: &Arc<Self>, key: &Key, change: impl FnOnce(&mut Record)) {
        if let Some(record) = lock(&self.state).pods.get_mut(key) {
            change(record);
        }
        self.advance();
    }

    pub(crate) fn is_frozen(&self, key: &Key) -> bool {
        lock(&self.state).pods.get(key).is_some_and(|record| record.is_frozen)
    }

    /// Nothing of the pod is left.
    pub(crate) fn forget(self: &Arc<Self>, key: &Key) {
        lock(&self.state).pods.remove(key);
        self.note_pod(key, PodChange::Gone);
        self.advance();
    }

    pub(crate) fn agents(&self) -> Option<Arc<dyn Agents>> {
        lock(&self.agents).clone()
    }

    pub(crate) fn note_pod(&self, key: &Key, change: PodChange) {
        self.setting.trace.push(What::Pod { unit: key.unit(), change });
    }

    pub(crate) fn note_container(&self, key: &Key, container: &str, change: &str) {
        let (container, change) = (container.to_owned(), change.to_owned());
        self.setting.trace.push(What::Container { unit: key.unit(), container, change });
    }
}
