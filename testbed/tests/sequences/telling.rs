//! What units are told of databags, configuration, notices, checks and time.

use std::time::Duration;
use std::time::Instant;

use serde_json::json;

use testbed::juju::clock::Clock;
use testbed::juju::clock::UPDATE_STATUS;
use testbed::juju::faults::NoticeFault;
use testbed::juju::switches::Switches;
use testbed::pebble::client::http::Client;
use testbed::wait::until;

use crate::stage::Stage;

#[test]
fn a_databag_is_told_to_the_others_and_an_applications_to_its_writer_too() {
    let stage = Stage::deployed(2);
    let leader = stage.leader();
    let other = if leader == "a/0" { "a/1" } else { "a/0" };
    stage.exec(&leader, "relation-set -r peers:0 k=1");
    stage.expect(other, &[&format!("peers-relation-changed {leader}")]);
    stage.expect(&leader, &[]);
    stage.forget(&["a/0", "a/1"]);
    stage.exec(&leader, "relation-set -r peers:0 --app k=1");
    stage.expect(other, &["peers-relation-changed app=a"]);
    stage.expect(&leader, &["peers-relation-changed app=a"]);
    stage.forget(&["a/0", "a/1"]);
    stage.exec(&leader, "relation-set -r peers:0 --app k=1; relation-set -r peers:0 k=1");
    stage.expect(other, &[]);
}

#[test]
fn what_a_member_has_written_is_seen_when_its_event_has_come() {
    let stage = Stage::deployed(2);
    stage.let_do("a/0", "config-changed", "while [ ! -e go ]; do sleep 0.05; done");
    stage.controller.config_set("a", &[("color", Some("blue"))]).expect("the option is there");
    stage.wait_for("a/0", "config-changed", 1);
    stage.wait_for("a/1", "config-changed", 1);
    let script = "relation-get -r peers:0 k a/1 >> seen";
    stage.let_do("a/0", "peers-relation-changed", script);
    for value in [1, 2] {
        stage.exec("a/1", &format!("relation-set -r peers:0 k={value}"));
    }
    stage.put("go");
    // Both changes are told at once.
    stage.expect("a/0", &["config-changed", "peers-relation-changed a/1"]);
    assert_eq!(stage.note("seen"), "2\n");
}

#[test]
fn juju_4_does_not_see_a_change_that_is_undone_meanwhile() {
    for (switches, expected) in [(Switches::JUJU_3, 1), (Switches::JUJU_4, 0)] {
        let stage = Stage::deployed_as(switches, 2);
        stage.let_do("a/0", "config-changed", "while [ ! -e go ]; do sleep 0.05; done");
        stage.controller.config_set("a", &[("color", Some("blue"))]).expect("it is there");
        stage.wait_for("a/0", "config-changed", 1);
        stage.exec("a/1", "relation-set -r peers:0 k=1");
        stage.exec("a/1", "relation-set -r peers:0 k=");
        stage.put("go");
        stage.wait_for_idle("a/0");
        let events = stage.events("a/0");
        let told = events.iter().filter(|it| *it == "peers-relation-changed a/1").count();
        assert_eq!(told, expected, "{events:?}");
    }
}

#[test]
fn options_and_trust_make_config_changed_and_the_same_value_does_not() {
    let stage = Stage::deployed(1);
    let set = |color| stage.controller.config_set("a", &[("color", color)]).expect("it is there");
    set(Some("blue"));
    stage.expect("a/0", &["config-changed"]);
    set(Some("blue"));
    stage.controller.trust("a", true).expect("it is there");
    stage.expect("a/0", &["config-changed", "config-changed"]);
    set(None);
    stage.expect("a/0", &["config-changed", "config-changed", "config-changed"]);
    assert!(stage.controller.config_set("a", &[("colour", Some("blue"))]).is_err());
}

#[test]
fn notices_come_one_by_one_and_can_be_lost_doubled_or_late() {
    let stage = Stage::deployed(1);
    let event = |id: u32, key: &str| format!("web-pebble-custom-notice {id} example.com/{key}");
    stage.notify("a/0", "example.com/one");
    stage.wait_for("a/0", &event(1, "one"), 1);
    stage.controller.disturb_notice("a/0", "web", NoticeFault::Drop);
    stage.notify("a/0", "example.com/two");
    stage.wait_for_undisturbed("a/0", "web");
    stage.controller.disturb_notice("a/0", "web", NoticeFault::Repeat);
    stage.notify("a/0", "example.com/three");
    stage.wait_for("a/0", &event(3, "three"), 2);
    stage.controller.disturb_notice("a/0", "web", NoticeFault::Delay(Duration::from_millis(300)));
    let told = Instant::now();
    stage.notify("a/0", "example.com/one");
    stage.wait_for("a/0", &event(1, "one"), 2);
    assert!(told.elapsed() >= Duration::from_millis(300), "it is held back");
    let expected = [event(1, "one"), event(3, "three"), event(3, "three"), event(1, "one")];
    stage.expect("a/0", &expected.each_ref().map(String::as_str));
}

#[test]
fn a_check_that_fails_and_recovers_is_told_and_after_a_restart_told_again() {
    let stage = Stage::deployed(1);
    let file = stage.path("healthy");
    stage.put("healthy");
    let layer = format!(
        "checks: {{up: {{override: replace, period: 100ms, threshold: 2, exec: {{command: \
         ls {}}}}}}}",
        file.display()
    );
    let body =
        json!({"action": "add", "combine": true, "label": "l", "format": "yaml", "layer": layer});
    stage.ask("a/0", |client: &Client| client.post("/v1/layers", &body));
    std::fs::remove_file(&file).expect("the file is ours");
    let [failed, recovered] = ["web-pebble-check-failed up", "web-pebble-check-recovered up"];
    stage.wait_for("a/0", failed, 1);
    stage.put("healthy");
    stage.wait_for("a/0", recovered, 1);
    stage.wait_for_idle("a/0");
    assert_eq!(stage.events("a/0"), [failed, recovered]);
    stage.forget(&["a/0"]);
    stage.controller.restart_agent("a/0");
    stage.wait_for("a/0", "web-pebble-ready", 1);
    stage.wait_for("a/0", recovered, 1);
    let mut events = stage.events("a/0");
    events.retain(|event| event != "web-pebble-ready");
    assert_eq!(events, ["start", failed, recovered]);
}

#[test]
fn a_unit_with_nothing_to_do_is_told_to_update_its_status() {
    let stage = Stage::at_speed(Switches::JUJU_4, 100.0);
    stage.deploy("a", 1);
    stage.wait_for("a/0", "update-status", 2);
    let events = stage.events("a/0");
    let at = |name: &str| events.iter().position(|event| event == name);
    assert!(at("start") < at("update-status"), "{events:?}");
}

#[test]
fn a_tick_during_a_hook_is_lost() {
    let speed = 150.0;
    let stage = Stage::at_speed(Switches::JUJU_4, speed);
    stage.deploy("a", 1);
    stage.wait_for("a/0", "update-status", 1);
    stage.let_do("a/0", "config-changed", "while [ ! -e go ]; do sleep 0.05; done");
    let set = [("color", Some("blue"))];
    stage.controller.config_set("a", &set).expect("it is there");
    stage.wait_for("a/0", "config-changed", 2);
    let period = Clock::at_speed(speed).period(UPDATE_STATUS).mul_f64(1.3);
    let _ = until("the time of a tick", period, || None::<()>);
    stage.forget(&["a/0"]);
    stage.put("go");
    stage.wait_for_idle("a/0");
    let told = || stage.events("a/0").contains(&"update-status".to_owned()).then_some(());
    let late = until("a late tick", Duration::from_millis(300), told);
    assert!(late.is_err(), "{:?}", stage.events("a/0"));
}

#[test]
fn secrets_are_told_to_who_has_read_them_and_to_their_owner() {
    let stage = Stage::deployed_as(Switches::JUJU_4, 2);
    let leader = stage.leader();
    let minion = if leader == "a/0" { "a/1" } else { "a/0" };
    let uri = stage.exec(&leader, "uri=$(secret-add --label=mine word=one); echo $uri");
    let get = "secret-get --label=mine";
    assert_eq!(stage.exec(minion, get), "word: one");
    stage.exec(&leader, &format!("secret-set {uri} word=two"));
    stage.expect(minion, &["secret-changed mine "]);
    assert_eq!(stage.exec(minion, get), "word: one", "it tracks what it has read");
    stage.expect(&leader, &[]);
    assert_eq!(stage.exec(minion, "secret-get --label=mine --refresh"), "word: two");
    stage.expect(&leader, &["secret-remove mine 1"]);
    stage.exec(&leader, &format!("secret-set {uri} --expire 1s"));
    stage.expect(&leader, &["secret-remove mine 1", "secret-expired mine 2"]);
    stage.expect(minion, &["secret-changed mine "]);
}
