//! The private network of a bed: every pod is linked to one hub, which routes, and drops what it is
//! told to drop. Nothing is ever refused by the hub: a lost packet is lost in silence.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::dns::server;
use crate::dns::server::NameServer;
use crate::dns::zone::DnsFaults;
use crate::dns::zone::Zone;
use crate::error::BedError;
use crate::error::at_file;
use crate::ground::Ground;
use crate::names::Names;
use crate::namespace::Namespace;
use crate::processes;
use crate::programs::Programs;
use crate::transcript::Transcript;
use crate::transcript::lock;

/// A network of pods that no other bed can reach; everything in it ends when it is dropped, or when
/// the process that made it ends in any way.
#[derive(Debug)]
pub struct Network {
    ground: Arc<Ground>,
    names: Names,
    hub: Mutex<Child>,
    name_server: NameServer,
    state: Mutex<State>,
    // Last: the files go after the processes.
    _directory: TempDir,
}

#[derive(Debug, Default)]
struct State {
    pods: BTreeMap<u32, Arc<Namespace>>,
    links: u32,
    wanted_cuts: BTreeSet<Cut>,
    installed_rules: BTreeSet<String>,
    unpublished: BTreeSet<u32>,
    without_dns: BTreeSet<u32>,
    dns_faults: DnsFaults,
}

/// Packets that are dropped: from a pod (or any) to a pod (or any).
type Cut = (Option<u32>, Option<u32>);

impl Network {
    /// Starts the hub; there are no pods yet.
    pub fn start(names: Names) -> Result<Self, BedError> {
        let programs = Programs::find()?;
        let transcript = Transcript::default();
        let directory = tempfile::Builder::new()
            .prefix("testbed-")
            .tempdir()
            .map_err(at_file("the folder for temporary files"))?;
        let list = directory.path().join(NAMESPACES);
        fs::write(&list, "").map_err(at_file(&list))?;
        let mut command = Command::new(&programs.unshare);
        if programs.rootless {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--net", "--", "sh", "-c", HUB, "hub"]).arg(directory.path());
        command.arg(&programs.ip).env("PATH", Programs::path()).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        transcript.record(&command);
        let mut hub = command
            .spawn()
            .map_err(|source| BedError::NotStarted { program: "the hub".into(), source })?;
        let mut line = String::new();
        if let Some(stdout) = hub.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        if line.trim_end() != "ready" {
            let output = hub.wait_with_output().map_err(at_file("the hub"))?;
            return Err(BedError::Failed {
                program: "the hub".into(),
                status: output.status,
                stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        let ground = Arc::new(Ground {
            directory: directory.path().to_owned(),
            programs,
            transcript,
            hub: hub.id(),
        });
        Ok(Self {
            name_server: NameServer::start(&ground)?,
            ground,
            names,
            hub: Mutex::new(hub),
            state: Mutex::default(),
            _directory: directory,
        })
    }

    /// Adds pods, all at once, each at its usual address, and publishes their names.
    pub fn add_pods(&self, units: impl IntoIterator<Item = u32>) -> Result<(), BedError> {
        let pods: Vec<_> = units.into_iter().map(|unit| (unit, usual_address(unit))).collect();
        self.add(&pods)
    }

    /// Adds one pod at its usual address and publishes its name.
    pub fn add_pod(&self, unit: u32) -> Result<Arc<Namespace>, BedError> {
        self.add(&[(unit, usual_address(unit))])?;
        self.pod(unit)
    }

    /// Takes a pod away: its processes are killed, packets to its address are dropped, its name is
    /// unknown.
    pub fn remove_pod(&self, unit: u32) -> Result<(), BedError> {
        let pod = self.pod(unit)?;
        pod.kill_processes()?;
        self.ground.ip(&[format!("link delete dev {}", pod.link())])?;
        lock(&self.state).pods.remove(&unit);
        pod.end()?;
        self.apply_cuts()?;
        self.publish_names()
    }

    /// Takes a pod away and makes it anew at an address that no pod had before.
    pub fn replace_pod(&self, unit: u32) -> Result<Arc<Namespace>, BedError> {
        self.remove_pod(unit)?;
        let fresh = lock(&self.state).links;
        self.add(&[(unit, address(FRESH_ADDRESSES, fresh))])?;
        self.pod(unit)
    }

    fn add(&self, pods: &[(u32, Ipv4Addr)]) -> Result<(), BedError> {
        let mut made = Vec::new();
        for (unit, address) in pods {
            let link = {
                let mut state = lock(&self.state);
                state.links += 1;
                format!("pod{}", state.links)
            };
            let name = self.names.pod(*unit);
            let namespace = Namespace::begin(Arc::clone(&self.ground), &name, *address, link)?;
            namespace.set_hosts(&self.names.hosts(*unit, *address))?;
            namespace.set_resolver(&self.names.resolver(server::ADDRESS))?;
            made.push((*unit, namespace));
        }
        let mut lines = Vec::new();
        for (_, namespace) in &mut made {
            lines.extend(namespace.made()?);
        }
        self.ground.ip(&lines)?;
        for (_, namespace) in &made {
            namespace.join()?;
        }
        let added = made.into_iter().map(|(unit, namespace)| (unit, Arc::new(namespace)));
        lock(&self.state).pods.extend(added);
        self.list_namespaces()?;
        self.publish_names()?;
        self.apply_cuts()?;
        pods.iter().try_for_each(|(unit, _)| self.pod(*unit)?.joined())
    }

    /// What the hub kills when this process ends: a process may have left the group.
    fn list_namespaces(&self) -> Result<(), BedError> {
        let mut text = String::new();
        for pod in lock(&self.state).pods.values() {
            let _ = writeln!(text, "{}", pod.network());
        }
        let path = self.ground.directory.join(NAMESPACES);
        fs::write(&path, text).map_err(at_file(&path))
    }

    /// A pod by its unit's number.
    pub fn pod(&self, unit: u32) -> Result<Arc<Namespace>, BedError> {
        lock(&self.state).pods.get(&unit).cloned().ok_or(BedError::NoPod { unit })
    }

    /// The numbers of all pods there are.
    pub fn units(&self) -> Vec<u32> {
        lock(&self.state).pods.keys().copied().collect()
    }

    /// The names in this network.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Drops every packet between a pod and all others.
    pub fn isolate(&self, unit: u32) -> Result<(), BedError> {
        self.change_cuts(|cuts| cuts.extend([(Some(unit), None), (None, Some(unit))]))
    }

    /// Drops every packet between two pods.
    pub fn cut(&self, one: u32, other: u32) -> Result<(), BedError> {
        self.change_cuts(|cuts| {
            cuts.extend([(Some(one), Some(other)), (Some(other), Some(one))]);
        })
    }

    /// Drops every packet from one pod to another, in this direction only.
    pub fn cut_one_way(&self, from: u32, to: u32) -> Result<(), BedError> {
        self.change_cuts(|cuts| {
            cuts.insert((Some(from), Some(to)));
        })
    }

    /// Ends the cuts that name this pod.
    pub fn rejoin(&self, unit: u32) -> Result<(), BedError> {
        self.change_cuts(|cuts| {
            cuts.retain(|(from, to)| *from != Some(unit) && *to != Some(unit));
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
        let place = |unit: Option<u32>| match unit {
            None => Some("0.0.0.0/0".to_owned()),
            Some(unit) => state.pods.get(&unit).map(|pod| pod.address().to_string()),
        };
        let rule = |(from, to): &Cut| {
            Some(format!("from {} to {} priority 100 blackhole", place(*from)?, place(*to)?))
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
        let published = state.pods.iter().filter(|(unit, _)| !state.unpublished.contains(*unit));
        let silent_to = state.without_dns.iter().filter_map(|unit| state.pods.get(unit));
        let faults = DnsFaults {
            silent_to: silent_to.map(|pod| pod.address()).collect(),
            ..state.dns_faults.clone()
        };
        let records = published.map(|(unit, pod)| (self.names.host(*unit), pod.address()));
        self.name_server.tell(&Zone { records: records.collect(), faults })
    }

    /// Takes a pod's name away from the others: a look-up says quickly that there is none.
    pub fn unpublish(&self, unit: u32) -> Result<(), BedError> {
        lock(&self.state).unpublished.insert(unit);
        self.publish_names()
    }

    /// Gives a pod's name back to the others.
    pub fn publish(&self, unit: u32) -> Result<(), BedError> {
        lock(&self.state).unpublished.remove(&unit);
        self.publish_names()
    }

    /// The name server drops every question of this pod, wherever the pod goes.
    pub fn silence_dns(&self, unit: u32) -> Result<(), BedError> {
        lock(&self.state).without_dns.insert(unit);
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
        for pod in lock(&self.state).pods.values() {
            for process in pod.processes() {
                self.ground.transcript.note(processes::argv_of(process));
            }
        }
        self.ground.transcript.text()
    }

    /// Ends everything; nothing can be started any more.
    pub(crate) fn end(&self) {
        for (_, pod) in std::mem::take(&mut lock(&self.state).pods) {
            let _ = pod.end();
        }
        let mut hub = lock(&self.hub);
        // Once it was waited for, its number may be another's.
        if let (Ok(group), Ok(None)) = (i32::try_from(self.ground.hub), hub.try_wait()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
            let _ = hub.wait();
        }
    }

    pub(crate) fn ground(&self) -> &Arc<Ground> {
        &self.ground
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.end();
    }
}

/// Where a pod of this unit is at first.
fn usual_address(unit: u32) -> Ipv4Addr {
    address(USUAL_ADDRESSES, unit)
}

fn address(first: Ipv4Addr, offset: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(first.to_bits().wrapping_add(offset))
}

const USUAL_ADDRESSES: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 10);

/// For pods that come back elsewhere; counted by links, so no address is ever used twice.
const FRESH_ADDRESSES: Ipv4Addr = Ipv4Addr::new(10, 1, 64, 10);

/// The file that lists the pods' network namespaces.
const NAMESPACES: &str = "namespaces";

/// Arguments: folder, `ip`. It waits for the end of the process that started the bed, then ends all
/// that runs in the pods, removes the files, and ends its own process group, itself included.
const HUB: &str = r#"
set -e
echo 1 >/proc/sys/net/ipv4/ip_forward
"$2" -batch - <<LINES
link set dev lo up
route add blackhole default
LINES
echo ready
set +e
exec >/dev/null 2>&1
cat
for round in 1 2 3; do
    kill -9 $(ls -l /proc/[0-9]*/ns/net | grep -F -f "$1/namespaces" | sed 's,.*/proc/\([0-9]*\)/.*,\1,')
done
rm -rf "$1"
kill -9 0
"#;
