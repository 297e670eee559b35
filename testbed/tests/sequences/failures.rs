//! Hooks that fail or die, what an operator does about them, and actions.

use std::time::Duration;
use std::time::Instant;

use serde_json::Map;
use serde_json::json;

use testbed::juju::clock::AGENT_RESTART;
use testbed::juju::faults::HookFault;
use testbed::juju::hook::Fault;
use testbed::juju::hook::FaultKind;
use testbed::juju::requests::Resolved;
use testbed::juju::switches::Switches;
use testbed::wait::until;

use crate::stage::LIMIT;
use crate::stage::Stage;

/// Changes an option, so that `config-changed` is due.
fn change_config(stage: &Stage, color: &str) {
    stage.controller.config_set("a", &[("color", Some(color))]).expect("the option is there");
}

fn agent_message(stage: &Stage, unit: &str) -> String {
    let message = |unit: &str| {
        stage.controller.read(|model| Some(model.unit(unit)?.agent_status.clone()?.message))
    };
    message(unit).unwrap_or_default()
}

#[test]
fn a_failed_hook_is_tried_again_by_itself_and_nothing_else_runs_meanwhile() {
    let stage = Stage::deployed(2);
    stage.let_do("a/0", "config-changed", "[ -e fixed ] || exit 1");
    change_config(&stage, "blue");
    stage.wait_for_agent("a/0", "error");
    assert_eq!(agent_message(&stage, "a/0"), "hook failed: \"config-changed\"");
    stage.exec("a/1", "relation-set -r peers:0 news=1");
    stage.wait_for("a/0", "config-changed", 3);
    stage.put("fixed");
    stage.wait_for("a/0", "peers-relation-changed a/1", 1);
    let mut events = stage.events("a/0");
    events.dedup();
    assert_eq!(events, ["config-changed", "peers-relation-changed a/1"]);
}

#[test]
fn an_operator_has_a_failed_hook_tried_again_or_taken_for_done() {
    let rows: [(Resolved, &[&str]); 2] = [
        (Resolved::Retry, &["config-changed", "config-changed"]),
        (Resolved::Skip, &["config-changed"]),
    ];
    for (how, expected) in rows {
        let switches = Switches { retries: false, ..Switches::JUJU_3 };
        let stage = Stage::deployed_as(switches, 1);
        assert!(stage.controller.resolved("a/0", how).is_err(), "nothing has failed yet");
        stage.let_do("a/0", "config-changed", "exit 1");
        change_config(&stage, "blue");
        stage.wait_for_agent("a/0", "error");
        stage.let_be("a/0", "config-changed");
        stage.controller.resolved("a/0", how).expect("a hook has failed");
        stage.wait_for_idle("a/0");
        assert_eq!(stage.events("a/0"), expected);
    }
}

#[test]
fn a_hook_that_is_killed_runs_again_at_once_and_shows_no_error() {
    let stage = Stage::deployed(1);
    stage.let_do("a/0", "config-changed", "[ -e died ] || { : > died; kill -9 $$; }");
    change_config(&stage, "blue");
    stage.expect("a/0", &["config-changed", "config-changed"]);
    let trace = stage.controller.transcript();
    assert!(!trace.contains("hook failed"), "{trace}");
}

#[test]
fn faults_strike_the_hook_that_they_are_meant_for() {
    let kinds =
        [FaultKind::KillHook, FaultKind::Exit(1, "no".to_owned()), FaultKind::TerminateHook];
    for kind in kinds {
        let stage = Stage::deployed(1);
        stage.let_do("a/0", "config-changed", "is-leader && state-set a=1 || exit 1");
        let fault = Fault { at_call: 2, kind: kind.clone() };
        stage.controller.strike_hook("a/0", "config-changed", HookFault::AtCall(fault));
        change_config(&stage, "blue");
        stage.expect("a/0", &["config-changed", "config-changed"]);
        assert_eq!(stage.exec("a/0", "state-get a"), "1", "{kind:?}");
    }
}

#[test]
fn an_agent_that_dies_after_the_commit_runs_the_hook_again_with_its_changes_in() {
    let stage = Stage::deployed(1);
    stage.let_do("a/0", "config-changed", "state-get > \"state.$(date +%N)\"; state-set a=1");
    stage.let_do("a/0", "config-changed", "state-get >> states; echo >> states; state-set a=1");
    stage.controller.strike_hook("a/0", "config-changed", HookFault::AgentDiesBeforeRecord);
    change_config(&stage, "blue");
    stage.expect("a/0", &["config-changed", "config-changed", "start", "web-pebble-ready"]);
    assert_eq!(stage.note("states").split_whitespace().collect::<Vec<_>>(), ["{}", "a:", "\"1\""]);
}

#[test]
fn leadership_lost_at_the_commit_fails_the_hook_and_its_retry_is_a_minions() {
    let stage = Stage::deployed(2);
    let leader = stage.leader();
    let script = "is-leader >> led; is-leader | grep -q True && relation-set -r peers:0 --app k=$$";
    stage.let_do(&leader, "config-changed", script);
    stage.controller.strike_hook(&leader, "config-changed", HookFault::LosesLeadershipAtCommit);
    change_config(&stage, "blue");
    stage.wait_for(&leader, "config-changed", 2);
    stage.wait_for_idle(&leader);
    assert_eq!(stage.note("led"), "True\nFalse\n");
    let other = if leader == "a/0" { "a/1" } else { "a/0" };
    stage.wait_for(other, "leader-elected", 1);
    let data =
        stage.controller.read(|model| model.relation(0).map(|it| it.application_data.clone()));
    assert_eq!(data.expect("the relation is there")["a"].len(), 0);
}

#[test]
fn a_failed_pebble_ready_shows_no_error_and_is_raised_again() {
    let stage = Stage::new(Switches::JUJU_4);
    stage.let_do("a/0", "web-pebble-ready", "[ -e fixed ] || exit 1");
    stage.deploy("a", 1);
    stage.wait_for("a/0", "web-pebble-ready", 2);
    stage.wait_for_idle("a/0");
    stage.put("fixed");
    let before = stage.events("a/0").len();
    until("one more", LIMIT, || (stage.events("a/0").len() > before).then_some(()))
        .expect("it is raised again");
    stage.wait_for_idle("a/0");
}

#[test]
fn a_failed_notice_hook_restarts_the_agent_which_hears_of_the_notice_again() {
    let stage = Stage::deployed(1);
    stage.let_do("a/0", "web-pebble-custom-notice", "[ -e died ] || { : > died; exit 1; }");
    stage.notify("a/0", "example.com/news");
    stage.wait_for("a/0", "web-pebble-ready", 1);
    stage.wait_for("a/0", "web-pebble-custom-notice 1 example.com/news", 2);
    let mut events = stage.events("a/0");
    assert_eq!(events.remove(0), "web-pebble-custom-notice 1 example.com/news");
    assert_eq!(events.remove(0), "start");
    events.sort();
    assert_eq!(events, ["web-pebble-custom-notice 1 example.com/news", "web-pebble-ready"]);
}

#[test]
fn a_failed_notice_hook_restarts_the_agent_once() {
    let stage = Stage::at_speed(Switches::JUJU_3, 1.0);
    stage.deploy("a", 1);
    stage.wait_for("a/0", "start", 1);
    stage.let_do("a/0", "web-pebble-custom-notice", "[ -e died ] || { : > died; exit 1; }");
    stage.notify("a/0", "example.com/news");
    stage.wait_for("a/0", "web-pebble-custom-notice 1 example.com/news", 1);
    let failure = Instant::now();
    stage.wait_for("a/0", "start", 2);
    assert!(failure.elapsed() < 2 * AGENT_RESTART, "{:?}", failure.elapsed());
}

#[test]
fn actions_run_with_their_parameters_and_while_a_hook_waits() {
    let switches = Switches { retries: false, ..Switches::JUJU_3 };
    let stage = Stage::deployed_as(switches, 1);
    stage.let_do("a/0", "config-changed", "exit 1");
    change_config(&stage, "blue");
    stage.wait_for_agent("a/0", "error");
    stage.let_do("a/0", "act", "action-set said=\"$(action-get word)\"; action-fail -- enough");
    let mut asked = Map::new();
    for (word, expected) in [(None, "hello"), (Some("goodbye"), "goodbye")] {
        if let Some(word) = word {
            asked.insert("word".to_owned(), json!(word));
        }
        let id = stage.controller.run_action("a/0", "act", asked.clone()).expect("it is declared");
        let result = stage.controller.wait_for_action(id, LIMIT).expect("it ends");
        assert_eq!((result.status.as_str(), result.message.as_str()), ("failed", "enough"));
        assert_eq!(result.results["said"], json!(expected));
    }
    assert_eq!(agent_message(&stage, "a/0"), "hook failed: \"config-changed\"");
    let refused = stage.controller.run_action("a/0", "nonsense", Map::new());
    assert!(refused.is_err());
}

#[test]
fn an_action_that_loses_its_pod_has_failed_and_is_not_run_again() {
    let stage = Stage::deployed(1);
    stage.let_do("a/0", "act", "exec sleep 600");
    let id = stage.controller.run_action("a/0", "act", Map::new()).expect("it is declared");
    stage.wait_for("a/0", "act", 1);
    stage.cluster.lose_pod("a/0");
    let result = stage.controller.wait_for_action(id, LIMIT).expect("it ends");
    assert_eq!(result.status, "failed");
    stage.expect("a/0", &["act", "upgrade-charm", "config-changed", "start", "web-pebble-ready"]);
}

#[test]
fn a_unit_without_a_leader_waits_and_a_leader_that_comes_back_is_told_again() {
    let stage = Stage::deployed_as(Switches::JUJU_4, 2);
    let first = stage.leader();
    let second = if first == "a/0" { "a/1" } else { "a/0" };
    stage.controller.leave_without_leader("a", Duration::from_secs(10));
    assert_eq!(stage.exec(&first, "is-leader"), "False");
    stage.expect(second, &["leader-elected"]);
    stage.controller.make_leader(&first);
    stage.expect(&first, &["leader-elected"]);
    assert_eq!(stage.exec(second, "is-leader"), "False");
}

#[test]
fn a_lease_that_was_stolen_is_believed_in_until_it_would_be_renewed() {
    let stage = Stage::deployed_as(Switches::JUJU_4, 2);
    let first = stage.leader();
    let second = if first == "a/0" { "a/1" } else { "a/0" };
    // Just after a renewal, so that there is time to look.
    stage.controller.make_leader(second);
    stage.wait_for(second, "leader-elected", 1);
    stage.controller.steal_leadership("a");
    stage.wait_for(&first, "leader-elected", 1);
    let no_longer = || (stage.exec(second, "is-leader") == "False").then_some(());
    until("the other one to know", LIMIT, no_longer).expect("it would renew its claim");
}

#[test]
fn a_lost_leader_elected_never_comes_while_the_lease_is_kept() {
    let stage = Stage::deployed_as(Switches::JUJU_4, 2);
    let first = stage.leader();
    let second = if first == "a/0" { "a/1" } else { "a/0" };
    stage.controller.lose_leader_elected(second);
    stage.controller.make_leader(second);
    change_config(&stage, "blue");
    stage.expect(second, &["config-changed"]);
    assert_eq!(stage.exec(second, "is-leader"), "True");
}

#[test]
fn an_agent_that_is_frozen_loses_its_lease_to_another_one() {
    let stage = Stage::deployed_as(Switches::JUJU_4, 2);
    let first = stage.leader();
    let second = if first == "a/0" { "a/1" } else { "a/0" };
    stage.controller.set_agent_frozen(&first, true);
    stage.expect(second, &["leader-elected"]);
    change_config(&stage, "blue");
    stage.wait_for(second, "config-changed", 1);
    stage.expect(&first, &[]);
    stage.controller.set_agent_frozen(&first, false);
    stage.expect(&first, &["config-changed"]);
    assert_eq!(stage.exec(&first, "is-leader"), "False");
}

#[test]
fn a_hook_that_hangs_at_a_tool_ends_with_its_pod() {
    let stage = Stage::deployed(1);
    stage.let_do("a/0", "config-changed", "is-leader");
    let fault = Fault { at_call: 1, kind: FaultKind::Hang };
    stage.controller.strike_hook("a/0", "config-changed", HookFault::AtCall(fault));
    change_config(&stage, "blue");
    stage.wait_for("a/0", "config-changed", 1);
    stage.cluster.lose_pod("a/0");
    stage.expect("a/0", &["config-changed", "config-changed", "start", "web-pebble-ready"]);
}
