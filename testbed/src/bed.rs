//! A bed: a network of pods with a Redis and a Sentinel in each, and the faults that befall them.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use testbed::bed::Bed;
//! # use testbed::layout::Layout;
//! # fn main() -> Result<(), testbed::error::BedError> {
//! let bed = Bed::start(Layout { down_after: Duration::from_secs(1), ..Layout::default() })?;
//! bed.settle(&[0, 1, 2], Duration::from_secs(20))?;
//! bed.isolate(0)?;
//! let master = bed.failed_over(0, &[1, 2], Duration::from_secs(20))?;
//! bed.pod(master)?.redis("SET greeting hello")?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use crate::error::BedError;
use crate::layout::Layout;
use crate::lock::lock;
use crate::network::Network;
use crate::pod::spec::PodSpec;
use crate::redis::answers::Role;
use crate::redis::answers::SentinelView;
use crate::redis::pod::RedisPod;
use crate::redis::whole;
use crate::redis::whole::Servers;
use crate::transcript;
use crate::wait;

/// Pods with real servers; dropped, it leaves neither a process nor a file.
#[derive(Debug)]
pub struct Bed {
    layout: Arc<Layout>,
    pods: Mutex<BTreeMap<u32, Arc<RedisPod>>>,
    network: Arc<Network>,
}

impl Bed {
    /// Makes the pods and starts their servers; all serve when this returns, and may still be getting
    /// to know one another (`settle` waits for that).
    pub fn start(layout: Layout) -> Result<Self, BedError> {
        let layout = Arc::new(layout.with_own_folders()?);
        let bed = Self { layout, pods: Mutex::default(), network: Arc::new(Network::start()?) };
        let units: Vec<_> = (0..bed.layout.units).collect();
        let specs = units.iter().map(|unit| bed.spec(*unit)).collect::<Result<_, _>>()?;
        bed.network.add_all(specs)?;
        for unit in &units {
            bed.enter(*unit);
        }
        if bed.layout.servers {
            bed.start_servers(&units)?;
        }
        Ok(bed)
    }

    fn spec(&self, unit: u32) -> Result<PodSpec, BedError> {
        let mut spec = RedisPod::spec(unit, &self.layout);
        spec.juju_directory = Some(self.network.folder(&format!("juju/{}", self.name(unit)))?);
        Ok(spec)
    }

    fn enter(&self, unit: u32) -> Arc<RedisPod> {
        let pod = RedisPod::new(unit, Arc::clone(&self.network), Arc::clone(&self.layout));
        let pod = Arc::new(pod);
        lock(&self.pods).insert(unit, Arc::clone(&pod));
        pod
    }

    fn start_servers(&self, units: &[u32]) -> Result<(), BedError> {
        let master = self.layout.master;
        // First, or the others would try again only after a second.
        let pod = self.pod(master)?;
        pod.start_redis(&pod.redis_config(None))?;
        for unit in units {
            let pod = self.pod(*unit)?;
            if *unit != master {
                pod.begin_redis(&pod.redis_config(Some(master)))?;
            }
        }
        // A Sentinel that finds a link down looks again only after a second.
        for unit in units.iter().filter(|unit| **unit != master) {
            self.pod(*unit)?.synced()?;
        }
        for unit in units {
            let pod = self.pod(*unit)?;
            pod.begin_sentinel(&pod.sentinel_config(master, units))?;
        }
        units.iter().try_for_each(|unit| self.pod(*unit)?.ready())
    }

    /// A pod by its unit's number.
    pub fn pod(&self, unit: u32) -> Result<Arc<RedisPod>, BedError> {
        let pod = lock(&self.pods).get(&unit).cloned();
        pod.ok_or_else(|| BedError::NoPod { pod: self.name(unit) })
    }

    /// All pods there are.
    pub fn pods(&self) -> Vec<Arc<RedisPod>> {
        lock(&self.pods).values().cloned().collect()
    }

    /// The network, for faults of names and single links.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What the bed was started with.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The host of a unit, there or not.
    pub fn host(&self, unit: u32) -> String {
        self.layout.names.host(unit)
    }

    /// The name of a unit's pod, there or not.
    pub fn name(&self, unit: u32) -> String {
        self.layout.names.pod(unit)
    }

    /// Adds an empty pod, as a scale-up does; its name is known to the others.
    pub fn add(&self, unit: u32) -> Result<Arc<RedisPod>, BedError> {
        self.network.add(self.spec(unit)?)?;
        Ok(self.enter(unit))
    }

    /// Takes a pod away with all that runs in it; packets to its address are dropped, its name is
    /// unknown, its volume stays for a pod of the same number. Its connections are closed as its
    /// processes end; isolated before, it goes without a word.
    pub fn remove(&self, unit: u32) -> Result<(), BedError> {
        lock(&self.pods).remove(&unit);
        self.network.remove(&self.name(unit))
    }

    /// Takes a pod away and gives it back empty at a new address, with its volume: a reschedule.
    pub fn replace(&self, unit: u32) -> Result<Arc<RedisPod>, BedError> {
        self.network.replace(&self.name(unit))?;
        self.pod(unit)
    }

    /// Drops every packet between a pod and all others.
    pub fn isolate(&self, unit: u32) -> Result<(), BedError> {
        self.network.isolate(&self.name(unit))
    }

    /// Drops every packet between two pods.
    pub fn cut(&self, one: u32, other: u32) -> Result<(), BedError> {
        self.network.cut(&self.name(one), &self.name(other))
    }

    /// Drops every packet from one pod to another, in this direction only.
    pub fn cut_one_way(&self, from: u32, to: u32) -> Result<(), BedError> {
        self.network.cut_one_way(&self.name(from), &self.name(to))
    }

    /// Ends the cuts that name this pod.
    pub fn rejoin(&self, unit: u32) -> Result<(), BedError> {
        self.network.rejoin(&self.name(unit))
    }

    /// Ends all cuts.
    pub fn heal(&self) -> Result<(), BedError> {
        self.network.heal()
    }

    /// Takes a pod's name away from the others: a look-up says quickly that there is none.
    pub fn unpublish(&self, unit: u32) -> Result<(), BedError> {
        self.network.unpublish(&self.name(unit))
    }

    /// Gives a pod's name back to the others.
    pub fn publish(&self, unit: u32) -> Result<(), BedError> {
        self.network.publish(&self.name(unit))
    }

    /// The name server drops every question of this pod, wherever the pod goes.
    pub fn silence_dns(&self, unit: u32) -> Result<(), BedError> {
        self.network.silence_dns(&self.name(unit))
    }

    /// The unit that every Sentinel of these names as master, if they agree.
    pub fn named_master(&self, units: &[u32]) -> Option<u32> {
        let mut named = None;
        for unit in units {
            let view = self.pod(*unit).ok()?.sentinel_view().ok()?;
            let master = self.layout.names.unit_of(&view.master_host?)?;
            if *named.get_or_insert(master) != master {
                return None;
            }
        }
        named
    }

    /// Waits until these units are a whole: every Sentinel knows exactly them, names the same master
    /// and holds all for well; that Redis is master and has all others as connected replicas.
    /// Gives the master's unit.
    pub fn settle(&self, units: &[u32], limit: Duration) -> Result<u32, BedError> {
        let mut trouble = String::new();
        let what = format!("units {units:?} of {} are a whole", self.layout.names.application);
        wait::until(&what, limit, || match whole::master(self, &self.layout.names, units) {
            Ok(master) => Some(master),
            Err(reason) => {
                trouble = reason;
                None
            }
        })
        .map_err(|error| self.explain(error.with("last look", &trouble)))
    }

    /// Waits until the Sentinels of these units all name a master other than `old`. Gives its unit.
    pub fn failed_over(&self, old: u32, units: &[u32], limit: Duration) -> Result<u32, BedError> {
        wait::until(&format!("units {units:?} name another master than {old}"), limit, || {
            self.named_master(units).filter(|master| *master != old)
        })
        .map_err(|error| self.explain(error))
    }

    fn explain(&self, error: wait::TimedOut) -> BedError {
        let explained =
            self.pods().iter().fold(error, |error, pod| error.with(pod.host(), &pod.log_tails()));
        explained.into()
    }

    /// Every argv that was started in the bed, and those that run in its pods now, one a line.
    pub fn argv_transcript(&self) -> String {
        self.network.argv_transcript()
    }

    /// The lines of the transcript and of all logs that hold one of the bed's passwords, masked.
    pub fn leaks(&self) -> Vec<String> {
        let logs = self.pods().into_iter().map(|pod| pod.redis_log() + &pod.sentinel_log());
        let text = self.argv_transcript() + "\n" + &logs.collect::<String>();
        let Layout { redis_password, sentinel_password, .. } = &*self.layout;
        let secrets: Vec<_> =
            [redis_password, sentinel_password].into_iter().filter_map(Option::as_deref).collect();
        transcript::lines_that_leak(&text, &secrets)
    }
}

impl Servers for Bed {
    fn view(&self, unit: u32) -> Result<SentinelView, Box<dyn Error>> {
        Ok(self.pod(unit)?.sentinel_view()?)
    }

    fn role(&self, unit: u32) -> Result<Role, Box<dyn Error>> {
        Ok(self.pod(unit)?.redis_role()?)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        // A test may still hold a pod, and with it the network.
        self.network.end();
    }
}
