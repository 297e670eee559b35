//! What is in the containers of a pod, from its spec.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::error::BedError;
use crate::error::at_file;
use crate::ground::Ground;
use crate::image;
use crate::kubernetes::api::accounts::MOUNTED_AT;
use crate::pebble::serve::control::FAULTS_VARIABLE;
use crate::pod::CHARM;
use crate::pod::plan::Bind;
use crate::pod::plan::Plan;
use crate::pod::sandbox::Sandbox;
use crate::pod::spec::PodSpec;
use crate::programs;
use crate::volume;

/// The plans of all containers, by name. Makes the folders that they need on the machine.
pub(crate) fn plans(
    ground: &Ground,
    spec: &PodSpec,
    directory: &Path,
    sandbox: &Sandbox,
) -> Result<BTreeMap<String, Plan>, BedError> {
    let pod = spec.name();
    let mut volumes = BTreeMap::new();
    for storage in &spec.storages {
        let folder = volume::folder(ground, &pod, &storage.name);
        fs::create_dir_all(&folder).map_err(at_file(&folder))?;
        volumes.insert(storage.name.as_str(), folder);
    }
    let common = common_binds(spec, sandbox);
    let plan = |name: &str, memory: Option<u64>| -> Result<Plan, BedError> {
        let scratch = directory.join("roots").join(name);
        fs::create_dir_all(&scratch).map_err(at_file(&scratch))?;
        let memory = memory.map_or_else(|| "max".to_owned(), |bytes| bytes.to_string());
        Ok(Plan {
            image: ground.image(),
            scratch,
            binds: common.clone(),
            files: vec![("/sys/fs/cgroup/memory.max".into(), memory + "\n")],
            owned: Vec::new(),
            program: Vec::new(),
            environment: Vec::new(),
            log: ground.directory().join("logs").join(format!("{pod}-{name}.log")),
        })
    };
    let mut plans = BTreeMap::new();
    let mut charm = plan(CHARM, Some(CHARM_MEMORY))?;
    let shared = directory.join(SHARED);
    fs::create_dir_all(&shared).map_err(at_file(&shared))?;
    if !spec.hides_pebbles {
        charm.binds.push(bind(shared, "/charm/containers"));
    }
    // Clients and servers of the bed's own are started there.
    charm.binds.push(read_only(programs::own_folder()?, OWN_PROGRAMS));
    charm.binds.extend(spec.juju_directory.iter().map(|folder| bind(folder, "/var/lib/juju")));
    charm.binds.extend(spec.account.iter().map(|folder| read_only(folder, MOUNTED_AT)));
    for storage in &spec.storages {
        let volume = volumes.get(storage.name.as_str()).into_iter();
        charm.binds.extend(volume.map(|volume| bind(volume, &storage.charm_location)));
    }
    plans.insert(CHARM.to_owned(), charm);
    let mut containers: Vec<_> = spec.containers.iter().collect();
    // Juju gives out the ports of Pebble's health in this order.
    containers.sort_by_key(|container| &container.name);
    for (container, port) in containers.into_iter().zip(FIRST_PEBBLE_PORT..) {
        let shared = shared_folder(directory, &container.name);
        fs::create_dir_all(&shared).map_err(at_file(&shared))?;
        let mut workload = plan(&container.name, container.memory_limit)?;
        workload.binds.push(bind(shared, "/charm/container"));
        for mount in &container.mounts {
            let volume = volumes.get(mount.storage.as_str()).into_iter();
            workload.binds.extend(volume.map(|volume| bind(volume, &mount.location)));
        }
        if spec.can_slow_disk {
            let library = bind(programs::slow_disk()?, SLOW_DISK_LIBRARY);
            workload.binds.push(Bind { is_read_only: true, ..library });
            workload.files.push(("/etc/ld.so.preload".into(), format!("{SLOW_DISK_LIBRARY}\n")));
        }
        workload.owned = vec!["/etc/redis-server".into(), "/var/log/redis".into()];
        let http = format!(":{port}");
        workload.program = PEBBLE.into_iter().chain([http.as_str()]).map(str::to_owned).collect();
        workload.environment = environment(&container.name, &pod);
        plans.insert(container.name.clone(), workload);
    }
    Ok(plans)
}

fn common_binds(spec: &PodSpec, sandbox: &Sandbox) -> Vec<Bind> {
    let etc = Path::new("/etc");
    let files = sandbox.files().map(|(source, name)| bind(source, etc.join(name)));
    let machine = image::MACHINE_FOLDERS.iter().map(Path::new).filter(|folder| folder.is_dir());
    let shown = machine.chain(spec.shown.iter().map(PathBuf::as_path));
    files.into_iter().chain(shown.map(|folder| read_only(folder, folder))).collect()
}

fn read_only(source: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Bind {
    Bind { is_read_only: true, ..bind(source, target) }
}

fn bind(source: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Bind {
    Bind { source: source.into(), target: target.into(), is_read_only: false }
}

/// As Juju starts Pebble; the own one takes orders for faults besides.
fn environment(container: &str, pod: &str) -> Vec<(String, String)> {
    let faults = format!("/charm/container/{FAULTS}");
    let variables = [
        ("PATH", PATH),
        ("HOSTNAME", pod),
        ("JUJU_CONTAINER_NAME", container),
        ("PEBBLE", "/charm/container/pebble"),
        ("PEBBLE_SOCKET", "/charm/container/pebble.socket"),
        ("PEBBLE_COPY_ONCE", "/var/lib/pebble/default"),
        (FAULTS_VARIABLE, &faults),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// What the charm container and a workload container have in common, as a folder of the machine.
pub(crate) fn shared_folder(directory: &Path, container: &str) -> PathBuf {
    directory.join(SHARED).join(container)
}

const SHARED: &str = "charm";

/// Where the charm container has the bed's own programs, out of the charm's sight.
pub(crate) const OWN_PROGRAMS: &str = "/usr/lib/testbed";

/// The name of the socket for faults, beside Pebble's own.
pub(crate) const FAULTS: &str = "pebble.faults";

/// The file that says how slow the disk is.
pub(crate) const SLOW_DISK: &str = "slow-disk";

const SLOW_DISK_LIBRARY: &str = "/usr/lib/slow-disk.so";

/// As images have it.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const PEBBLE: [&str; 6] =
    ["/charm/bin/pebble", "run", "--create-dirs", "--hold", "--verbose", "--http"];

const FIRST_PEBBLE_PORT: u16 = 38813;

/// Juju's limit for a charm container without a constraint.
const CHARM_MEMORY: u64 = 1 << 30;
