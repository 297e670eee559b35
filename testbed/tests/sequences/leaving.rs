//! Scale down, removal of a relation and of an application.

use testbed::juju::model::Life;
use testbed::juju::switches::Departures;
use testbed::juju::switches::Switches;
use testbed::wait::until;

use crate::stage::LIMIT;
use crate::stage::Stage;

#[test]
fn leavers_tear_down_side_by_side_and_survivors_hear_of_it_meanwhile() {
    let stage = Stage::deployed(3);
    stage.let_do("a/2", "stop", "while [ ! -e go ]; do sleep 0.05; done");
    stage.controller.scale("a", 1).expect("it scales");
    // Both are told, while one of them is still at its last hooks.
    stage.wait_for("a/0", "peers-relation-departed a/1 leaving a/1", 1);
    stage.wait_for("a/0", "peers-relation-departed a/2 leaving a/2", 1);
    stage.wait_for("a/2", "stop", 1);
    let dead =
        until("a/1 to be dead", LIMIT, || (stage.life("a/1") == Some(Life::Dead)).then_some(()));
    dead.expect("a/1 has nothing to wait for");
    assert_eq!(stage.cluster.replicas_asked("a"), [3], "all pods stay for the last leaver");
    stage.put("go");
    stage.wait_for_removal("a/1");
    stage.wait_for_removal("a/2");
    // Kubernetes is asked just after the units' records have gone.
    let asked = || (stage.cluster.replicas_asked("a").len() > 1).then_some(());
    until("the pods to go", LIMIT, asked).expect("Kubernetes is asked");
    assert_eq!(stage.cluster.replicas_asked("a"), [3, 1]);
    let last = |unit: &str, others: [&str; 2]| {
        let departed = |other| format!("peers-relation-departed {other} leaving {unit}");
        let storage = format!("data-storage-detaching data/{}", unit.trim_start_matches("a/"));
        let mut all = vec![storage];
        all.extend(others.map(departed));
        all.extend(["stop", "remove"].map(str::to_owned));
        all
    };
    assert_eq!(stage.events("a/1"), last("a/1", ["a/0", "a/2"]));
    assert_eq!(stage.events("a/2"), last("a/2", ["a/0", "a/1"]));
    let survivor =
        ["peers-relation-departed a/1 leaving a/1", "peers-relation-departed a/2 leaving a/2"];
    let mut heard = stage.events("a/0");
    heard.retain(|event| event != "leader-elected" && event != "leader-settings-changed");
    heard.sort();
    assert_eq!(heard, survivor);
}

#[test]
fn juju_4_tells_survivors_late_or_not_before_their_agent_restarts() {
    let departed = "peers-relation-departed a/1 leaving a/1";
    let list = "relation-list -r peers:0 --format=json";
    for departures in [Departures::Late, Departures::Lost] {
        let stage = Stage::deployed_as(Switches { departures, ..Switches::JUJU_4 }, 2);
        stage.controller.scale("a", 1).expect("it scales");
        stage.wait_for("a/1", "stop", 1);
        assert!(!stage.events("a/0").contains(&departed.to_owned()), "too early");
        stage.wait_for_removal("a/1");
        if departures == Departures::Lost {
            stage.wait_for_idle("a/0");
            assert_eq!(stage.exec("a/0", list), "[\"a/1\"]", "a ghost");
            assert!(!stage.events("a/0").contains(&departed.to_owned()), "lost");
            stage.controller.restart_agent("a/0");
        }
        stage.wait_for("a/0", departed, 1);
        assert_eq!(stage.exec("a/0", list), "[]");
    }
}

#[test]
fn a_leaver_whose_agent_has_restarted_breaks_its_peer_relation_too() {
    for (forgets, expected) in [(true, 1), (false, 0)] {
        let switches = Switches { peer_broken_after_restart: forgets, ..Switches::JUJU_3 };
        let stage = Stage::deployed_as(switches, 2);
        stage.controller.restart_agent("a/1");
        stage.wait_for("a/1", "web-pebble-ready", 1);
        stage.controller.scale("a", 1).expect("it scales");
        stage.wait_for_removal("a/1");
        let events = stage.events("a/1");
        let broken = "peers-relation-broken app=".to_owned();
        let count = events.iter().filter(|event| **event == broken).count();
        assert_eq!(count, expected, "{events:?}");
        if forgets {
            let at = |name: &str| events.iter().position(|event| event.starts_with(name));
            assert!(at("peers-relation-departed") < at(&broken), "{events:?}");
            assert!(at(&broken) < at("stop"), "{events:?}");
        }
    }
}

#[test]
fn a_relation_comes_and_goes_on_both_sides() {
    let stage = Stage::deployed(1);
    stage.deploy("b", 1);
    stage.settle("b", 1);
    let id = stage.controller.integrate(("a", "site"), ("b", "backend")).expect("they fit");
    let sides = [("a/0", "site", "b"), ("b/0", "backend", "a")];
    for (unit, endpoint, other) in sides {
        let [created, joined, changed] = [
            format!("{endpoint}-relation-created app={other}"),
            format!("{endpoint}-relation-joined {other}/0"),
            format!("{endpoint}-relation-changed {other}/0"),
        ];
        stage.expect(unit, &[&created, &joined, &changed]);
    }
    stage.forget(&["a/0", "b/0"]);
    stage.controller.remove_relation(id).expect("it is there");
    for (unit, endpoint, other) in sides {
        let departed = format!("{endpoint}-relation-departed {other}/0 leaving {other}/0");
        stage.expect(unit, &[&departed, &format!("{endpoint}-relation-broken app={other}")]);
    }
    let gone = || stage.controller.read(|model| model.relation(id).is_none()).then_some(());
    until("the relation to be gone", LIMIT, gone).expect("both sides have left");
}

#[test]
fn an_application_is_removed_with_all_its_units_at_once() {
    let stage = Stage::deployed(2);
    stage.controller.remove_application("a").expect("it is there");
    let gone = || stage.controller.read(|model| model.applications.is_empty()).then_some(());
    until("the application to be gone", LIMIT, gone).expect("its units have torn down");
    for (unit, other) in [("a/0", "a/1"), ("a/1", "a/0")] {
        let events = stage.events(unit);
        let departed = format!("peers-relation-departed {other} leaving {unit}");
        let storage = if unit == "a/0" { "data/0" } else { "data/1" };
        let detaching = format!("data-storage-detaching {storage}");
        assert_eq!(events, [&detaching, &departed, "stop", "remove"], "{unit}");
    }
}

#[test]
fn a_leaver_with_a_failed_hook_stays_until_that_is_resolved() {
    let stage = Stage::deployed(2);
    stage.let_do("a/1", "stop", "exit 1");
    stage.controller.scale("a", 1).expect("it scales");
    stage.wait_for_agent("a/1", "error");
    assert_eq!(stage.cluster.replicas_asked("a"), [2]);
    stage.let_be("a/1", "stop");
    stage.wait_for_removal("a/1");
    assert_eq!(stage.events("a/1").last().map(String::as_str), Some("remove"));
}

#[test]
fn an_earlier_units_storage_is_there_again_after_a_scale_up() {
    let stage = Stage::deployed(2);
    stage.controller.scale("a", 1).expect("it scales");
    stage.wait_for_removal("a/1");
    stage.forget(&["a/0", "a/1"]);
    stage.controller.scale("a", 2).expect("it scales");
    stage.wait_for("a/1", "data-storage-attached data/1", 1);
    assert_eq!(stage.events("a/1")[0], "install");
}

#[test]
fn the_other_side_of_a_relation_is_told_that_an_application_goes() {
    let stage = Stage::deployed(1);
    stage.deploy("b", 1);
    stage.settle("b", 1);
    stage.controller.integrate(("a", "site"), ("b", "backend")).expect("they fit");
    stage.wait_for("b/0", "backend-relation-changed a/0", 1);
    stage.wait_for("a/0", "site-relation-changed b/0", 1);
    stage.wait_for_idle("b/0");
    stage.forget(&["b/0"]);
    stage.controller.remove_application("a").expect("it is there");
    stage.expect(
        "b/0",
        &["backend-relation-departed a/0 leaving a/0", "backend-relation-broken app=a"],
    );
    let gone = || (!stage.controller.is_deployed("a")).then_some(());
    until("the application to be gone", LIMIT, gone).expect("nothing keeps it");
}

#[test]
fn a_leaver_whose_pod_ends_meanwhile_goes_on_in_the_next_one() {
    let stage = Stage::deployed(2);
    stage.let_do("a/1", "stop", "[ -e died ] || { : > died; exec sleep 600; }");
    stage.controller.scale("a", 1).expect("it scales");
    stage.wait_for("a/1", "stop", 1);
    stage.cluster.delete_pod("a/1");
    stage.wait_for_removal("a/1");
    let events = stage.events("a/1");
    let last = events.iter().map(String::as_str).skip_while(|it| *it != "stop");
    // Whether the new agent looks at Pebble before it is through is chance.
    let last: Vec<&str> = last.filter(|it| *it != "web-pebble-ready").collect();
    // The hook that was killed runs again; then the new agent tells that it has started, and no
    // longer knows which relation is a peer relation.
    let expected = ["stop", "stop", "start", "peers-relation-broken app=", "stop", "remove"];
    assert_eq!(last, expected, "{events:?}");
}

#[test]
fn units_that_are_wanted_again_while_they_go_come_back_as_new_ones() {
    let stage = Stage::deployed(2);
    stage.let_do("a/1", "stop", "while [ ! -e go ]; do sleep 0.05; done");
    stage.controller.scale("a", 1).expect("it scales");
    stage.wait_for("a/1", "stop", 1);
    stage.controller.scale("a", 2).expect("it scales");
    stage.put("go");
    stage.wait_for("a/1", "install", 1);
    stage.wait_for("a/1", "web-pebble-ready", 1);
    assert_eq!(stage.cluster.replicas_asked("a"), [2, 1, 2]);
}

#[test]
fn juju_4_takes_a_unit_that_nothing_holds_for_dead_in_the_middle_of_its_last_hooks() {
    let stage = Stage::deployed_as(Switches::JUJU_4, 2);
    stage.controller.restart_agent("a/1");
    stage.wait_for("a/1", "web-pebble-ready", 1);
    stage.let_do("a/1", "stop", "while [ ! -e go ]; do sleep 0.05; done");
    stage.controller.scale("a", 1).expect("it scales");
    let dead = || (stage.life("a/1") != Some(Life::Dying)).then_some(());
    stage.wait_for("a/1", "stop", 1);
    until("a/1 to be dead", LIMIT, dead).expect("it is in no relation and has no storage");
    stage.put("go");
    stage.wait_for_removal("a/1");
    assert_eq!(stage.events("a/1").last().map(String::as_str), Some("stop"), "remove is missed");
}

#[test]
fn a_unit_of_an_earlier_ones_name_begins_with_an_empty_databag() {
    let stage = Stage::deployed(2);
    stage.exec("a/1", "relation-set -r peers:0 old=yes");
    stage.controller.scale("a", 1).expect("it scales");
    stage.wait_for("a/1", "remove", 1);
    stage.controller.scale("a", 2).expect("it scales");
    stage.wait_for("a/1", "web-pebble-ready", 1);
    let bag = stage.exec("a/0", "relation-get -r peers:0 - a/1");
    assert!(!bag.contains("old") && bag.contains("ingress-address"), "{bag}");
}

#[test]
fn two_applications_are_related_once_at_the_same_ends() {
    let stage = Stage::deployed(1);
    stage.deploy("b", 1);
    let relate = || stage.controller.integrate(("a", "site"), ("b", "backend"));
    relate().expect("nothing is in the way");
    assert!(relate().is_err());
    stage.controller.integrate(("b", "site"), ("a", "backend")).expect("these are other ends");
}
