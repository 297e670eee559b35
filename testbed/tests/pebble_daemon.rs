//! Life and death of the daemon: nothing is left behind, and state outlives a kill.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use serde_json::Value;
use serde_json::json;
use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use tempfile::TempDir;
use testbed::pebble::daemon::Daemon;

#[test]
fn a_hundred_starts_and_stops_leave_nothing() {
    let descriptors = descriptors();
    let left = AtomicUsize::new(100);
    let folder = folder();
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                while let Ok(number) =
                    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| {
                        count.checked_sub(1)
                    })
                {
                    let own = folder.path().join(number.to_string());
                    fs::create_dir(&own).unwrap();
                    start_and_stop(&own);
                }
            });
        }
    });
    let mark = folder.path().display().to_string();
    until("no process is left", || !any_process_has(&mark));
    until("no descriptor is left", || self::descriptors() <= descriptors);
}

/// A service that ignores SIGTERM's being asked twice, an exec-check and a log follower are all cut short.
fn start_and_stop(folder: &Path) {
    let mut daemon = Daemon::start(folder).unwrap();
    let command = "sh -c 'sleep 900 & sleep 901'";
    layer(
        &daemon,
        &json!({
            "services": {"s": {"override": "replace", "command": command, "kill-delay": "2s"}},
            "checks": {"c": {"override": "replace", "period": "20ms", "exec": {"command": "sleep 902"}}},
        }),
    );
    let change = json!({"action": "start", "services": ["s"]});
    assert_eq!(daemon.client().post("/v1/services", &change).unwrap().status, 202);
    until("the service runs", || current(&daemon, "s") == "active");
    let socket = daemon.socket();
    assert!(socket.exists());
    assert!(daemon.stop().unwrap().success());
    assert!(!socket.exists());
}

#[test]
fn changes_and_notices_outlive_a_kill() {
    let folder = folder();
    let mut daemon = Daemon::start(folder.path()).unwrap();
    let notice = json!({"action": "add", "type": "custom", "key": "example.com/kept"});
    daemon.client().post("/v1/notices", &notice).unwrap();
    let replan = daemon.client().post("/v1/services", &json!({"action": "replan"})).unwrap().json();
    daemon.kill().unwrap();
    assert!(daemon.client().get("/v1/health").is_err());
    daemon.start_again().unwrap();
    let kept = result(&daemon, "/v1/notices?keys=example.com/kept");
    assert_eq!(kept[0]["occurrences"], 1);
    let change = replan["change"].as_str().unwrap();
    assert_eq!(result(&daemon, &format!("/v1/changes/{change}"))["status"], "Done");
}

#[test]
fn the_state_file_is_whole_at_every_moment() {
    let folder = folder();
    let mut daemon = Daemon::start(folder.path()).unwrap();
    for round in 0..10 {
        for number in 0..20 {
            let key = format!("example.com/round-{round}/n-{number}");
            let notice = json!({"action": "add", "type": "custom", "key": key});
            daemon.client().post("/v1/notices", &notice).unwrap();
        }
        daemon.kill().unwrap();
        daemon.start_again().unwrap();
        let notices = result(&daemon, "/v1/notices");
        assert_eq!(notices.as_array().unwrap().len(), 20 * (round + 1));
    }
}

#[test]
fn a_long_poll_does_not_hold_up_the_end() {
    let folder = folder();
    let mut daemon = Daemon::start(folder.path()).unwrap();
    let client = daemon.client().clone();
    let poll = thread::spawn(move || client.get("/v1/notices?timeout=20s"));
    until("the poll is under way", || connections(&daemon) > 0);
    let begun = Instant::now();
    daemon.stop().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(poll.join().unwrap().is_err());
}

/// Tells the process that a test starts to be killed which folder to use.
const VICTIM: &str = "TESTBED_VICTIM";

#[test]
fn a_daemon_and_its_services_end_with_a_process_that_is_killed() {
    if let Some(folder) = env::var_os(VICTIM) {
        return hold_a_daemon(folder.into());
    }
    let folder = folder();
    let name = "a_daemon_and_its_services_end_with_a_process_that_is_killed";
    let mut victim = Command::new(env::current_exe().unwrap());
    victim.args(["--exact", name]).env(VICTIM, folder.path());
    let mut victim = victim.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    until("the service runs", || folder.path().join("up").exists());
    victim.kill().unwrap();
    victim.wait().unwrap();
    let mark = folder.path().display().to_string();
    until("no process is left", || !any_process_has(&mark));
}

/// Until its input ends, or it is killed. The thread that started the daemon ends long before.
fn hold_a_daemon(folder: PathBuf) {
    let up = folder.join("up");
    let starting = thread::spawn(move || {
        let daemon = Daemon::start(&folder).unwrap();
        let service = json!({"override": "replace", "command": "sleep 903", "startup": "enabled"});
        layer(&daemon, &json!({"services": {"s": service}}));
        daemon.client().post("/v1/services", &json!({"action": "autostart"})).unwrap();
        until("the service runs", || current(&daemon, "s") == "active");
        daemon
    });
    let daemon = starting.join().unwrap();
    thread::park_timeout(Duration::from_millis(200));
    assert_eq!(current(&daemon, "s"), "active");
    fs::write(up, "").unwrap();
    io::stdin().read_line(&mut String::new()).unwrap();
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("pd").tempdir_in("/tmp").unwrap()
}

fn layer(daemon: &Daemon, layer: &Value) {
    let body = json!({
        "action": "add", "combine": true, "label": "test", "format": "yaml", "layer": layer.to_string(),
    });
    assert_eq!(daemon.client().post("/v1/layers", &body).unwrap().json()["result"], true);
}

fn result(daemon: &Daemon, path: &str) -> Value {
    daemon.client().get(path).unwrap().json()["result"].clone()
}

fn current(daemon: &Daemon, service: &str) -> String {
    let found = result(daemon, &format!("/v1/services?names={service}"));
    found[0]["current"].as_str().unwrap_or_default().to_owned()
}

/// Descriptors of the daemon that are sockets, but for those that it listens on.
fn connections(daemon: &Daemon) -> usize {
    let listing = fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().flatten();
    let sockets = listing.filter(|entry| {
        fs::read_link(entry.path()).is_ok_and(|link| link.to_string_lossy().starts_with("socket"))
    });
    // Two listeners, and the runtime's own pair for signals.
    sockets.count().saturating_sub(4)
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn any_process_has(mark: &str) -> bool {
    let listing = fs::read_dir("/proc").unwrap().flatten();
    let own = std::process::id().to_string();
    listing.filter(|entry| entry.file_name().to_string_lossy() != own).any(|entry| {
        let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environ).contains(mark)
    })
}

fn until(what: &str, seen: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !seen() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::park_timeout(Duration::from_millis(10));
    }
}
