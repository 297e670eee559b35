//! Whether there is a Pebble at all, and how a call ends when it goes away or says nothing.

use std::env;
use std::io;
use std::io::ErrorKind;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use redis_k8s::clients::pebble::error::PebbleError;
use redis_k8s::clients::pebble::files::NewFile;
use redis_k8s::clients::pebble::files::Owner;
use redis_k8s::clients::pebble::services::Action;
use serde_json::json;
use signal_hook::consts::SIGTERM;
use signal_hook::low_level::raise;

use crate::container::Container;
use crate::container::FOR_EVER;
use crate::container::LONG;
use crate::container::SHORT;
use crate::container::ends;
use crate::container::folder;
use crate::container::in_a_process_of_its_own;
use crate::container::pebble;
use crate::server::Server;
use crate::server::answer_with;

fn assert_not_connected(error: PebbleError, kinds: &[ErrorKind]) {
    let told = error.to_string();
    let PebbleError::NotConnected { call, source } = error else { panic!("{error:?}") };
    assert!(kinds.contains(&source.kind()), "{source:?}");
    assert_eq!(call.container, "redis");
    assert!(told.starts_with(&format!("cannot {} in container redis: ", call.operation)), "{told}");
}

#[test]
fn a_pebble_tells_which_it_is() {
    let info = Container::start().pebble().system_info().unwrap();
    assert!(info.version.starts_with("v1."), "{info:?}");
    assert!(!info.boot_id.is_empty(), "{info:?}");
}

#[test]
fn no_socket_and_a_socket_without_a_pebble_are_both_not_connected() {
    let mut container = Container::start();
    container.daemon.kill().unwrap();
    assert_not_connected(
        container.pebble().system_info().unwrap_err(),
        &[ErrorKind::ConnectionRefused],
    );
    container.daemon.start_again().unwrap();
    container.daemon.stop().unwrap();
    assert_not_connected(container.pebble().system_info().unwrap_err(), &[ErrorKind::NotFound]);
}

#[test]
fn a_pebble_that_comes_back_is_reached_by_the_same_client() {
    let mut container = Container::start();
    let pebble = container.pebble();
    pebble.system_info().unwrap();
    container.daemon.stop().unwrap();
    pebble.system_info().unwrap_err();
    container.daemon.start_again().unwrap();
    pebble.system_info().unwrap();
}

#[test]
fn a_path_that_is_too_long_for_a_socket_is_an_error_of_its_own() {
    let folder = folder();
    let socket = folder.path().join("s".repeat(108));
    let error = pebble(&socket, LONG).system_info().unwrap_err();
    assert!(matches!(error, PebbleError::BadSocketPath { .. }), "{error:?}");
}

#[test]
fn an_answer_that_is_cut_short_is_not_connected_and_is_not_asked_for_again() {
    let Some(container) = Container::with_faults() else { return };
    let (pebble, relay) = container.by_way_of_relay();
    let parts_of_an_answer = [0, 10, 60, 200];
    for bytes in parts_of_an_answer {
        container.fault(
            json!({"on": "request", "path": "/v1/system-info", "do": "cut", "bytes": bytes}),
        );
        let error = pebble.system_info().unwrap_err();
        assert_not_connected(error, &[ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset]);
    }
    assert_eq!(relay.requests().len(), parts_of_an_answer.len());
}

#[test]
fn a_pebble_that_dies_in_mid_answer_is_not_connected() {
    let Some(container) = Container::with_faults() else { return };
    container
        .fault(json!({"on": "request", "path": "/v1/system-info", "do": "leave", "bytes": 20}));
    let error = container.pebble().system_info().unwrap_err();
    assert_not_connected(error, &[ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset]);
}

#[test]
fn a_pebble_that_hangs_ends_the_call_with_the_budget() {
    let Some(container) = Container::with_faults() else { return };
    container.fault(json!({"on": "request", "path": "/v1/services", "do": "hang"}));
    let error = container.pebble().at_most(SHORT).services(&[]).unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(
        error.to_string(),
        "cannot list services in container redis: its Pebble gave no answer in time"
    );
    container.pebble().services(&[]).unwrap();
}

#[test]
fn a_slow_answer_is_an_answer() {
    let Some(container) = Container::with_faults() else { return };
    container
        .fault(json!({"on": "request", "path": "/v1/system-info", "do": "delay", "millis": 400}));
    container.pebble().system_info().unwrap();
}

#[test]
fn nothing_is_sent_when_the_budget_is_spent() {
    let server = Server::answering("{}");
    let pebble = server.pebble(SHORT);
    let spent = pebble.at_most(Duration::ZERO);
    assert!(spent.system_info().unwrap_err().is_timeout());
    assert!(spent.perform(Action::Replan).unwrap_err().is_timeout());
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn a_pebble_that_takes_no_connection_ends_the_call_with_the_budget() {
    let folder = folder();
    let socket = folder.path().join("socket");
    // Never accepted; connects until the queue is full block from then on.
    let _listener = UnixListener::bind(&socket).unwrap();
    let (sender, connected) = mpsc::channel();
    let full = socket.clone();
    thread::spawn(move || {
        while let Ok(stream) = UnixStream::connect(&full) {
            if sender.send(stream).is_err() {
                return;
            }
        }
    });
    let held: Vec<_> = std::iter::from_fn(|| connected.recv_timeout(LONG / 60).ok()).collect();
    assert!(!held.is_empty());
    assert!(pebble(&socket, SHORT).system_info().unwrap_err().is_timeout());
}

#[test]
fn calls_share_one_connection() {
    let container = Container::start();
    let (pebble, relay) = container.by_way_of_relay();
    pebble.system_info().unwrap();
    pebble.plan().unwrap();
    pebble.add_layer("test", &json!({"services": {}})).unwrap();
    pebble.perform(Action::Replan).unwrap();
    assert!(pebble.read_file("/no/such/file").unwrap_err().is_not_found());
    pebble.services(&[]).unwrap();
    assert_eq!(relay.connections(), 1);
}

#[test]
fn variables_for_a_proxy_change_nothing() {
    let test = "reaching::variables_for_a_proxy_change_nothing";
    // Nobody listens at port 1.
    if in_a_process_of_its_own(test, ("HTTP_PROXY", "http://127.0.0.1:1")) {
        assert!(env::var_os("HTTP_PROXY").is_some());
        let container = Container::start();
        let (pebble, relay) = container.by_way_of_relay();
        pebble.system_info().unwrap();
        assert_eq!(relay.requests(), ["GET /v1/system-info HTTP/1.1"]);
    }
}

#[test]
fn a_sigterm_ends_a_call_whichever_thread_it_interrupts() {
    let test = "reaching::a_sigterm_ends_a_call_whichever_thread_it_interrupts";
    if in_a_process_of_its_own(test, ("SIGNALS", "1")) {
        let server = Server::that(move |_, client| {
            raise(SIGTERM)?;
            // Holds the connection until the client hangs up.
            io::copy(client, &mut io::sink()).map(drop)
        });
        let pebble = server.pebble(FOR_EVER);
        let error = ends(move || pebble.remove_files(&["/f"])).unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
    }
}

#[test]
fn a_refusal_by_status_says_what_pebble_said() {
    let Some(container) = Container::with_faults() else { return };
    container.fault(json!({"on": "request", "do": "refuse", "status": 503, "message": "not now"}));
    let error = container.pebble().plan().unwrap_err();
    assert!(matches!(error, PebbleError::Refused { status: 503, .. }), "{error:?}");
    assert_eq!(error.to_string(), "cannot read the plan in container redis: not now");
}

#[test]
fn a_refusal_is_heard_though_pebble_does_not_wait_for_the_end_of_the_request() {
    let refusal =
        r#"{"type":"error","result":{"message":"access denied","kind":"login-required"}}"#;
    let server = Server::saying(answer_with("401 Unauthorized", refusal));
    let owner = Owner { user: "root", group: "root" };
    let content = vec![b'x'; 5_000_000];
    let file = NewFile { path: "/f", content: &content, mode: 0o600, owner };
    let error = server.pebble(LONG).write_files(&[file]).unwrap_err();
    assert_eq!(error.to_string(), "cannot write /f in container redis: access denied");
}
