//! Faults that the real Pebble cannot give. There is nothing to test where PEBBLE names a real one.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use serde_json::Value;
use serde_json::json;
use std::io;
use std::io::Write;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use tempfile::TempDir;
use testbed::pebble::daemon::Daemon;

/// A daemon with faults, and its folder.
fn own() -> Option<(TempDir, Daemon)> {
    if !Daemon::is_own() {
        // Past the capture of a test that passes: nothing is left out in silence.
        let told = "left out: faults are this project's Pebble's alone, and PEBBLE names another\n";
        io::stderr().write_all(told.as_bytes()).unwrap();
        return None;
    }
    let folder = tempfile::Builder::new().prefix("pf").tempdir_in("/tmp").unwrap();
    let daemon = Daemon::start(folder.path()).unwrap();
    Some((folder, daemon))
}

fn info(daemon: &Daemon) -> Value {
    daemon.client().get("/v1/system-info").unwrap().json()["result"].clone()
}

#[test]
fn the_second_matching_request_is_delayed() {
    let Some((_folder, daemon)) = own() else { return };
    daemon.fault(&json!({"on": "request", "path": "/v1/system-info", "nth": 2, "do": "delay", "millis": 400})).unwrap();
    let took = || {
        let begun = Instant::now();
        info(&daemon);
        begun.elapsed()
    };
    assert!(took() < Duration::from_millis(300));
    assert!(took() >= Duration::from_millis(400));
    assert!(took() < Duration::from_millis(300));
}

#[test]
fn a_request_is_refused_without_being_carried_out() {
    let Some((_folder, daemon)) = own() else { return };
    daemon.fault(&json!({"on": "request", "method": "POST", "do": "refuse", "status": 503, "message": "not now"})).unwrap();
    let notice = json!({"action": "add", "type": "custom", "key": "example.com/a"});
    let refused = daemon.client().post("/v1/notices", &notice).unwrap();
    assert_eq!((refused.status, &refused.json()["result"]["message"]), (503, &json!("not now")));
    assert_eq!(daemon.client().get("/v1/notices").unwrap().json()["result"], json!([]));
    assert_eq!(daemon.client().post("/v1/notices", &notice).unwrap().status, 200);
}

#[test]
fn an_answer_is_cut_after_the_deed() {
    let Some((_folder, daemon)) = own() else { return };
    daemon
        .fault(&json!({"on": "request", "path": "/v1/notices", "do": "cut", "bytes": 30}))
        .unwrap();
    let notice = json!({"action": "add", "type": "custom", "key": "example.com/a"});
    assert!(daemon.client().post("/v1/notices", &notice).is_err());
    let recorded = daemon.client().get("/v1/notices").unwrap().json();
    assert_eq!(recorded["result"][0]["key"], "example.com/a");
}

#[test]
fn a_request_hangs_and_others_do_not() {
    let Some((_folder, daemon)) = own() else { return };
    daemon.fault(&json!({"on": "request", "path": "/v1/health", "do": "hang"})).unwrap();
    let stream = daemon.client().connect().unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    testbed::pebble::client::http::send(&stream, "GET", "/v1/health", &[], None).unwrap();
    assert!(io::Read::read(&mut &stream, &mut [0]).is_err());
    assert_eq!(daemon.client().get("/v1/health").unwrap().status, 200);
}

#[test]
fn a_task_fails_or_hangs() {
    let Some((_folder, daemon)) = own() else { return };
    let layer = json!({"services": {"s": {"override": "replace", "command": "sleep 900"}}});
    let body = json!({"action": "add", "combine": true, "label": "l", "format": "yaml", "layer": layer.to_string()});
    daemon.client().post("/v1/layers", &body).unwrap();
    let start = || {
        let begun =
            daemon.client().post("/v1/services", &json!({"action": "start", "services": ["s"]}));
        begun.unwrap().json()["change"].as_str().unwrap().to_owned()
    };
    daemon
        .fault(&json!({"on": "task", "kind": "start", "do": "fail", "message": "disk on fire"}))
        .unwrap();
    let failed =
        daemon.client().get(&format!("/v1/changes/{}/wait?timeout=5s", start())).unwrap().json();
    let told = "cannot perform the following tasks:\n- Start service \"s\" (disk on fire)";
    assert_eq!(failed["result"]["err"], told);
    daemon.fault(&json!({"on": "task", "kind": "start", "do": "hang"})).unwrap();
    let hung = start();
    assert_eq!(
        daemon.client().get(&format!("/v1/changes/{hung}/wait?timeout=1500ms")).unwrap().status,
        504
    );
    let aborted =
        daemon.client().post(&format!("/v1/changes/{hung}"), &json!({"action": "abort"})).unwrap();
    assert_eq!(aborted.status, 200);
    let over = daemon.client().get(&format!("/v1/changes/{hung}/wait?timeout=5s")).unwrap().json();
    assert_eq!(over["result"]["status"], "Error");
}

#[test]
fn it_goes_away_in_mid_answer() {
    let Some((_folder, mut daemon)) = own() else { return };
    daemon
        .fault(&json!({"on": "request", "path": "/v1/system-info", "do": "leave", "bytes": 20}))
        .unwrap();
    assert!(daemon.client().get("/v1/system-info").is_err());
    daemon.start_again().unwrap();
    assert_eq!(info(&daemon)["version"], "v1.26.0");
}

#[test]
fn it_comes_back_with_another_boot_id_and_without_its_layers() {
    let Some((_folder, mut daemon)) = own() else { return };
    let layer = r#"{"services": {"s": {"override": "replace", "command": "sleep 900"}}}"#;
    let body =
        json!({"action": "add", "combine": true, "label": "l", "format": "yaml", "layer": layer});
    daemon.client().post("/v1/layers", &body).unwrap();
    let before = info(&daemon)["boot-id"].clone();
    daemon.fault(&json!({"on": "daemon", "do": "restart"})).unwrap();
    thread::park_timeout(Duration::from_millis(50));
    daemon.wait_until_it_answers().unwrap();
    assert_ne!(info(&daemon)["boot-id"], before);
    assert_eq!(daemon.client().get("/v1/services").unwrap().json()["result"], json!([]));
    daemon.fault(&json!({"on": "daemon", "do": "boot-id", "id": "another"})).unwrap();
    assert_eq!(info(&daemon)["boot-id"], "another");
}

#[test]
fn an_order_that_is_not_understood_is_refused() {
    let Some((_folder, daemon)) = own() else { return };
    let refused = daemon.fault(&json!({"on": "request", "do": "nonsense"}));
    assert!(refused.unwrap_err().to_string().starts_with("pebble refused the fault: error: "));
}
