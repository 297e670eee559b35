//! What Sentinels say reaches the trace, from real ones in real pods.

use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use testbed::juju::cloud::Cloud;
use testbed::juju::cloud::Container;
use testbed::juju::cloud::StatefulSet;
use testbed::juju::cloud::Template;
use testbed::lab::Lab;
use testbed::lab::sentinel_events::SentinelEvents;
use testbed::trace::entry::What;
use testbed::wait;

#[test]
fn what_a_sentinel_says_is_in_the_trace() {
    let charm = tempfile::tempdir().unwrap();
    fs::write(charm.path().join("metadata.yaml"), "name: cache\n").unwrap();
    let lab = Arc::new(Lab::start(1).unwrap());
    let _followed = SentinelEvents::follow(&lab);
    lab.cluster().apply(&set(charm.path().to_owned())).unwrap();
    wait::until("the pod is ready", LIMIT, || {
        lab.pods().iter().any(|pod| pod.is_ready).then_some(())
    })
    .unwrap();

    let mut redis = run(&lab, "exec redis-server --port 6379 --save ''");
    let config =
        "sentinel monitor cache 127.0.0.1 6379 1\\nsentinel down-after-milliseconds cache 300";
    let script = format!("printf '{config}\\n' >/tmp/s.conf && exec redis-sentinel /tmp/s.conf");
    let mut sentinel = run(&lab, &script);
    // What a Sentinel says before it is followed is lost, and it says only what is new.
    until_said(&lab, "redis-cli -p 26379 CLIENT LIST TYPE PUBSUB", "psub=1");
    until_said(&lab, "redis-cli -p 26379 SENTINEL MASTER cache", "flags\nmaster\n");
    lab.shell("cache/0", "redis", "redis-cli SHUTDOWN NOSAVE").unwrap();
    redis.wait().unwrap();

    let said = wait::until("a +sdown in the trace", LIMIT, || {
        lab.trace().entries().into_iter().find_map(|entry| {
            let What::Sentinel { unit, event, message } = entry.what else { return None };
            (event == "+sdown").then_some((unit, message))
        })
    });
    let expected = ("cache/0".to_owned(), "master cache 127.0.0.1 6379".to_owned());
    assert_eq!(said.unwrap(), expected);
    sentinel.kill().unwrap();
    sentinel.wait().unwrap();
}

fn set(charm: PathBuf) -> StatefulSet {
    let redis = Container { name: "redis".to_owned(), mounts: Vec::new(), memory_limit: None };
    StatefulSet {
        application: "cache".to_owned(),
        replicas: 1,
        template: Template {
            version: 1,
            charm,
            containers: vec![redis],
            storages: Vec::new(),
            trust: false,
        },
    }
}

fn until_said(lab: &Lab, command: &str, wanted: &str) {
    let said = || lab.shell("cache/0", "redis", command).unwrap().stdout;
    wait::until(&format!("{command} says {wanted:?}"), LIMIT, || {
        String::from_utf8_lossy(&said()).contains(wanted).then_some(())
    })
    .unwrap();
}

fn run(lab: &Lab, script: &str) -> Child {
    let mut command = lab.command("cache/0", "redis", "sh").unwrap();
    command.args(["-c", script]).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Long against everything that a loaded machine does.
const LIMIT: Duration = Duration::from_mins(1);
