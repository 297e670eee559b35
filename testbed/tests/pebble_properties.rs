//! Whatever comes over a connection, the daemon answers or hangs up, and goes on.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use proptest::collection::vec;
use proptest::prelude::Just;
use proptest::prelude::any;
use proptest::prelude::prop_oneof;
use proptest::strategy::Strategy;
use proptest::test_runner::Config;
use proptest::test_runner::TestCaseError;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::json;
use std::fmt::Debug;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;
use std::time::Instant;
use testbed::pebble::client::http;
use testbed::pebble::daemon::Daemon;

/// Feeds one daemon with many things, and sees after each that it is well.
fn holds<S>(cases: u32, strategy: S, feed: impl Fn(&Daemon, S::Value) -> Result<(), TestCaseError>)
where
    S: Strategy,
    S::Value: Debug,
{
    let folder = tempfile::Builder::new().prefix("pp").tempdir_in("/tmp").unwrap();
    let daemon = Daemon::start(folder.path()).unwrap();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&strategy, |value| {
            feed(&daemon, value)?;
            let health = daemon.client().get("/v1/health");
            let well = health.is_ok_and(|reply| reply.status == 200 || reply.status == 502);
            let log = daemon.log_tail();
            if well && !log.contains("panicked") { Ok(()) } else { Err(TestCaseError::fail(log)) }
        })
        .unwrap();
}

/// Sends bytes, and waits for the daemon to hang up; with `half_closed`, says that there is no more.
fn converse(daemon: &Daemon, bytes: &[u8], half_closed: bool) -> Result<Vec<u8>, TestCaseError> {
    let mut stream = daemon.client().connect().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may hang up before it has heard all.
    let _ = stream.write_all(bytes);
    if half_closed {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err(TestCaseError::fail("the daemon neither answers nor hangs up"))
        }
        Ok(_) | Err(_) => Ok(said),
    }
}

#[test]
fn arbitrary_bytes_are_answered_or_hung_up_on() {
    let begin = prop_oneof![
        Just(""),
        Just("GET /v1/health HTTP/1.1\r\nHost: x\r\n"),
        Just("POST /v1/services HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    ];
    holds(150, (begin, vec(any::<u8>(), 0..400)), |daemon, (begin, bytes)| {
        converse(daemon, &[begin.as_bytes(), &bytes].concat(), true).map(|_| ())
    });
}

#[test]
fn arbitrary_headers_and_paths_get_an_http_answer() {
    let word = "[!-~]{1,30}";
    holds(150, (word, vec(("[A-Za-z-]{1,12}", "[ -~]{0,40}"), 0..8)), |daemon, (path, headers)| {
        let mut text = format!("GET /v1/{path} HTTP/1.1\r\nHost: x\r\n");
        for (name, value) in &headers {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        text.push_str("Connection: close\r\n\r\n");
        let said = converse(daemon, text.as_bytes(), false)?;
        if said.starts_with(b"HTTP/1.1 ") { Ok(()) } else { Err(TestCaseError::fail("no answer")) }
    });
}

/// JSON of any shape, with words that mean something.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("add"),
        Just("start"),
        Just("replan"),
        Just("make-dirs"),
        Just("write"),
        Just("custom"),
        Just("yaml"),
        Just("5"),
        Just("-1ns"),
        Just("a.b/c"),
        Just(""),
        Just("\u{0}\u{fffd}"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("action"),
        Just("services"),
        Just("label"),
        Just("layer"),
        Just("format"),
        Just("combine"),
        Just("type"),
        Just("key"),
        Just("data"),
        Just("repeat-after"),
        Just("checks"),
        Just("name"),
        Just("dirs"),
        Just("paths"),
        Just("files"),
        Just("path"),
        Just("identities"),
        Just("signal"),
        Just("command"),
        Just("environment"),
        Just("timeout"),
        Just("user-id"),
        Just("local"),
        Just("access"),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key.clone(), inner), 0..6).prop_map(|pairs| {
                pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

#[test]
fn arbitrary_json_is_answered_everywhere() {
    let path = prop_oneof![
        Just("services"),
        Just("layers"),
        Just("exec"),
        Just("signals"),
        Just("checks"),
        Just("checks/refresh"),
        Just("notices"),
        Just("files"),
        Just("identities"),
        Just("changes/1"),
    ];
    holds(200, (path, any_json()), |daemon, (path, body)| {
        let answer = daemon.client().post(&format!("/v1/{path}"), &body);
        let answered = answer.is_ok_and(|reply| reply.json()["type"].is_string());
        if answered { Ok(()) } else { Err(TestCaseError::fail("no envelope")) }
    });
}

#[test]
fn arbitrary_layers_are_taken_or_refused() {
    let piece = prop_oneof![
        Just("services:"),
        Just("checks:"),
        Just("log-targets:"),
        Just("\n  a:"),
        Just("\n    "),
        Just("\n"),
        Just("override: replace"),
        Just("command: 'x"),
        Just("command: \"a\\"),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(", "),
        Just("&x "),
        Just("*x "),
        Just("!!int "),
        Just("<<: "),
        Just("|\n"),
        Just("- "),
        Just("? "),
        Just("---\n"),
        Just("%YAML 9\n"),
        Just("period: 1ns"),
        Just("threshold: -9"),
        Just("\t"),
        Just("exec: {command: 'true'}"),
        Just("user-id: 99999999999"),
        Just("\u{85}"),
        Just("#"),
    ];
    let text = prop_oneof![
        vec(piece, 0..40).prop_map(|pieces| pieces.concat()),
        any::<String>(),
        "[\\[\\{]{0,3000}",
    ];
    holds(250, text, |daemon, text| {
        let body = json!({"action": "add", "combine": true, "label": "l", "format": "yaml", "layer": text});
        let status = daemon.client().post("/v1/layers", &body).map(|reply| reply.status);
        if matches!(status, Ok(200 | 400)) { Ok(()) } else { Err(TestCaseError::fail("no answer")) }
    });
}

#[test]
fn arbitrary_multipart_bodies_are_answered() {
    let piece = prop_oneof![
        Just("--00000000000000000000000000000000000\r\n".to_owned()),
        Just("--00000000000000000000000000000000000--\r\n".to_owned()),
        Just("Content-Disposition: form-data; name=\"request\"\r\n\r\n".to_owned()),
        Just(
            "Content-Disposition: form-data; name=\"files\"; filename=\"/proc/none/x\\\"\r\n\r\n"
                .to_owned()
        ),
        Just("{\"action\":\"write\",\"files\":[{\"path\":\"/proc/none/x\"}]}\r\n".to_owned()),
        any::<String>(),
    ];
    holds(150, vec(piece, 0..12), |daemon, pieces| {
        let kind = "multipart/form-data; boundary=00000000000000000000000000000000000";
        let body = pieces.concat();
        let reply = daemon.client().request(
            "POST",
            "/v1/files",
            &[("Content-Type", kind)],
            Some(body.as_bytes()),
        );
        if reply.is_ok_and(|reply| reply.json()["type"].is_string()) {
            Ok(())
        } else {
            Err(TestCaseError::fail("no envelope"))
        }
    });
}

#[test]
fn arbitrary_websocket_frames_end_the_command_or_do_not_matter() {
    let channel = prop_oneof![Just("control"), Just("stdio")];
    let piece = prop_oneof![
        vec(any::<u8>(), 1..60),
        // Whole frames: "end", a signal, a ping, a close.
        Just(masked(1, br#"{"command":"end"}"#)),
        Just(masked(1, br#"{"command":"signal","signal":{"name":"SIGNONE"}}"#)),
        Just(masked(1, b"[[[[[[[[")),
        Just(masked(9, b"ping")),
        Just(masked(8, b"")),
    ];
    holds(40, (channel, vec(piece, 0..6)), |daemon, (noisy, pieces)| {
        let begun =
            daemon.client().post("/v1/exec", &json!({"command": ["cat"], "timeout": "300ms"}));
        let begun = begun.unwrap().json();
        let task = begun["result"]["task-id"].as_str().unwrap().to_owned();
        let change = begun["change"].as_str().unwrap().to_owned();
        let mut ends: Vec<_> =
            ["control", "stdio"].map(|name| (name, upgraded(daemon, &task, name))).into();
        for (_, end) in ends.iter_mut().filter(|(name, _)| *name == noisy) {
            let _ = end.write_all(&pieces.concat());
        }
        let begun = Instant::now();
        let over = daemon.client().get(&format!("/v1/changes/{change}/wait?timeout=4s")).unwrap();
        if over.status == 200 && begun.elapsed() < Duration::from_secs(4) {
            Ok(())
        } else {
            Err(TestCaseError::fail("the command does not end"))
        }
    });
}

fn upgraded(daemon: &Daemon, task: &str, name: &str) -> std::os::unix::net::UnixStream {
    let headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];
    let stream = daemon.client().connect().unwrap();
    let path = format!("/v1/tasks/{task}/websocket/{name}");
    http::send(&stream, "GET", &path, &headers, None).unwrap();
    let reply = http::read_reply(&mut std::io::BufReader::with_capacity(1, &stream), "GET");
    assert_eq!(reply.unwrap().status, 101);
    stream
}

fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let size = 0x80 | u8::try_from(payload.len()).unwrap();
    let mut frame = vec![0x80 | opcode, size, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

const PATIENCE: Duration = Duration::from_secs(5);
