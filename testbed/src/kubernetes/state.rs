//! What the cluster holds, under one lock: the sets that are wanted and the pods that there are.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::juju::cloud::StatefulSet;
use crate::juju::cloud::Template;
use crate::pod::ContainerEnd;
use crate::pod::Pod;

use super::statefulset;
use super::statefulset::Phase;
use super::statefulset::Seen;
use super::statefulset::Step;
use super::statefulset::Wanted;

/// Which pod: application and ordinal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) application: String,
    pub(crate) ordinal: u32,
}

impl Key {
    /// The unit that lives in it.
    pub(crate) fn unit(&self) -> String {
        format!("{}/{}", self.application, self.ordinal)
    }

    /// The pod's name.
    pub(crate) fn pod(&self) -> String {
        format!("{}-{}", self.application, self.ordinal)
    }
}

/// What a pod's kubelet is told.
#[derive(Clone, Debug)]
pub(crate) enum Mail {
    /// SIGTERM to all, and the grace period.
    Terminate,
    /// SIGKILL to all.
    Kill,
    /// A container has ended.
    Ended(ContainerEnd),
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) sets: BTreeMap<String, Set>,
    pub(crate) pods: BTreeMap<Key, Record>,
    /// How many pods there ever were.
    pub(crate) made: u64,
    /// Once the cluster ends, no pod is made any more.
    pub(crate) is_ending: bool,
}

/// A StatefulSet.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) replicas: u32,
    pub(crate) partition: u32,
    pub(crate) before: Arc<Template>,
    pub(crate) template: Arc<Template>,
    /// Counts the changes that the API's clients may have missed, those of its status included.
    pub(crate) object_version: u64,
    /// What it was, and its pods, when it was last looked at.
    last_seen: Option<(Wanted, Vec<Seen>)>,
}

/// A pod.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) version: u32,
    pub(crate) phase: Phase,
    pub(crate) mail: Sender<Mail>,
    pub(crate) pod: Option<Arc<Pod>>,
    pub(crate) unready: BTreeSet<String>,
    pub(crate) restarts: BTreeMap<String, u32>,
    /// Whether its machine stands still: its kubelet, too.
    pub(crate) is_frozen: bool,
    /// Why it cannot be made.
    pub(crate) trouble: Option<String>,
}

/// A pod that is to be made now.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) key: Key,
    pub(crate) template: Arc<Template>,
}

impl State {
    /// Takes in what an application's set is to be from now on.
    pub(crate) fn apply(&mut self, wanted: &StatefulSet) {
        let template = Arc::new(wanted.template.clone());
        let set = self.sets.entry(wanted.application.clone()).or_insert_with(|| Set {
            replicas: 0,
            partition: 0,
            before: Arc::clone(&template),
            template: Arc::clone(&template),
            object_version: 1,
            last_seen: None,
        });
        set.replicas = wanted.replicas;
        set.template = template;
    }

    /// Deletes what is too much, and gives the pods that are missing.
    pub(crate) fn advance(&mut self) -> Vec<Order> {
        if self.is_ending {
            return Vec::new();
        }
        let mut orders = Vec::new();
        let mut deletions = Vec::new();
        for (application, set) in &mut self.sets {
            let seen = seen_pods(&self.pods, application);
            if statefulset::is_rolled_out(set.wanted(), &seen) {
                set.before = Arc::clone(&set.template);
            }
            set.count_changes(&seen);
            for step in statefulset::next_steps(set.wanted(), &seen) {
                let key = |ordinal| Key { application: application.clone(), ordinal };
                match step {
                    Step::Create { ordinal, version } => {
                        let is_old = version != set.template.version;
                        let template = if is_old { &set.before } else { &set.template };
                        orders.push(Order { key: key(ordinal), template: Arc::clone(template) });
                    }
                    Step::Delete { ordinal } => deletions.push(key(ordinal)),
                }
            }
        }
        let without_set = |key: &&Key| !self.sets.contains_key(&key.application);
        deletions.extend(self.pods.keys().filter(without_set).cloned());
        for key in &deletions {
            self.terminate(key);
        }
        orders
    }

    /// Tells a pod to end, unless it was told so before. Gives whether there is such a pod.
    pub(crate) fn terminate(&mut self, key: &Key) -> bool {
        let Some(record) = self.pods.get_mut(key) else { return false };
        if record.phase != Phase::Terminating {
            record.phase = Phase::Terminating;
            // One that has just ended by itself needs no telling.
            let _ = record.mail.send(Mail::Terminate);
        }
        true
    }

    /// Whether all pods of the set are there, of its version, and ready.
    pub(crate) fn is_rolled_out(&self, application: &str) -> bool {
        self.sets.get(application).is_some_and(|set| {
            statefulset::is_rolled_out(set.wanted(), &seen_pods(&self.pods, application))
        })
    }
}

impl Set {
    fn count_changes(&mut self, pods: &[Seen]) {
        let now = Some((self.wanted(), pods.to_vec()));
        if self.last_seen != now {
            self.object_version += 1;
            self.last_seen = now;
        }
    }

    fn wanted(&self) -> Wanted {
        Wanted {
            replicas: self.replicas,
            partition: self.partition,
            before: self.before.version,
            version: self.template.version,
        }
    }
}

fn seen_pods(pods: &BTreeMap<Key, Record>, application: &str) -> Vec<Seen> {
    let own = pods.iter().filter(|(key, _)| key.application == application);
    own.map(|(key, record)| Seen {
        ordinal: key.ordinal,
        version: record.version,
        phase: record.phase,
    })
    .collect()
}
