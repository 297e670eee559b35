//! Whatever bytes come, a call ends with an answer or an error.

use std::io;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::Mutex;

use proptest::collection::vec;
use proptest::prelude::Just;
use proptest::prelude::any;
use proptest::prelude::prop_oneof;
use proptest::strategy::Strategy;
use proptest::test_runner::Config;
use proptest::test_runner::TestRunner;
use redis_k8s::clients::pebble::Pebble;
use redis_k8s::clients::pebble::exec::Exec;
use redis_k8s::clients::pebble::services::Action;

use crate::container::LONG;
use crate::server::Server;
use crate::server::answer;
use crate::server::upgrade;

/// What is to be said next.
type Line = Arc<Mutex<Vec<u8>>>;

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// Text that HTTP and JSON are made of, and anything between.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "HTTP/1.1 ",
        "HTTP/1.0 ",
        "200",
        "101",
        "204",
        "304",
        "302",
        "500",
        " OK",
        "\r\n",
        "\n",
        "\r\n\r\n",
        "Content-Length: ",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: ",
        "Connection: close",
        "Content-Type: multipart/form-data; boundary=b\r\n",
        "--b\r\n",
        "--b--",
        "\r\n--b",
        "Content-Disposition: form-data; name=\"files\"",
        "name=\"response\"",
        "Location: /\r\n",
        "0",
        "1",
        "5",
        "7fffffffffffffff",
        "18446744073709551616",
        "-1",
        "a\r\n",
        "0\r\n\r\n",
        ";",
        r#"{"type":"sync","result":"#,
        r#"{"type":"async","change":"7","result":"#,
        r#"{"type":"error","result":"#,
        r#"{"message":"no"}"#,
        "null",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\"",
        ":",
        r#"{"name":"s","startup":"enabled","current":"active"}"#,
        r#""ready":true"#,
        r#""err":"#,
        r#"{"kind":"exec","status":"Done","ready":true,"tasks":["#,
        r#"{"path":"/f"}"#,
    ];
    let piece = prop_oneof![
        5 => proptest::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..20),
    ];
    vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// An answer with a head that is right, and then anything.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let head = prop_oneof![
        Just(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        Just(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n".to_vec()),
        Just(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()),
        Just(
            b"HTTP/1.1 200 OK\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
                .to_vec()
        ),
        Just(b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()),
    ];
    (head, pieces()).prop_map(|(head, rest)| [head, rest].concat())
}

/// A JSON answer that is framed right, whatever is in it.
fn framed() -> impl Strategy<Value = Vec<u8>> {
    pieces().prop_map(|body| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    })
}

fn ask_everything(pebble: &Pebble) {
    // Whether one of them is an answer is the server's luck.
    drop(pebble.system_info());
    drop(pebble.plan());
    drop(pebble.services(&["s"]));
    drop(pebble.perform(Action::Replan));
    drop(pebble.checks(&[]));
    drop(pebble.notices(&[], None));
    drop(pebble.read_file("/f"));
    drop(pebble.remove_files(&["/f"]));
    drop(pebble.list_files("/f"));
    drop(pebble.exec(&Exec::new(&["true"], LONG)));
}

#[test]
fn arbitrary_answers_are_answers_or_errors() {
    let line = Line::default();
    let said = Arc::clone(&line);
    let server = Server::that(move |_, client| client.write_all(&said.lock().unwrap().clone()));
    let strategy = prop_oneof![vec(any::<u8>(), 0..300), pieces(), answers(), framed()];
    let checked = runner(400).run(&strategy, |bytes| {
        *line.lock().unwrap() = bytes;
        ask_everything(&server.pebble(LONG));
        Ok(())
    });
    checked.unwrap();
}

/// Frames that are nearly right.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        Just(vec![0]),
        Just(vec![3, b'a', b'b', b'c']),
        Just(vec![126, 0, 2, b'a', b'b']),
        Just(vec![127, 0, 0, 0, 0, 0, 0, 0, 1, b'a']),
        Just([&[17], br#"{"command":"end"}"#.as_slice()].concat()),
        vec(any::<u8>(), 0..12),
    ];
    vec((any::<u8>(), length), 0..12).prop_map(|frames| {
        frames.into_iter().flat_map(|(first, rest)| [vec![first], rest].concat()).collect()
    })
}

fn converse(request: &str, client: &mut UnixStream, said: &[u8]) -> io::Result<()> {
    if request.starts_with("POST ") {
        let begun = r#"{"type":"async","change":"7","result":{"task-id":"8"}}"#;
        return client.write_all(&answer(begun));
    }
    if !request.contains("/websocket/") {
        let ended = r#"{"type":"sync","result":{"kind":"exec","status":"Done","ready":true}}"#;
        return client.write_all(&answer(ended));
    }
    upgrade(request, client)?;
    client.write_all(said)
}

#[test]
fn arbitrary_frames_are_output_or_an_error() {
    let line = Line::default();
    let said = Arc::clone(&line);
    let server = Server::that(move |request, client| {
        let said = said.lock().unwrap().clone();
        converse(request, client, &said)
    });
    let checked = runner(300).run(&frames(), |bytes| {
        *line.lock().unwrap() = bytes;
        drop(server.pebble(LONG).exec(&Exec::new(&["true"], LONG)));
        Ok(())
    });
    checked.unwrap();
}
