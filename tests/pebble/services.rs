//! Layers, the plan, and what is done about services.

use std::fs;

use redis_k8s::clients::pebble::error::PebbleError;
use redis_k8s::clients::pebble::services::Action;
use redis_k8s::clients::pebble::services::Current;
use redis_k8s::clients::pebble::services::Startup;
use serde_json::json;

use crate::container::Container;
use crate::container::LONG;
use crate::server::Server;

#[test]
fn an_empty_plan_has_no_services() {
    let container = Container::start();
    assert_eq!(container.pebble().plan().unwrap(), "{}\n");
    assert_eq!(container.pebble().services(&[]).unwrap(), []);
}

#[test]
fn services_start_stop_and_restart() {
    let container = Container::start();
    let pebble = container.pebble();
    container.add_services(&[("one", "sleep 900"), ("two", "sleep 900")]);
    assert_eq!(container.service("one").current, Current::Inactive);
    assert_eq!(container.service("one").current_since, None);

    pebble.perform(Action::Start(&["one"])).unwrap();
    let started = container.service("one");
    assert_eq!((started.startup, started.current), (Startup::Enabled, Current::Active));
    assert_eq!(container.service("two").current, Current::Inactive);

    pebble.perform(Action::Restart(&["one"])).unwrap();
    assert_ne!(container.service("one").current_since, started.current_since);

    pebble.perform(Action::Stop(&["one", "two"])).unwrap();
    assert_eq!(container.service("one").current, Current::Inactive);
    let names: Vec<_> = pebble.services(&[]).unwrap().into_iter().map(|s| s.name).collect();
    assert_eq!(names, ["one", "two"]);
}

#[test]
fn a_replan_restarts_what_changed_and_nothing_else() {
    let container = Container::start();
    let pebble = container.pebble();
    container.add_services(&[("same", "sleep 900"), ("changed", "sleep 900")]);
    pebble.perform(Action::Replan).unwrap();
    let since = || ["same", "changed"].map(|name| container.service(name).current_since);
    let first = since();

    pebble.perform(Action::Replan).unwrap();
    assert_eq!(since(), first);

    container.add_services(&[("same", "sleep 900"), ("changed", "sleep 800")]);
    assert_eq!(since(), first);
    pebble.perform(Action::Replan).unwrap();
    let second = since();
    assert_eq!(second[0], first[0]);
    assert_ne!(second[1], first[1]);
}

#[test]
fn a_layer_that_is_added_again_changes_nothing_and_its_lists_do_not_grow() {
    let container = Container::start();
    let pebble = container.pebble();
    // What the entry says about it does not count.
    let layer = json!({"services": {
        "first": {"override": "merge", "command": "sleep 900"},
        "second": {"command": "sleep 900", "after": ["first"]},
    }});
    pebble.add_layer("test", &layer).unwrap();
    let plan = pebble.plan().unwrap();
    pebble.add_layer("test", &layer).unwrap();
    assert_eq!(pebble.plan().unwrap(), plan);
    assert_eq!(plan.matches("- first").count(), 1, "{plan}");
    // Nothing of an older entry is left over.
    pebble.add_layer("test", &json!({"services": {"second": {"command": "true"}}})).unwrap();
    assert_eq!(pebble.plan().unwrap().matches("- first").count(), 0);
}

#[test]
fn a_layer_that_pebble_does_not_take_is_refused_whole() {
    let container = Container::start();
    let pebble = container.pebble();
    let layer = json!({"services": {"good": {"command": "sleep 900"}, "bad": {"comand": "x"}}});
    let error = pebble.add_layer("test", &layer).unwrap_err();
    assert!(matches!(error, PebbleError::Refused { status: 400, .. }), "{error:?}");
    assert!(error.to_string().starts_with("cannot add layer test in container redis: "), "{error}");
    assert!(error.to_string().contains("comand"), "{error}");
    assert_eq!(pebble.plan().unwrap(), "{}\n");
}

#[test]
fn a_service_that_is_not_in_the_plan_is_refused_by_name() {
    let error = Container::start().pebble().perform(Action::Start(&["none"])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot start none in container redis: \
         cannot start services: service \"none\" does not exist"
    );
}

#[test]
fn who_only_asks_does_not_wait_for_the_end_of_the_old_process() {
    let container = Container::start();
    let pebble = container.pebble();
    let go = container.start_stubborn("slow");
    let change = pebble.ask(Action::Restart(&["slow"])).unwrap();
    assert!(!pebble.change(&change).unwrap().ready);
    fs::write(&go, "").unwrap();
    // The new one ends at once.
    pebble.wait(&change).unwrap_err();
}

#[test]
fn words_and_members_that_a_newer_pebble_may_have_are_no_errors() {
    let server = Server::answering(
        r#"{"type":"sync","status-code":299,"status":"Odd","latest-warning":"2030-01-01T00:00:00Z",
            "result":[{"name":"s","startup":"someday","current":"pondering","mood":{"a":[1]}}]}"#,
    );
    let services = server.pebble(LONG).services(&[]).unwrap();
    assert_eq!(services[0].current, Current::Unknown);
    assert_eq!(services[0].startup, Startup::Unknown);
}

#[test]
fn an_older_pebble_that_says_null_for_an_empty_list_has_an_empty_list() {
    for json in [r#"{"type":"sync","result":null}"#, r#"{"type":"sync"}"#] {
        let server = Server::answering(json);
        let pebble = server.pebble(LONG);
        assert_eq!(pebble.services(&[]).unwrap(), []);
        assert_eq!(pebble.checks(&[]).unwrap(), []);
        assert_eq!(pebble.notices(&[], None).unwrap(), []);
    }
    let server = Server::answering(r#"{"type":"sync","result":{"changed":null}}"#);
    assert_eq!(server.pebble(LONG).stop_checks(&["c"]).unwrap(), [""; 0]);
}
