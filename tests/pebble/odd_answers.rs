//! Answers that no Pebble gives: each is an error, within bounded memory and time.

use std::fs;
use std::io;
use std::io::Write;
use std::os::unix::net::UnixStream;

use redis_k8s::clients::pebble::error::PebbleError;
use redis_k8s::clients::pebble::services::Action;

use crate::container::LONG;
use crate::container::SHORT;
use crate::container::in_a_process_of_its_own;
use crate::server::Server;
use crate::server::answer;

fn is_garbage(error: &PebbleError) -> bool {
    matches!(error, PebbleError::Garbage { .. })
}

fn is_too_long(error: &PebbleError) -> bool {
    matches!(error, PebbleError::TooLong { .. })
}

fn with_body(headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{body}").into_bytes()
}

const SYSTEM: &str = r#"{"type":"sync","result":{"boot-id":"b","version":"v1.26.0"}}"#;

#[test]
fn every_odd_answer_is_the_error_that_it_is() {
    type Is = fn(&PebbleError) -> bool;
    let chunked = "Transfer-Encoding: chunked";
    let longer = format!("Content-Length: {}", SYSTEM.len() + 10);
    let shorter = format!("Content-Length: {}", SYSTEM.len() - 10);
    let cases: Vec<(&str, Vec<u8>, Is)> = vec![
        ("nothing", vec![], PebbleError::is_not_connected),
        ("no HTTP", b"-ERR unknown command 'GET'\r\n".to_vec(), is_garbage),
        ("TLS", b"\x15\x03\x03\x00\x02\x02\x46".to_vec(), is_garbage),
        ("half a head", b"HTTP/1.1 200 OK\r\nContent-".to_vec(), PebbleError::is_not_connected),
        ("no status", b"HTTP/1.1 abc OK\r\n\r\n".to_vec(), is_garbage),
        ("no JSON", answer("<html>Bad gateway</html>"), is_garbage),
        ("empty", answer(""), is_garbage),
        ("JSON of another shape", answer("[1,2]"), is_garbage),
        ("no type", answer(r#"{"result":{}}"#), is_garbage),
        ("result of another shape", answer(r#"{"type":"sync","result":[]}"#), is_garbage),
        ("no result", answer(r#"{"type":"sync"}"#), is_garbage),
        ("not UTF-8", [answer(r#"{"type":"sync"#), vec![0xff]].concat(), is_garbage),
        ("deep", answer(&"[".repeat(100_000)), is_garbage),
        (
            "deep result",
            answer(&format!(r#"{{"type":"sync","result":{}"#, r#"{"a":"#.repeat(99_999))),
            is_garbage,
        ),
        ("longer than it is", with_body(&longer, SYSTEM), PebbleError::is_not_connected),
        ("shorter than it is", with_body(&shorter, SYSTEM), is_garbage),
        ("no length at all", with_body("Content-Length: many", SYSTEM), is_garbage),
        ("a chunk without a length", with_body(chunked, "xyz\r\n"), is_garbage),
        ("a chunk of endless length", with_body(chunked, "ffffffffffffffffff\r\n{"), is_garbage),
        ("a chunk cut short", with_body(chunked, "40\r\n{\"type\""), PebbleError::is_not_connected),
        (
            "a redirect",
            b"HTTP/1.1 302 Found\r\nLocation: http://pebble/\r\nContent-Length: 0\r\n\r\n".to_vec(),
            is_garbage,
        ),
        (
            "an error without an error",
            b"HTTP/1.1 500 Oops\r\nContent-Length: 15\r\n\r\n{\"type\":\"sync\"}".to_vec(),
            is_garbage,
        ),
        (
            "a plain text error",
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nbad"
                .to_vec(),
            is_garbage,
        ),
        (
            "a long head",
            [b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".repeat(10_000)].concat(),
            |error| is_too_long(error) || is_garbage(error),
        ),
        (
            "a long line",
            [b"HTTP/1.1 200 OK\r\nA: ".to_vec(), b"b".repeat(100_000)].concat(),
            is_too_long,
        ),
        ("a long body", answer(&" ".repeat(2_000_000)), is_too_long),
        ("an errors's error", answer(r#"{"type":"error"}"#), |error| {
            matches!(error, PebbleError::Refused { .. })
        }),
        ("an error of another shape", answer(r#"{"type":"error","result":7}"#), is_garbage),
    ];
    for (what, bytes, is) in cases {
        let server = Server::saying(bytes);
        let error = server.pebble(LONG).system_info().unwrap_err();
        assert!(is(&error), "{what}: {error:?}");
        assert_eq!(server.requests().len(), 1, "{what}");
        let told = error.to_string();
        assert!(told.starts_with("cannot ask for system information in container redis: "));
        assert!(told.len() < 700 && told.lines().count() == 1, "{what}: {told}");
    }
}

#[test]
fn an_answer_that_is_right_is_taken_in_every_frame_that_http_has() {
    let chunks: Vec<String> = SYSTEM.chars().map(|c| format!("1;odd=x\r\n{c}\r\n")).collect();
    let chunks = chunks.concat();
    for bytes in [
        answer(SYSTEM),
        with_body("Transfer-Encoding: chunked", &format!("{chunks}0\r\n\r\n")),
        // It ends when the connection does.
        with_body("Connection: close", SYSTEM),
        [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), answer(SYSTEM)].concat(),
        format!("HTTP/1.0 200 OK\r\n\r\n{SYSTEM}").into_bytes(),
    ] {
        let info = Server::saying(bytes).pebble(LONG).system_info().unwrap();
        assert_eq!((info.boot_id.as_str(), info.version.as_str()), ("b", "v1.26.0"));
    }
}

#[test]
fn a_change_with_a_name_that_is_none_is_never_asked_for() {
    for id in ["", "7/../../x", "7?x", "7 HTTP/1.1", "\\u0000"] {
        let server = Server::saying(answer(&format!(r#"{{"type":"async","change":"{id}"}}"#)));
        let error = server.pebble(LONG).perform(Action::Replan).unwrap_err();
        assert!(is_garbage(&error), "{error:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

/// Writes the same bytes until the client hangs up.
fn for_ever(client: &mut UnixStream, begin: &[u8], again: &[u8]) -> io::Result<()> {
    client.write_all(begin)?;
    let block = again.repeat(1 + 50_000 / again.len());
    loop {
        client.write_all(&block)?;
    }
}

#[test]
fn answers_without_an_end_take_no_memory() {
    let test = "odd_answers::answers_without_an_end_take_no_memory";
    if !in_a_process_of_its_own(test, ("ALL_BY_ITSELF", "1")) {
        return;
    }
    let cases: [(&str, &[u8], &[u8]); 8] = [
        ("header", b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        ("header line", b"HTTP/1.1 200 OK\r\nA: ", b"b"),
        ("body", b"HTTP/1.1 200 OK\r\n\r\n", b"[{}]"),
        ("long body", b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", b" "),
        ("chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n[\r\n"),
        ("chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff0\r\n", b" "),
        ("chunk's name", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
        ("overture", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ];
    // What one takes that is right, and one that is too long.
    drop(Server::answering(SYSTEM).pebble(LONG).system_info().unwrap());
    let before = peak_memory();
    for (what, begin, again) in cases {
        let server = Server::that(move |_, client| for_ever(client, begin, again));
        let error = server.pebble(SHORT * 3).system_info().unwrap_err();
        let ends = is_too_long(&error) || is_garbage(&error) || error.is_timeout();
        assert!(ends, "{what}: {error:?}");
    }
    // The client's bounds are 1 MiB of body, in a vector that doubles, and some buffers; the rest is
    // the servers'.
    let taken = peak_memory() - before;
    assert!(taken < 8 * 1024 * 1024, "{taken} bytes");
}

#[test]
fn an_answer_that_trickles_ends_with_the_budget() {
    let server = Server::that(|_, client| {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            client.write_all(b" ")?;
            testbed::wait::pace(std::time::Duration::from_millis(10));
        }
    });
    let error = server.pebble(SHORT).system_info().unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[test]
fn lists_of_many_small_things_take_memory_in_proportion() {
    let test = "odd_answers::lists_of_many_small_things_take_memory_in_proportion";
    if !in_a_process_of_its_own(test, ("ALL_BY_ITSELF", "1")) {
        return;
    }
    let thing = r#"{"a":0},"#;
    let many = thing.repeat(1_000_000 / thing.len());
    let unknown = format!(r#"{{"type":"sync","more":[{many}0],"result":[]}}"#);
    let wrong = format!(r#"{{"type":"sync","result":[{many}0]}}"#);
    let servers = [unknown, wrong].map(|json| Server::saying(answer(&json)));
    let before = peak_memory();
    assert_eq!(servers[0].pebble(LONG).services(&[]).unwrap(), []);
    assert!(is_garbage(&servers[1].pebble(LONG).services(&[]).unwrap_err()));
    let taken = peak_memory() - before;
    assert!(taken < 6 * 1024 * 1024, "{taken} bytes");
}

/// The most that this process has ever had in memory, in bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
