//! The private network of a bed: every pod is linked to one hub, which routes, and drops what it is
//! told to drop. Nothing is ever refused by the hub: a lost packet is lost in silence.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use crate::dns::server::NameServer;
use crate::dns::zone::DnsFaults;
use crate::dns::zone::Zone;
use crate::error::BedError;
use crate::error::at_file;
use crate::ground::Ground;
use crate::lock::lock;
use crate::pod::Pod;
use crate::pod::spec::PodSpec;
use crate::processes;
use crate::volume::Volume;

/// A network of pods that no other bed can reach; everything in it ends when it is dropped, or when
/// the process that made it ends in any way.
#[derive(Debug)]
pub struct Network {
    ground: Arc<Ground>,
    name_server: NameServer,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pods: BTreeMap<String, Arc<Pod>>,
    /// How many pods there ever were.
    count: u32,
    wanted_cuts: BTreeSet<Cut>,
    installed_rules: BTreeSet<String>,
    unpublished: BTreeSet<String>,
    without_dns: BTreeSet<String>,
    dns_faults: DnsFaults,
}

/// Packets that are dropped: from a pod (or any) to a pod (or any).
type Cut = (Option<String>, Option<String>);

impl Network {
    /// Starts the hub; there are no pods yet.
    pub fn start() -> Result<Self, BedError> {
        let ground = Arc::new(Ground::start()?);
        Ok(Self { name_server: NameServer::start(&ground)?, ground, state: Mutex::default() })
    }

    /// Adds a pod at an address that no pod had before, and publishes its name.
    pub fn add(&self, spec: PodSpec) -> Result<Arc<Pod>, BedError> {
        let name = spec.name();
        self.add_all(vec![spec])?;
        self.pod(&name)
    }

    /// Adds pods, all at once. Their containers run when this returns; Pebble may be yet to answer.
    pub fn add_all(&self, specs: Vec<PodSpec>) -> Result<(), BedError> {
        let mut made = Vec::new();
        for spec in specs {
            if self.pod(&spec.name()).is_ok() {
                return Err(BedError::PodExists { pod: spec.name() });
            }
            let number = {
                let mut state = lock(&self.state);
                state.count += 1;
                state.count
            };
            made.push(Pod::begin(&self.ground, spec, number, address(number))?);
        }
        let mut lines = Vec::new();
        for pod in &mut made {
            lines.extend(pod.made()?);
        }
        self.ground.ip(&lines)?;
        let made: Vec<_> = made.into_iter().map(Arc::new).collect();
        let named = made.iter().map(|pod| (pod.name().to_owned(), Arc::clone(pod)));
        lock(&self.state).pods.extend(named);
        self.publish_names()?;
        self.apply_cuts()?;
        let begun: Vec<_> = made.iter().map(|pod| pod.begin_containers()).collect();
        made.iter().zip(begun).try_for_each(|(pod, begun)| pod.started(begun?))
    }

    /// Takes a pod away: its processes are killed, packets to its address are dropped, its name is
    /// unknown; its volumes stay for a pod of the same name.
    pub fn remove(&self, pod: &str) -> Result<(), BedError> {
        let pod = self.pod(pod)?;
        pod.kill()?;
        self.ground.ip(&[format!("link delete dev {}", pod.link())])?;
        lock(&self.state).pods.remove(pod.name());
        pod.end()?;
        self.apply_cuts()?;
        self.publish_names()
    }

    /// Takes a pod away and makes it anew at an address that no pod had before.
    pub fn replace(&self, pod: &str) -> Result<Arc<Pod>, BedError> {
        let spec = self.pod(pod)?.spec().clone();
        self.remove(pod)?;
        self.add(spec)
    }

    /// A pod by its name.
    pub fn pod(&self, name: &str) -> Result<Arc<Pod>, BedError> {
        let pod = lock(&self.state).pods.get(name).cloned();
        pod.ok_or_else(|| BedError::NoPod { pod: name.to_owned() })
    }

    /// All pods there are.
    pub fn pods(&self) -> Vec<Arc<Pod>> {
        lock(&self.state).pods.values().cloned().collect()
    }

    /// The folder of the machine in which everything of the bed lies, gone when the bed is.
    pub fn directory(&self) -> &Path {
        self.ground.directory()
    }

    /// The volume that a pod of this name has, or will have, for a storage.
    pub fn volume(&self, pod: &str, storage: &str) -> Volume {
        Volume::new(Arc::clone(&self.ground), pod, storage)
    }

    /// Drops every packet between a pod and all others.
    pub fn isolate(&self, pod: &str) -> Result<(), BedError> {
        let pod = Some(pod.to_owned());
        self.change_cuts(|cuts| cuts.extend([(pod.clone(), None), (None, pod)]))
    }

    /// Drops every packet between two pods.
    pub fn cut(&self, one: &str, other: &str) -> Result<(), BedError> {
        self.cut_one_way(one, other)?;
        self.cut_one_way(other, one)
    }

    /// Drops every packet from one pod to another, in this direction only.
    pub fn cut_one_way(&self, from: &str, to: &str) -> Result<(), BedError> {
        self.change_cuts(|cuts| {
            cuts.insert((Some(from.to_owned()), Some(to.to_owned())));
        })
    }

    /// Ends the cuts that name this pod.
    pub fn rejoin(&self, pod: &str) -> Result<(), BedError> {
        self.change_cuts(|cuts| {
            cuts.retain(|(from, to)| from.as_deref() != Some(pod) && to.as_deref() != Some(pod));
        })
    }

    /// Ends the cuts between two pods, in both directions.
    pub fn heal_link(&self, one: &str, other: &str) -> Result<(), BedError> {
        let ends = [Some(one), Some(other)];
        self.change_cuts(|cuts| {
            cuts.retain(|(from, to)| {
                !(ends.contains(&from.as_deref()) && ends.contains(&to.as_deref()) && from != to)
            });
        })
    }

    /// Ends all cuts.
    pub fn heal(&self) -> Result<(), BedError> {
        self.change_cuts(BTreeSet::clear)
    }

    fn change_cuts(&self, change: impl FnOnce(&mut BTreeSet<Cut>)) -> Result<(), BedError> {
        change(&mut lock(&self.state).wanted_cuts);
        self.apply_cuts()
    }

    /// Brings the hub's rules to what is cut at the addresses that the pods have now.
    fn apply_cuts(&self) -> Result<(), BedError> {
        let mut state = lock(&self.state);
        let place = |pod: &Option<String>| match pod {
            None => Some("0.0.0.0/0".to_owned()),
            Some(pod) => state.pods.get(pod).map(|pod| pod.address().to_string()),
        };
        let rule = |(from, to): &Cut| {
            Some(format!("from {} to {} priority 100 blackhole", place(from)?, place(to)?))
        };
        let wanted: BTreeSet<_> = state.wanted_cuts.iter().filter_map(rule).collect();
        let old =
            state.installed_rules.difference(&wanted).map(|rule| format!("rule delete {rule}"));
        let new = wanted.difference(&state.installed_rules).map(|rule| format!("rule add {rule}"));
        self.ground.ip(&old.chain(new).collect::<Vec<_>>())?;
        state.installed_rules = wanted;
        Ok(())
    }

    /// Tells the name server the names and addresses of all pods that are not unpublished.
    fn publish_names(&self) -> Result<(), BedError> {
        let state = lock(&self.state);
        let published = state.pods.iter().filter(|(name, _)| !state.unpublished.contains(*name));
        let silent_to = state.without_dns.iter().filter_map(|name| state.pods.get(name));
        let faults = DnsFaults {
            silent_to: silent_to.map(|pod| pod.address()).collect(),
            ..state.dns_faults.clone()
        };
        let records = published.map(|(_, pod)| (pod.host(), pod.address()));
        self.name_server.tell(&Zone { records: records.collect(), faults })
    }

    /// Takes a pod's name away from the others: a look-up says quickly that there is none.
    pub fn unpublish(&self, pod: &str) -> Result<(), BedError> {
        lock(&self.state).unpublished.insert(pod.to_owned());
        self.publish_names()
    }

    /// Gives a pod's name back to the others.
    pub fn publish(&self, pod: &str) -> Result<(), BedError> {
        lock(&self.state).unpublished.remove(pod);
        self.publish_names()
    }

    /// The name server drops every question of this pod, wherever the pod goes.
    pub fn silence_dns(&self, pod: &str) -> Result<(), BedError> {
        lock(&self.state).without_dns.insert(pod.to_owned());
        self.publish_names()
    }

    /// The name server drops every question.
    pub fn silence_dns_for_all(&self) -> Result<(), BedError> {
        self.change_dns(|faults| faults.silent = true)
    }

    /// The name server takes so long for each answer.
    pub fn slow_dns(&self, time: Duration) -> Result<(), BedError> {
        self.change_dns(|faults| faults.slow = time)
    }

    /// The name server learns so late of each change of names from now on, as one with a cache does.
    pub fn late_dns(&self, time: Duration) -> Result<(), BedError> {
        self.change_dns(|faults| faults.late = time)
    }

    /// Ends all that the name server does wrong.
    pub fn heal_dns(&self) -> Result<(), BedError> {
        lock(&self.state).without_dns.clear();
        self.change_dns(|faults| *faults = DnsFaults::default())
    }

    fn change_dns(&self, change: impl FnOnce(&mut DnsFaults)) -> Result<(), BedError> {
        change(&mut lock(&self.state).dns_faults);
        self.publish_names()
    }

    /// Every argv that was started in the bed, and those that run in its pods now, one a line.
    pub fn argv_transcript(&self) -> String {
        for pod in self.pods() {
            for process in pod.containers().flat_map(|container| pod.processes(container)) {
                self.ground.transcript.note(processes::argv_of(process));
            }
        }
        self.ground.transcript.text()
    }

    /// What the bed stands on.
    pub(crate) fn ground(&self) -> &Ground {
        &self.ground
    }

    /// A folder of the bed on the machine; made, if it is not there.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, BedError> {
        let folder = self.ground.directory().join(name);
        fs::create_dir_all(&folder).map_err(at_file(&folder))?;
        Ok(folder)
    }

    /// Ends everything; nothing can be started any more.
    pub(crate) fn end(&self) {
        self.ground.end();
        for (_, pod) in std::mem::take(&mut lock(&self.state).pods) {
            // What stands for it outside ends by itself; its numbers may soon be another's.
            let _ = pod.gone();
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.end();
    }
}

/// The address of the pod of that number.
fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST_ADDRESS.to_bits().wrapping_add(number))
}

const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 9);
