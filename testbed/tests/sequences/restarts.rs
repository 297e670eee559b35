//! Pods, containers and agents that restart, and what makes pods roll.

use testbed::juju::switches::AtTermination;
use testbed::juju::switches::Switches;
use testbed::pebble::daemon::Daemon;

use crate::stage::Stage;

type Restart = fn(&Stage);

const READY: &str = "web-pebble-ready";
const NEW_POD: [&str; 4] = ["upgrade-charm", "config-changed", "start", READY];
const OLD_AND_NEW_POD: [&str; 5] = ["stop", "upgrade-charm", "config-changed", "start", READY];

#[test]
fn a_pod_that_is_deleted_stops_and_comes_back() {
    let stage = Stage::deployed(1);
    stage.cluster.delete_pod("a/0");
    stage.expect("a/0", &OLD_AND_NEW_POD);
}

#[test]
fn a_pod_that_is_lost_comes_back_without_stop() {
    let stage = Stage::deployed(1);
    stage.cluster.lose_pod("a/0");
    stage.expect("a/0", &NEW_POD);
}

#[test]
fn a_hook_in_flight_when_the_pod_is_lost_runs_in_place_of_upgrade_charm() {
    let stage = Stage::deployed(1);
    stage.let_do("a/0", "config-changed", "exec sleep 600");
    stage.controller.config_set("a", &[("color", Some("blue"))]).expect("the option is there");
    stage.wait_for("a/0", "config-changed", 1);
    stage.let_be("a/0", "config-changed");
    stage.cluster.lose_pod("a/0");
    stage.expect("a/0", &["config-changed", "config-changed", "start", READY]);
}

#[test]
fn an_install_that_was_cut_short_is_repeated() {
    let stage = Stage::new(Switches::JUJU_4);
    stage.let_do("a/0", "install", "exec sleep 600");
    stage.deploy("a", 1);
    stage.wait_for("a/0", "install", 1);
    stage.let_be("a/0", "install");
    stage.cluster.lose_pod("a/0");
    stage.wait_for("a/0", READY, 1);
    assert_eq!(
        stage.events("a/0")[..4],
        ["install", "install", "peers-relation-created app=a", "leader-elected"]
    );
}

#[test]
fn sigterm_kills_the_hook_which_runs_again_or_gives_way_to_stop() {
    let dies = "[ -e died ] || { : > died; exec sleep 600; }";
    let once_more: &[&str] = &["config-changed"];
    for (at_termination, again) in
        [(AtTermination::HookAgain, once_more), (AtTermination::Stop, &[])]
    {
        let stage = Stage::deployed_as(Switches { at_termination, ..Switches::JUJU_3 }, 1);
        stage.let_do("a/0", "config-changed", dies);
        stage.controller.config_set("a", &[("color", Some("blue"))]).expect("the option is there");
        stage.wait_for("a/0", "config-changed", 1);
        stage.cluster.delete_pod("a/0");
        let expected = [&["config-changed"], again, &OLD_AND_NEW_POD].concat();
        stage.expect("a/0", &expected);
    }
}

#[test]
fn a_hook_that_ignores_sigterm_is_finished_and_kept() {
    let stage = Stage::deployed(1);
    let script = "trap '' TERM; touch deaf; while [ ! -e go ]; do sleep 0.05; done; state-set a=1";
    stage.let_do("a/0", "config-changed", script);
    stage.controller.config_set("a", &[("color", Some("blue"))]).expect("the option is there");
    stage.wait_for("a/0", "config-changed", 1);
    stage.wait_for_file("deaf");
    let cluster = stage.cluster.clone();
    let deletion = std::thread::spawn(move || cluster.delete_pod("a/0"));
    stage.wait_for_termination("a/0");
    stage.put("go");
    deletion.join().expect("the pod is replaced");
    stage.let_be("a/0", "config-changed");
    stage.expect("a/0", &[&["config-changed"], &OLD_AND_NEW_POD[..]].concat());
    assert_eq!(stage.exec("a/0", "state-get a"), "1");
}

#[test]
fn a_failed_hook_is_forgotten_at_sigterm() {
    let stage = Stage::deployed(1);
    stage.let_do("a/0", "update-status", "exit 1");
    stage.let_do("a/0", "config-changed", "exit 1");
    stage.controller.config_set("a", &[("color", Some("blue"))]).expect("the option is there");
    stage.wait_for_agent("a/0", "error");
    stage.let_be("a/0", "config-changed");
    let failed = stage.events("a/0").len();
    stage.cluster.delete_pod("a/0");
    stage.wait_for("a/0", READY, 1);
    let events = stage.events("a/0");
    // The timer may have gone off once more before SIGTERM came.
    let after: Vec<&String> = events[failed..].iter().skip_while(|it| *it != "stop").collect();
    assert_eq!(after, OLD_AND_NEW_POD, "{events:?}");
}

#[test]
fn an_agent_that_restarts_says_start_and_every_container_is_ready_again() {
    let restarts: [(&str, Restart); 3] = [
        ("its container", |stage| stage.cluster.restart_charm_container("a/0")),
        ("the agent alone", |stage| stage.controller.restart_agent("a/0")),
        ("the controller away and back", |stage| {
            stage.controller.set_away(true);
            stage.controller.set_away(false);
        }),
    ];
    for (what, restart) in restarts {
        let stage = Stage::deployed(1);
        restart(&stage);
        stage.wait_for("a/0", READY, 1);
        stage.wait_for_idle("a/0");
        assert_eq!(stage.events("a/0"), minion_or_leader(&stage, &["start", READY]), "{what}");
    }
}

/// A restart makes nobody hear of leader settings who leads.
fn minion_or_leader(stage: &Stage, events: &[&str]) -> Vec<String> {
    assert_eq!(stage.leader(), "a/0");
    events.iter().map(|&event| event.to_owned()).collect()
}

#[test]
fn a_hook_under_way_while_the_controller_is_away_fails_and_runs_again() {
    let stage = Stage::deployed(1);
    let script = "relation-ids peers > answer 2>&1; while [ ! -e go ]; do sleep 0.05; done; \
                  relation-ids peers >> answer 2>&1; state-set a=1";
    stage.let_do("a/0", "config-changed", script);
    stage.controller.config_set("a", &[("color", Some("blue"))]).expect("the option is there");
    stage.wait_for_lines("answer", 1);
    stage.controller.set_away(true);
    stage.controller.set_away(false);
    stage.put("go");
    stage.wait_for_lines("answer", 2);
    assert_eq!(stage.note("answer"), "peers:0\nERROR connection is shut down\n");
    stage.let_be("a/0", "config-changed");
    stage.expect("a/0", &["config-changed", "config-changed", "start", READY]);
}

#[test]
fn a_workload_container_that_restarts_is_ready_again() {
    if !Daemon::is_own() {
        // Only a Pebble that is process 1 of its container has another boot id after a restart, and
        // only the own one can pretend to.
        return;
    }
    let stage = Stage::deployed(1);
    let restart = serde_json::json!({"on": "daemon", "do": "restart"});
    stage
        .cluster
        .pebble("a/0", "web", |pebble| pebble.fault(&restart))
        .expect("the fault is known");
    stage.expect("a/0", &[READY]);
}

#[test]
fn a_refresh_and_another_file_roll_the_pods_and_the_same_file_does_not() {
    let stage = Stage::deployed(2);
    let again = |stage: &Stage| {
        for unit in ["a/1", "a/0"] {
            stage.wait_for(unit, READY, 1);
            stage.wait_for_idle(unit);
            let mut events = stage.events(unit);
            events.retain(|event| event != "leader-settings-changed");
            assert_eq!(events, OLD_AND_NEW_POD, "{unit}");
        }
        stage.forget(&["a/0", "a/1"]);
    };
    stage.let_do("a/0", "upgrade-charm", "echo \"0 $(cat $JUJU_CHARM_DIR/note)\" >> order");
    stage.let_do("a/1", "upgrade-charm", "echo \"1 $(cat $JUJU_CHARM_DIR/note)\" >> order");
    let charm = stage.charm("second");
    std::fs::write(charm.join("note"), "new\n").expect("the charm is ours");
    stage.controller.refresh("a", &charm).expect("it is a charm");
    again(&stage);
    let mut order: Vec<String> = stage.note("order").lines().map(str::to_owned).collect();
    order.sort();
    assert_eq!(order, ["0 new", "1 new"]);
    stage.controller.attach_resource("a", "page", b"hello\n").expect("it is declared");
    again(&stage);
    assert_eq!(stage.exec("a/0", "cat $(resource-get page)"), "hello");
    stage.controller.attach_resource("a", "page", b"hello\n").expect("it is declared");
    stage.controller.config_set("a", &[("color", Some("blue"))]).expect("the option is there");
    stage.wait_for("a/1", "config-changed", 1);
    stage.expect("a/1", &["config-changed"]);
}

#[test]
fn an_old_pod_whose_agent_restarts_during_the_roll_runs_nothing_more() {
    let stage = Stage::deployed(2);
    // The highest number goes first, and takes its time.
    stage.let_do("a/1", "stop", "while [ ! -e go ]; do sleep 0.05; done");
    stage.controller.refresh("a", &stage.charm("second")).expect("it is a charm");
    stage.wait_for("a/1", "stop", 1);
    stage.controller.restart_agent("a/0");
    stage.put("go");
    stage.wait_for("a/0", READY, 1);
    let mut events = stage.events("a/0");
    events.retain(|event| event != "leader-settings-changed" && event != "leader-elected");
    assert_eq!(events, NEW_POD);
}
