//! First deploy and scale up.

use testbed::juju::switches::PebbleReady;
use testbed::juju::switches::StorageAttached;
use testbed::juju::switches::Switches;

use crate::stage::SPEED;
use crate::stage::Stage;

const FIRST: [&str; 4] = ["install", "peers-relation-created app=a", "config-changed", "start"];

#[test]
fn a_first_deploy_of_one_unit_in_the_order_that_each_switch_gives() {
    let attached = "data-storage-attached data/0";
    let rows: [(f64, Switches, &[&str]); 3] = [
        (
            // Slow: Pebble is looked at when all else is through, on a busy machine too.
            1.0,
            Switches { pebble_ready: PebbleReady::AfterStart, ..Switches::JUJU_3 },
            &["install", FIRST[1], "leader-elected", "config-changed", "start", attached, READY],
        ),
        (
            SPEED,
            Switches { storage_attached: StorageAttached::BeforeConfigChanged, ..Switches::JUJU_4 },
            &["install", FIRST[1], "leader-elected", attached, "config-changed", "start", READY],
        ),
        (
            SPEED,
            Switches { pebble_ready: PebbleReady::BeforeConfigChanged, ..Switches::JUJU_3 },
            &["install", FIRST[1], "leader-elected", READY, "config-changed", "start", attached],
        ),
    ];
    for (speed, switches, expected) in rows {
        let stage = Stage::at_speed(switches, speed);
        stage.deploy("a", 1);
        stage.expect("a/0", expected);
    }
}

#[test]
fn three_units_come_up_side_by_side_and_meet_each_other() {
    let stage = Stage::new(Switches::JUJU_4);
    stage.deploy("a", 3);
    let units = ["a/0", "a/1", "a/2"];
    for unit in units {
        stage.wait_for(unit, READY, 1);
        for other in units.iter().filter(|other| **other != unit) {
            stage.wait_for(unit, &format!("peers-relation-changed {other}"), 1);
        }
        stage.wait_for_idle(unit);
    }
    let leader = stage.leader();
    for unit in units {
        let events = stage.events(unit);
        let first: Vec<&str> =
            events.iter().map(String::as_str).take_while(|it| *it != "start").collect();
        let led: &[&str] = if leader == unit { &["leader-elected"] } else { &[] };
        let expected = [&FIRST[..2], led, &FIRST[2..3]].concat();
        assert_eq!(first, expected, "{unit}");
        assert_all_met(&events);
    }
}

#[test]
fn minions_hear_of_leader_settings_before_juju_4() {
    for (switches, expected) in [(Switches::JUJU_3, 1), (Switches::JUJU_4, 0)] {
        let stage = Stage::new(switches);
        stage.deploy("a", 2);
        stage.wait_for("a/0", READY, 1);
        stage.wait_for("a/1", READY, 1);
        let minion = if stage.leader() == "a/0" { "a/1" } else { "a/0" };
        let events = stage.events(minion);
        let heard = events.iter().filter(|it| *it == "leader-settings-changed").count();
        assert_eq!(heard, expected, "{events:?}");
    }
}

#[test]
fn a_new_unit_joins_and_changes_at_once_on_those_that_are_there() {
    let stage = Stage::deployed(2);
    stage.controller.scale("a", 4).expect("it scales");
    let joins = ["peers-relation-joined a/2", "peers-relation-changed a/2"];
    let further = ["peers-relation-joined a/3", "peers-relation-changed a/3"];
    for unit in ["a/0", "a/1"] {
        stage.wait_for(unit, joins[1], 1);
        stage.wait_for(unit, further[1], 1);
        stage.wait_for_idle(unit);
        let events = stage.events(unit);
        let orders = [[joins, further].concat(), [further, joins].concat()];
        assert!(orders.iter().any(|order| events == *order), "{unit}: {events:?}");
    }
    for unit in ["a/2", "a/3"] {
        stage.wait_for(unit, READY, 1);
        for other in ["a/0", "a/1", "a/2", "a/3"].iter().filter(|other| **other != unit) {
            stage.wait_for(unit, &format!("peers-relation-changed {other}"), 1);
        }
        let events = stage.events(unit);
        assert_eq!(events[0], "install");
        assert!(!events.contains(&"leader-elected".to_owned()), "{events:?}");
        assert_all_met(&events);
    }
}

/// Each `-joined` is followed by the `-changed` of the same unit, and each comes once.
fn assert_all_met(events: &[String]) {
    for (index, event) in events.iter().enumerate() {
        assert!(!event.starts_with("overlaps"), "{events:?}");
        if let Some(unit) = event.strip_prefix("peers-relation-joined ") {
            let changed = format!("peers-relation-changed {unit}");
            assert_eq!(events.get(index + 1), Some(&changed), "{events:?}");
            assert_eq!(events.iter().filter(|it| *it == event).count(), 1, "{events:?}");
        }
    }
}

const READY: &str = "web-pebble-ready";
