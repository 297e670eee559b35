//! Changes: how they are waited for, and what is told of one that failed.

use std::fs;
use std::io::Write;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis_k8s::clients::pebble::error::PebbleError;
use redis_k8s::clients::pebble::services::Action;
use redis_k8s::clients::pebble::services::Current;
use serde_json::json;

use crate::container::Container;
use crate::container::LONG;
use crate::container::SHORT;
use crate::server::Server;
use crate::server::answer;
use crate::server::answer_with;

#[test]
fn a_service_that_ends_at_once_fails_the_change_and_goes_on_being_tried() {
    let container = Container::start();
    container
        .add_services(&[("bad", "sh -c 'echo no room on disk; exit 3'"), ("good", "sleep 900")]);
    let error = container.pebble().perform(Action::Replan).unwrap_err();
    assert!(matches!(error, PebbleError::ChangeFailed { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "cannot replan in container redis: Start service \"bad\" (service start attempt: exited \
         quickly with code 3, will restart)\nMost recent service output:\n    no room on disk"
    );
    // The failed change says nothing of the other service, nor that this one is given up.
    assert_eq!(container.service("good").current, Current::Active);
    container.until("the service that ends is tried again", || {
        let current = container.service("bad").current;
        matches!(current, Current::Backoff | Current::Active).then_some(())
    });
}

#[test]
fn a_program_that_is_not_there_fails_the_change() {
    let container = Container::start();
    container.add_services(&[("absent", "/no/such/program")]);
    let error = container.pebble().perform(Action::Start(&["absent"])).unwrap_err().to_string();
    assert!(error.contains("fork/exec /no/such/program"), "{error}");
    assert_eq!(container.service("absent").current, Current::Inactive);
}

#[test]
fn several_tasks_that_fail_are_all_named() {
    let container = Container::start();
    container.add_services(&[("one", "/no/such/one"), ("two", "/no/such/two")]);
    let error = container.pebble().perform(Action::Replan).unwrap_err().to_string();
    assert!(error.contains("/no/such/one") && error.contains("; "), "{error}");
    assert!(error.contains("/no/such/two"), "{error}");
}

#[test]
fn a_change_that_is_not_over_in_time_goes_on_and_can_be_waited_for_again() {
    let container = Container::start();
    let go = container.start_stubborn("slow");
    let pebble = container.pebble();
    let change = pebble.ask(Action::Stop(&["slow"])).unwrap();
    let error = pebble.at_most(SHORT).wait(&change).unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    fs::write(&go, "").unwrap();
    assert_eq!(pebble.wait(&change).unwrap().status, "Done");
}

#[test]
fn a_hanging_task_ends_the_wait_with_the_budget() {
    let Some(container) = Container::with_faults() else { return };
    container.add_services(&[("s", "sleep 900")]);
    container.fault(json!({"on": "task", "kind": "start", "do": "hang"}));
    let error = container.pebble().at_most(SHORT).perform(Action::Replan).unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[test]
fn a_task_that_pebble_fails_says_why() {
    let Some(container) = Container::with_faults() else { return };
    container.add_services(&[("s", "sleep 900")]);
    container
        .fault(json!({"on": "task", "kind": "start", "do": "fail", "message": "disk on fire"}));
    assert_eq!(
        container.pebble().perform(Action::Start(&["s"])).unwrap_err().to_string(),
        "cannot start s in container redis: Start service \"s\" (disk on fire)"
    );
}

#[test]
fn a_change_that_is_unknown_is_not_found() {
    let container = Container::start();
    container.add_services(&[("s", "sleep 900")]);
    let change = container.pebble().ask(Action::Stop(&["s"])).unwrap();
    let other = Container::start();
    let error = other.pebble().wait(&change).unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
}

#[test]
fn every_wait_is_of_less_than_a_call_may_take_and_never_of_zero() {
    let container = Container::start();
    let (pebble, relay) = container.by_way_of_relay();
    container.add_services(&[("s", "sleep 900")]);
    let change = pebble.ask(Action::Start(&["s"])).unwrap();
    // With next to no time left too.
    for millis in [1, 3, 10, 30] {
        drop(pebble.at_most(Duration::from_millis(millis)).wait(&change));
    }
    pebble.wait(&change).unwrap();
    let waits: Vec<_> =
        relay.requests().into_iter().filter(|line| line.contains("/wait")).collect();
    assert!(!waits.is_empty());
    for wait in waits {
        let timeout = wait.split_once("?timeout=").unwrap().1.split_once("ms ").unwrap().0;
        assert!((1..5000).contains(&timeout.parse::<u64>().unwrap()), "{wait}");
    }
}

#[test]
fn a_pebble_that_does_not_wait_is_not_asked_in_a_flood() {
    let error = r#"{"type":"error","result":{"message":"timed out waiting for change"}}"#;
    let timed_out = answer_with("504 Gateway Timeout", error);
    let not_ready = answer(
        r#"{"type":"sync","change":"7","result":{"kind":"start","status":"Doing","ready":false}}"#,
    );
    let begun = answer(r#"{"type":"async","change":"7","result":null}"#);
    for waited in [timed_out, not_ready] {
        let begun = begun.clone();
        let server = Server::that(move |request, client| {
            let begins = request.starts_with("POST ");
            client.write_all(if begins { &begun } else { &waited })
        });
        let error = server.pebble(SHORT).perform(Action::Replan).unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        // 300 ms in pauses of 20 ms, and the last slices.
        assert!(server.requests().len() < 40, "{:?}", server.requests());
    }
}

#[test]
fn a_wait_goes_on_when_a_slice_of_it_is_over() {
    let slices = AtomicUsize::new(0);
    let server = Server::that(move |request, client| {
        let timed_out = r#"{"type":"error","result":{"message":"timed out"}}"#;
        let done = r#"{"type":"sync","result":{"kind":"stop","status":"Done","ready":true}}"#;
        client.write_all(&if request.starts_with("POST ") {
            answer(r#"{"type":"async","change":"7"}"#)
        } else if slices.fetch_add(1, Ordering::Relaxed) < 3 {
            answer_with("504 Gateway Timeout", timed_out)
        } else {
            answer(done)
        })
    });
    server.pebble(LONG).perform(Action::Stop(&["s"])).unwrap();
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn a_wait_that_is_answered_with_an_error_of_the_change_is_a_failure_though_its_status_is_200() {
    let server = Server::that(|request, client| {
        let json = if request.starts_with("POST ") {
            r#"{"type":"async","status-code":202,"change":"7","result":null}"#
        } else {
            r#"{"type":"sync","status-code":200,"result":{"id":"7","kind":"stop","summary":"Stop",
               "status":"Error","ready":true,"err":"cannot perform the following tasks:\n- Stop (no)"}}"#
        };
        client.write_all(&answer(json))
    });
    let error = server.pebble(LONG).perform(Action::Stop(&["s"])).unwrap_err();
    assert_eq!(error.to_string(), "cannot stop s in container redis: Stop (no)");
}

#[test]
fn a_change_that_ended_otherwise_than_done_is_a_failure_even_without_an_error() {
    let server = Server::that(|request, client| {
        let json = if request.starts_with("POST ") {
            r#"{"type":"async","change":"7"}"#
        } else {
            r#"{"type":"sync","result":{"kind":"stop","status":"Hold","ready":true}}"#
        };
        client.write_all(&answer(json))
    });
    let error = server.pebble(LONG).perform(Action::Stop(&["s"])).unwrap_err();
    assert_eq!(error.to_string(), "cannot stop s in container redis: it ended in status Hold");
}
