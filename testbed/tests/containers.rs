//! A pod's containers as those who live in them see them.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use testbed::names::Names;
use testbed::network::Network;
use testbed::pod::CHARM;
use testbed::pod::Pod;
use testbed::pod::spec::PodSpec;
use testbed::wait;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const LIMIT: Duration = Duration::from_secs(20);

/// A pod of the application `shop`, with containers `web` and `worker`, which share a storage.
fn shop() -> PodSpec {
    let names = Names { application: "shop".into(), model: "town".into() };
    let mut spec = PodSpec::new(names, 0, &["web", "worker"]).with_storage(
        "stock",
        "/srv/stock",
        &["web", "worker"],
    );
    for web in spec.containers.iter_mut().filter(|container| container.name == "web") {
        web.memory_limit = Some(1 << 28);
    }
    spec
}

fn says(pod: &Pod, container: &str, script: &str) -> Result<String> {
    let mut command = pod.command(container, "sh");
    let output = pod.run(command.args(["-c", script]), "")?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if !output.status.success() {
        return Err(format!("{script}: {} {}", output.status, said(&output.stderr)).into());
    }
    Ok(said(&output.stdout))
}

#[test]
fn the_pebble_of_a_container_answers_on_the_machine_and_in_the_charm_container() -> Result {
    let network = Network::start()?;
    let pod = network.add(shop())?;
    for container in ["web", "worker"] {
        let outside = pod.wait_for_pebble(container, LIMIT)?.get("/v1/system-info")?.json();
        let ask = format!(
            "PEBBLE_SOCKET=/charm/containers/{container}/pebble.socket \
             /charm/bin/pebble version --client >/dev/null && curl --silent --unix-socket \
             /charm/containers/{container}/pebble.socket http://pebble/v1/system-info"
        );
        let inside: serde_json::Value = serde_json::from_str(&says(&pod, CHARM, &ask)?)?;
        assert_eq!(inside["result"]["boot-id"], outside["result"]["boot-id"]);
    }
    let first = |container| says(&pod, container, r"tr '\0' ' ' </proc/1/cmdline");
    assert_eq!(
        first("worker")?,
        "/charm/bin/pebble run --create-dirs --hold --verbose --http :38814"
    );
    assert_eq!(
        says(&pod, "web", "tr '\\0' '\\n' </proc/1/environ | grep ^JUJU")?,
        "JUJU_CONTAINER_NAME=web"
    );
    Ok(())
}

#[test]
fn a_real_redis_runs_under_the_pebble_of_a_container() -> Result {
    let network = Network::start()?;
    let pod = network.add(shop())?;
    let pebble = pod.wait_for_pebble("web", LIMIT)?;
    let layer = json!({ "services": { "db": {
        "override": "replace", "command": "redis-server --dir /srv/stock --port 6379", "user": "redis"
    } } });
    says(&pod, "web", "chown redis /srv/stock")?;
    let layer = json!({
        "action": "add", "label": "db", "format": "yaml", "layer": layer.to_string()
    });
    assert_eq!(pebble.post("/v1/layers", &layer)?.status, 200);
    pebble.post("/v1/services", &json!({ "action": "start", "services": ["db"] }))?;
    wait::until("Redis answers", LIMIT, || {
        says(&pod, CHARM, "redis-cli set good day && redis-cli save").ok()
    })
    .map_err(|error| error.with("its log", &pod.log("web")))?;
    assert_eq!(says(&pod, "worker", "redis-cli get good")?, "day", "containers share a network");
    assert_eq!(says(&pod, CHARM, "ls /srv/stock")?, "dump.rdb", "and the storage");
    assert!(pod.log("web").contains("Ready to accept connections"));
    pod.terminate();
    let status = pod.wait_for_end("web", LIMIT).ok_or("it does not end")?;
    assert!(status.success(), "Pebble stops its services and ends: {status:?}");
    assert!(pod.log("web").contains("Redis is now ready to exit"));
    Ok(())
}
#[test]
fn a_container_sees_its_own_files_and_the_machines_usr_and_no_more() -> Result {
    let network = Network::start()?;
    let pod = network.add(shop())?;
    for (container, limit) in [("web", "268435456"), ("worker", "max"), (CHARM, "1073741824")] {
        let said = |script| says(&pod, container, script);
        assert_eq!(said("cat /sys/fs/cgroup/memory.max")?, limit);
        assert_eq!(said("hostname; cat /etc/hostname")?, "shop-0\nshop-0");
        assert_eq!(said("id redis")?, "uid=999(redis) gid=999(redis) groups=999(redis)");
        assert_eq!(said("ls /home /root /tmp /var/lib /mnt | grep -v :")?.trim(), "redis");
        assert_eq!(said("ls /")?, ROOT.join("\n"));
        assert_eq!(said("ls /dev")?, DEVICES.join("\n"));
        assert_eq!(
            said("which redis-server redis-sentinel redis-cli redis_exporter | wc -l")?,
            "4"
        );
        said("echo 1 >/dev/null && head -c 9 /dev/urandom >/dev/shm/file && echo 1 >/usr/bin/own")?;
        // The first process, the shell, and what the shell has started.
        let count = said("ls -d /proc/[0-9]* | wc -l")?;
        assert!(matches!(count.as_str(), "3" | "4"), "{count}");
    }
    assert!(!PathBuf::from("/usr/bin/own").exists());
    assert_eq!(says(&pod, "web", "stat -c %U /etc/redis-server /var/log/redis")?, "redis\nredis");
    let mounts = says(&pod, "web", "cat /proc/self/mounts")?;
    let old = mounts.lines().filter(|line| line.contains("old_root") || line.contains(" /sys "));
    assert_eq!(old.count(), 0, "{mounts}");
    Ok(())
}

const ROOT: [&str; 18] = [
    "bin", "charm", "dev", "etc", "home", "lib", "lib64", "mnt", "opt", "proc", "root", "run",
    "sbin", "srv", "sys", "tmp", "usr", "var",
];

const DEVICES: [&str; 11] =
    ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"];

#[test]
fn a_container_that_starts_again_has_a_fresh_root_and_keeps_what_is_the_pods() -> Result {
    let network = Network::start()?;
    let pod = network.add(shop())?;
    let pebble = pod.wait_for_pebble("web", LIMIT)?;
    let boot = pebble.get("/v1/system-info")?.json();
    let (ends, before) = (pod.ends(), pod.container_process("web"));
    says(&pod, "web", "for at in /etc /srv/stock /charm/container; do echo 1 >$at/file; done")?;
    pod.kill_container("web")?;
    assert!(!pod.is_running("web") && pod.is_running("worker") && pod.is_running(CHARM));
    assert!(says(&pod, "web", "true").is_err());
    assert_eq!(ends.recv_timeout(LIMIT)?.container, "web");
    pod.start_container("web")?;
    assert!(pod.start_container("web").is_err(), "it runs already");
    assert_ne!(pod.container_process("web"), before);
    assert_ne!(pod.wait_for_pebble("web", LIMIT)?.get("/v1/system-info")?.json(), boot);
    assert_eq!(
        says(&pod, "web", "ls /etc/file /srv/stock/file /charm/container/file 2>/dev/null; true")?,
        "/charm/container/file\n/srv/stock/file"
    );
    assert_eq!(says(&pod, CHARM, "ls /charm/containers/web/file")?, "/charm/containers/web/file");
    assert!(says(&pod, "no-such", "true").is_err() && pod.kill_container("no-such").is_err());
    Ok(())
}

#[test]
fn a_pod_that_takes_anothers_place_has_its_volumes_and_nothing_else_of_it() -> Result {
    let network = Network::start()?;
    let old = network.add(shop())?;
    assert!(network.add(shop()).is_err(), "there is one of that name");
    let spare = network.add(PodSpec { unit: 1, ..shop() })?;
    says(&old, CHARM, "echo 1 >/srv/stock/file; echo 1 >/charm/containers/web/file")?;
    let new = network.replace("shop-0")?;
    assert_ne!(new.address(), old.address());
    assert!(says(&old, CHARM, "true").is_err(), "the old one is gone");
    assert_eq!(says(&new, "worker", "cat /srv/stock/file")?, "1");
    assert_eq!(says(&new, "web", "ls /charm/container/file 2>/dev/null; true")?, "");
    assert_eq!(says(&spare, "worker", "ls /srv/stock")?, "", "each pod has its own");
    Ok(())
}

#[test]
fn the_machines_folders_that_are_shown_can_be_read_and_not_changed() -> Result {
    let network = Network::start()?;
    let folder = tempfile::tempdir()?;
    let juju = tempfile::tempdir()?;
    fs::write(folder.path().join("file"), "good day")?;
    let mut spec = shop();
    spec.shown = vec![folder.path().to_owned()];
    spec.juju_directory = Some(juju.path().to_owned());
    let pod = network.add(spec)?;
    let file = folder.path().join("file").display().to_string();
    for container in ["web", CHARM] {
        assert_eq!(says(&pod, container, &format!("cat {file}"))?, "good day");
        assert!(says(&pod, container, &format!("echo 1 >{file}")).is_err());
    }
    says(&pod, CHARM, "echo 1 >/var/lib/juju/file")?;
    assert_eq!(fs::read_to_string(juju.path().join("file"))?, "1\n");
    assert!(says(&pod, "web", "cat /var/lib/juju/file").is_err(), "only the charm has it");
    let inside = pod.container_root(CHARM).join("var/lib/juju/file");
    assert_eq!(fs::read_to_string(inside)?, "1\n");
    Ok(())
}

#[test]
fn a_frozen_container_is_silent_until_it_is_thawed() -> Result {
    let network = Network::start()?;
    let pod = network.add(shop())?;
    let answers = |container: &str| {
        let script = format!(
            "curl --silent --max-time 0.5 --unix-socket /charm/containers/{container}/pebble.socket \
             http://pebble/v1/health"
        );
        says(&pod, CHARM, &script).is_ok()
    };
    pod.wait_for_pebble("web", LIMIT)?;
    pod.wait_for_pebble("worker", LIMIT)?;
    pod.freeze_container("web")?;
    assert!(!answers("web") && answers("worker"));
    pod.thaw_container("web")?;
    assert!(answers("web"));
    let mut ticks = pod.command("web", "sh");
    ticks.args(["-c", "while echo >>/tmp/ticks; do sleep 0.01; done"]);
    let mut ticks = pod.spawn(&mut ticks)?;
    let count = || fs::read(pod.container_root("web").join("tmp/ticks")).map_or(0, |it| it.len());
    wait::until("it ticks", LIMIT, || (count() > 3).then_some(()))?;
    pod.freeze();
    let frozen = count();
    wait::steadily("nothing ticks", Duration::from_millis(200), || count() == frozen)?;
    pod.thaw();
    wait::until("it ticks again", LIMIT, || (count() > frozen).then_some(()))?;
    pod.kill()?;
    assert!(!ticks.wait()?.success());
    Ok(())
}
