//! Commands whose streams no Pebble would send.

use std::io;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use redis_k8s::clients::pebble::error::PebbleError;
use redis_k8s::clients::pebble::exec::Exec;
use redis_k8s::clients::pebble::exec::Finished;

use testbed::wait::pace;

use crate::container::FOR_EVER;
use crate::container::LONG;
use crate::container::SHORT;
use crate::container::ends;
use crate::server::Server;
use crate::server::answer;
use crate::server::answer_with;
use crate::server::upgrade;

/// How an odd stream goes on after a handshake that is right.
type Speech = fn(&mut UnixStream) -> io::Result<()>;

/// A server that runs a "command": `stdout` is odd, and standard error ends at once.
fn run(stdout: Speech, time: Duration) -> Result<Finished, PebbleError> {
    run_with(stdout, DONE, b"", time)
}

/// The same with another end, and with input.
fn run_with(
    stdout: Speech,
    ended: &'static str,
    input: &[u8],
    time: Duration,
) -> Result<Finished, PebbleError> {
    let server = Server::that(move |request, client| {
        if request.starts_with("POST ") {
            let begun = r#"{"type":"async","change":"7","result":{"task-id":"8"}}"#;
            return client.write_all(&answer(begun));
        }
        if !request.contains("/websocket/") {
            return client.write_all(&answer(&format!(r#"{{"type":"sync","result":{ended}}}"#)));
        }
        upgrade(request, client)?;
        if request.contains("/stdio ") {
            return stdout(client);
        }
        if request.contains("/stderr ") {
            client.write_all(&end())?;
        }
        io::copy(client, &mut io::sink()).map(drop)
    });
    server.pebble(time).exec(&Exec { input, ..Exec::new(&["odd"], FOR_EVER) })
}

const DONE: &str = r#"{"kind":"exec","status":"Done","ready":true,"tasks":[{"status":"Done","data":{"exit-code":0}}]}"#;

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => bytes.push(length),
        _ => {
            bytes.push(127);
            bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const UNFINISHED: u8 = 0x02;
const CONTINUED: u8 = 0x00;
const PING: u8 = 0x89;
const CLOSE: u8 = 0x88;

fn end() -> Vec<u8> {
    frame(TEXT, br#"{"command":"end"}"#)
}

fn for_ever(client: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    loop {
        client.write_all(bytes)?;
    }
}

#[test]
fn a_stream_may_be_cut_into_frames_anywhere() {
    let done = run(
        |client| {
            let word = "ä€𝄞".as_bytes();
            for byte in word {
                client.write_all(&frame(BINARY, &[*byte]))?;
            }
            client.write_all(&frame(UNFINISHED, &word[..1]))?;
            client.write_all(&frame(PING, b"are you there"))?;
            client.write_all(&frame(0x80 | CONTINUED, &word[1..]))?;
            client.write_all(&frame(BINARY, b""))?;
            client.write_all(&frame(TEXT, br#"{"command":"something else"}"#))?;
            client.write_all(&frame(TEXT, b"no JSON"))?;
            client.write_all(&end())?;
            // The ping is answered.
            io::copy(client, &mut io::sink()).map(drop)
        },
        LONG,
    );
    assert_eq!(done.unwrap().stdout, "ä€𝄞ä€𝄞".as_bytes());
}

#[test]
fn every_odd_stream_is_the_error_that_it_is() {
    type Is = fn(&PebbleError) -> bool;
    let too_long: Is = |error| matches!(error, PebbleError::TooLong { .. });
    let garbage: Is = |error| matches!(error, PebbleError::Garbage { .. });
    let cases: Vec<(&str, Speech, Is)> = vec![
        ("nothing", |_| Ok(()), PebbleError::is_not_connected),
        (
            "half a frame",
            |client| client.write_all(&[BINARY, 100, 1]),
            PebbleError::is_not_connected,
        ),
        ("a close", |client| client.write_all(&frame(CLOSE, b"")), PebbleError::is_not_connected),
        ("no end", |client| client.write_all(&frame(BINARY, b"x")), PebbleError::is_not_connected),
        ("no frame", |client| client.write_all(&[0xff; 100]), garbage),
        ("no UTF-8", |client| client.write_all(&frame(TEXT, &[0xff])), garbage),
        (
            "a huge frame",
            |client| client.write_all(&[BINARY, 127, 0, 0, 255, 255, 255, 255, 255, 255]),
            too_long,
        ),
        ("a long stream", |client| for_ever(client, &frame(BINARY, &[0; 60_000])), too_long),
        (
            "a long message",
            |client| {
                client.write_all(&frame(UNFINISHED, b"x"))?;
                for_ever(client, &frame(CONTINUED, &[0; 60_000]))
            },
            too_long,
        ),
    ];
    for (what, stdout, is) in cases {
        let error = run(stdout, LONG).unwrap_err();
        assert!(is(&error), "{what}: {error:?}");
        assert!(error.to_string().starts_with("cannot run odd in container redis: "), "{error}");
    }
}

#[test]
fn frames_without_end_end_with_the_budget() {
    let cases: [(&str, Speech); 5] = [
        ("empty frames", |client| for_ever(client, &frame(BINARY, b"").repeat(5000))),
        ("texts", |client| for_ever(client, &frame(TEXT, b"{}").repeat(5000))),
        ("pings", |client| for_ever(client, &frame(PING, b"x").repeat(5000))),
        ("parts of a message", |client| {
            client.write_all(&frame(UNFINISHED, b"x"))?;
            for_ever(client, &frame(CONTINUED, b"").repeat(5000))
        }),
        ("silence", |client| io::copy(client, &mut io::sink()).map(drop)),
    ];
    for (what, stdout) in cases {
        let error = run(stdout, SHORT).unwrap_err();
        // A server that never reads what a ping is answered with may be hung up on.
        assert!(error.is_timeout() || what == "pings", "{what}: {error:?}");
    }
}

#[test]
fn input_that_nobody_reads_does_not_hold_up_the_end() {
    let deaf: Speech = |client| {
        client.write_all(&end())?;
        // Until the client hangs up, of whom nothing is read.
        loop {
            client.write_all(&frame(TEXT, b"{}"))?;
            pace(Duration::from_millis(10));
        }
    };
    let done = ends(move || run_with(deaf, DONE, &vec![b'x'; 10_000_000], FOR_EVER)).unwrap();
    assert_eq!(done.exit_code, 0);
}

#[test]
fn a_command_that_was_cut_off_has_no_exit_code_and_is_an_error() {
    let ended = r#"{"kind":"exec","status":"Done","ready":true,"tasks":[{"status":"Done"}]}"#;
    let error = run_with(|client| client.write_all(&end()), ended, b"", LONG).unwrap_err();
    assert!(matches!(error, PebbleError::Garbage { .. }), "{error:?}");
    assert!(error.to_string().contains("no exit code"), "{error}");
}

#[test]
fn a_handshake_that_pebble_refuses_says_why() {
    let late =
        r#"{"type":"error","result":{"message":"cannot find task \"8\"","kind":"not-found"}}"#;
    for (status, body, told) in [
        ("404 Not Found", late, "cannot find task \"8\""),
        ("200 OK", "", "HTTP status 200"),
        ("400 Bad Request", "bad", "HTTP status 400"),
    ] {
        let server = Server::that(move |request, client| {
            let bytes = if request.starts_with("POST ") {
                answer(r#"{"type":"async","change":"7","result":{"task-id":"8"}}"#)
            } else if request.contains("/websocket/") {
                answer_with(status, body)
            } else {
                answer(r#"{"type":"sync","result":{"kind":"exec","status":"Done","ready":true}}"#)
            };
            client.write_all(&bytes)
        });
        let error = server.pebble(LONG).exec(&Exec::new(&["odd"], LONG)).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot run odd in container redis: {told}"));
    }
}
