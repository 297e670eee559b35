//! What Pebble repeats is shown without the secrets that the client was told of.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use redis_k8s::clients::pebble::Pebble;
use redis_k8s::clients::pebble::error::PebbleError;
use redis_k8s::clients::pebble::exec::Exec;
use redis_k8s::clients::pebble::services::Action;
use redis_k8s::clock::Budget;
use serde_json::json;

use crate::container::Container;
use crate::container::LONG;
use crate::server::Server;
use crate::server::answer;

const SECRET: &str = "correct-horse-battery";

fn knowing(socket: &Path) -> Pebble {
    Pebble::new("redis", socket, &[SECRET], &Budget::start(LONG).unwrap())
}

/// All that a log could show of an error.
fn shown(error: &PebbleError) -> String {
    let mut all = vec![format!("{error}\n{error:?}")];
    let mut source = error.source();
    while let Some(cause) = source {
        all.push(format!("{cause}\n{cause:?}"));
        source = cause.source();
    }
    all.join("\n")
}

#[test]
fn a_secret_in_what_a_service_printed_is_masked() {
    let container = Container::start();
    let command = format!("sh -c 'echo requirepass {SECRET}; exit 1'");
    container.add_services(&[("bad", &command)]);
    // The search bites: one that is not told of the secret shows it.
    let error = container.pebble().perform(Action::Replan).unwrap_err();
    assert!(shown(&error).contains(SECRET));
    let error = knowing(&container.daemon.socket()).perform(Action::Start(&["bad"])).unwrap_err();
    assert!(!shown(&error).contains(SECRET), "{error}");
    assert!(error.to_string().contains("requirepass ***"), "{error}");
}

#[test]
fn a_secret_in_a_refusal_is_masked() {
    let container = Container::start();
    let layer = json!({"services": {"s": {"command": "true", SECRET: "x"}}});
    let error = container.pebble().add_layer("test", &layer).unwrap_err();
    assert!(shown(&error).contains(SECRET));
    let error = knowing(&container.daemon.socket()).add_layer("test", &layer).unwrap_err();
    assert!(!shown(&error).contains(SECRET), "{error}");
}

#[test]
fn a_secret_where_a_long_text_is_cut_is_masked() {
    for length in 0..60 {
        let text = format!("{}{SECRET}{}", "a".repeat(470 + length), "b".repeat(900));
        let refusal = format!(r#"{{"type":"error","result":{{"message":"{text}"}}}}"#);
        let server = Server::saying(answer(&refusal));
        let told = shown(&knowing(server.socket()).plan().unwrap_err());
        assert!(!told.contains("corre") && told.len() < 2000, "{told}");
    }
    // Its end is at each place before and after the cut in turn.
    for length in 0..60 {
        let log = format!("{}{SECRET}{}", "a".repeat(900), "b".repeat(1960 + length));
        let ended = format!(
            r#"{{"type":"sync","result":{{"kind":"start","status":"Error","ready":true,"err":"no",
               "tasks":[{{"status":"Error","log":["2030-01-01T00:00:00Z INFO {log}"]}}]}}}}"#
        );
        let server = Server::that(move |request, client| {
            let begun = r#"{"type":"async","change":"7"}"#;
            let json = if request.starts_with("POST ") { begun } else { &ended };
            client.write_all(&answer(json))
        });
        let error = knowing(server.socket()).perform(Action::Replan).unwrap_err();
        let told = shown(&error);
        assert!(!told.contains("battery") && told.len() < 6000, "{told}");
    }
}

#[test]
fn a_commands_environment_and_arguments_are_in_no_error() {
    let container = Container::start();
    let pebble = container.pebble();
    let script = format!("echo {SECRET}; echo {SECRET} >&2; exec sleep 900");
    let command = ["sh", "-c", &script];
    let exec = Exec {
        environment: &[("PASSWORD", SECRET)],
        input: SECRET.as_bytes(),
        ..Exec::new(&command, Duration::from_millis(100))
    };
    // Nothing is masked here, because nothing of it is told.
    let error = pebble.exec(&exec).unwrap_err();
    assert!(!shown(&error).contains(SECRET), "{}", shown(&error));
    let exec = Exec { working_dir: "/no/such", ..exec };
    let error = pebble.exec(&exec).unwrap_err();
    assert!(!shown(&error).contains(SECRET), "{}", shown(&error));
}

#[test]
fn an_answer_that_makes_no_sense_is_not_repeated() {
    for body in [
        format!(r#"{{"type":"{SECRET}"#),
        format!(r#"{{"type":"sync","result":[{{"{SECRET}":1}}]}}"#),
        SECRET.to_owned(),
    ] {
        for bytes in [answer(&body), body.into_bytes()] {
            let server = Server::saying(bytes);
            let error = server.pebble(LONG).services(&[]).unwrap_err();
            assert!(matches!(error, PebbleError::Garbage { .. }), "{error:?}");
            assert!(!shown(&error).contains(SECRET), "{error}");
        }
    }
}
