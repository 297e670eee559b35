//! How long the own Pebble takes for what every test does, beside the real one where PEBBLE names it.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a bench prints, and stops at the first surprise"
)]

use serde_json::json;
use std::env;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;
use testbed::pebble::client::http;
use testbed::pebble::daemon::Daemon;

fn main() {
    let own = Path::new(env!("CARGO_BIN_EXE_pebble")).to_owned();
    let real = env::var_os("PEBBLE").map(Into::into);
    println!(
        "{:44}{:>22}{:>22}{:>22}{:>22}",
        "median (fastest)", "start to answering", "system-info", "replan, no change", "exec true"
    );
    for program in std::iter::once(own).chain(real) {
        let figures = figures(&program);
        let name = program.display().to_string();
        let short: String =
            name.chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
        println!("{short:44}{}", figures.map(|figure| format!("{figure:>22}")).concat());
    }
}

fn figures(program: &Path) -> [String; 4] {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let options = ["--create-dirs", "--hold"];
    let mut number = 0;
    let starting = measured(20, || {
        number += 1;
        let own = folder.path().join(number.to_string());
        std::fs::create_dir(&own).unwrap();
        let begun = Instant::now();
        let daemon = Daemon::start_program(program, &own, &options).unwrap();
        let took = begun.elapsed();
        drop(daemon);
        took
    });
    let daemon = Daemon::start_program(program, folder.path(), &options).unwrap();
    let info = measured(500, || {
        let begun = Instant::now();
        daemon.client().get("/v1/system-info").unwrap();
        begun.elapsed()
    });
    let replan = measured(100, || {
        let begun = Instant::now();
        let change = daemon.client().post("/v1/services", &json!({"action": "replan"})).unwrap();
        wait(&daemon, &change.json()["change"]);
        begun.elapsed()
    });
    let exec = measured(100, || {
        let begun = Instant::now();
        let made = daemon.client().post("/v1/exec", &json!({"command": ["true"]})).unwrap().json();
        let stdio = upgraded(&daemon, made["result"]["task-id"].as_str().unwrap());
        wait(&daemon, &made["change"]);
        drop(stdio);
        begun.elapsed()
    });
    [starting, info, replan, exec]
}

fn measured(times: usize, mut once: impl FnMut() -> Duration) -> String {
    let mut took: Vec<Duration> = (0..times).map(|_| once()).collect();
    took.sort_unstable();
    let millis = |duration: Option<&Duration>| duration.unwrap().as_secs_f64() * 1000.0;
    format!("{:.2} ({:.2}) ms", millis(took.get(times / 2)), millis(took.first()))
}

fn wait(daemon: &Daemon, change: &serde_json::Value) {
    let path = format!("/v1/changes/{}/wait?timeout=5s", change.as_str().unwrap());
    assert_eq!(daemon.client().get(&path).unwrap().status, 200);
}

/// Connects stdio, and says that there is no input.
fn upgraded(daemon: &Daemon, task: &str) -> std::os::unix::net::UnixStream {
    let headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];
    let mut stream = daemon.client().connect().unwrap();
    let path = format!("/v1/tasks/{task}/websocket/stdio");
    http::send(&stream, "GET", &path, &headers, None).unwrap();
    let reply = http::read_reply(&mut BufReader::with_capacity(1, &stream), "GET").unwrap();
    assert_eq!(reply.status, 101);
    let payload = br#"{"command":"end"}"#;
    let mut frame = vec![0x81, 0x91, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    stream.write_all(&frame).unwrap();
    stream
}
