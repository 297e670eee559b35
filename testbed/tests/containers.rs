//! A pod's containers as those who live in them see them.

use std::error::Error;
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
