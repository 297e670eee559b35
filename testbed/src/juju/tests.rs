//! What the recorded table does not show: faults, kills, and what is kept after them.

use std::process::Command;
use std::time::Duration;

use super::controller::Controller;
use super::error::Error;
use super::hook::FaultKind;
use super::hook::Happening;
use super::hook::Hook;
use super::model::Life;
use super::model::Model;
use super::run::Commit;
use super::run::Exit;
use super::run::HookRun;

const UNIT: &str = "redis-k8s/0";
const LIMIT: Duration = Duration::from_secs(20);

fn controller() -> Controller {
    let controller = Controller::new(Model::application("redis-k8s", 3)).unwrap();
    controller.set_leader(UNIT);
    controller
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}

fn run(controller: &Controller, hook: Hook, script: &str) -> HookRun {
    controller.start(hook, shell(script)).unwrap().finish(LIMIT).unwrap()
}

fn start(fault: FaultKind) -> Hook {
    Hook::new(UNIT, "start").fault(1, fault)
}

fn unit_key(controller: &Controller, key: &str) -> Option<String> {
    controller.read(|model| model.relation(0)?.units.get(UNIT)?.data.get(key).cloned())
}

fn application_key(controller: &Controller, key: &str) -> Option<String> {
    controller.read(|model| model.relation(0)?.application_data.get("redis-k8s")?.get(key).cloned())
}

#[test]
fn a_hook_that_exits_0_keeps_what_it_wrote() {
    let controller = controller();
    let script = "relation-set -r 0 a=1 && state-set b=2";
    let run = run(&controller, Hook::new(UNIT, "start"), script);
    assert_eq!((run.exit, run.commit), (Exit::Code(0), Commit::Committed));
    assert_eq!(unit_key(&controller, "a").as_deref(), Some("1"));
    assert_eq!(controller.read(|model| model.unit(UNIT).unwrap().state["b"].clone()), "2");
}

#[test]
fn a_hook_that_fails_keeps_its_status_only() {
    let controller = controller();
    let script = "relation-set -r 0 a=1; status-set blocked no; exit 3";
    let run = run(&controller, Hook::new(UNIT, "start"), script);
    assert_eq!((run.exit, run.commit), (Exit::Code(3), Commit::Discarded));
    assert_eq!(unit_key(&controller, "a"), None);
    let (of, status) = controller.statuses().pop().unwrap();
    assert_eq!(
        (of.as_str(), status.status.as_str(), status.message.as_str()),
        (UNIT, "blocked", "no")
    );
}

#[test]
fn a_lease_lost_before_the_commit_takes_all_writes_with_it() {
    let controller = controller();
    let script = "relation-set -r 0 a=1; state-set b=2; relation-set --app -r 0 c=3";
    let hook = Hook::new(UNIT, "start").lose_leadership_at_commit();
    let run = run(&controller, hook, script);
    let refused = "checking leadership continuity: \"redis-k8s/0\" is not leader of \"redis-k8s\"";
    assert_eq!((run.exit, run.commit), (Exit::Code(0), Commit::Failed(refused.to_owned())));
    assert_eq!(unit_key(&controller, "a"), None);
    assert_eq!(application_key(&controller, "c"), None);
    assert!(controller.read(|model| model.unit(UNIT).unwrap().state.is_empty()));
}

#[test]
fn a_lease_lost_at_a_call_shows_in_it() {
    let controller = controller();
    let hook = Hook::new(UNIT, "start").fault(2, FaultKind::LoseLeadership);
    let run = run(&controller, hook, "is-leader; is-leader");
    assert_eq!(run.calls[0].stdout, "True\n");
    assert_eq!(run.calls[1].stdout, "False\n");
}

#[test]
fn a_tool_fails_as_told_and_does_nothing() {
    let controller = controller();
    let fault = FaultKind::Exit(7, "no such luck".to_owned());
    let run = run(&controller, start(fault), "relation-set -r 0 a=1; echo $?");
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("7\n", "ERROR no such luck\n"));
    assert_eq!(unit_key(&controller, "a"), None);
}

#[test]
fn a_garbled_answer_is_no_json() {
    let run = run(&controller(), start(FaultKind::Garbage), "is-leader --format=json; echo $?");
    assert!(run.stdout.ends_with("\n0\n"), "{:?}", run.stdout);
    assert!(serde_json::from_str::<serde_json::Value>(&run.calls[0].stdout).is_err());
}

#[test]
fn a_hanging_tool_lets_the_next_one_through() {
    let script = "is-leader & tool=$!; timeout 0.2 is-leader; kill $tool; wait $tool; is-leader";
    let hook = start(FaultKind::Hang).fault(2, FaultKind::Hang);
    let run = run(&controller(), hook, script);
    let exits: Vec<Option<u8>> = run.calls.iter().map(|call| call.exit).collect();
    assert_eq!(exits, [None, None, Some(0)]);
}

#[test]
fn a_killed_hook_keeps_nothing() {
    let controller = controller();
    let hook = Hook::new(UNIT, "start").fault(2, FaultKind::KillHook);
    let run = run(&controller, hook, "relation-set -r 0 a=1; is-leader; echo not reached");
    assert_eq!((run.exit, run.commit), (Exit::Signal(9), Commit::Discarded));
    assert_eq!((run.stdout.as_str(), unit_key(&controller, "a")), ("", None));
}

#[test]
fn a_stopped_container_takes_the_tool_and_lets_the_hook_end_well() {
    let controller = controller();
    let script = "trap 'echo asked' TERM; relation-set -r 0 a=1; is-leader; echo $?; exit 0";
    let hook = Hook::new(UNIT, "start").fault(2, FaultKind::TerminateHook);
    let run = run(&controller, hook, script);
    // 143 is what a shell says of a child that SIGTERM ended.
    assert!(run.stdout.contains("asked\n") && run.stdout.contains("143\n"), "{:?}", run.stdout);
    assert_eq!((run.exit, run.commit), (Exit::Code(0), Commit::Committed));
}

#[test]
fn a_held_call_sees_what_happened_meanwhile() {
    let controller = controller();
    let running = controller.start(start(FaultKind::Hold), shell("is-leader")).unwrap();
    running.wait_for_call(1, LIMIT).unwrap();
    controller.set_leader("redis-k8s/1");
    running.release();
    assert_eq!(running.finish(LIMIT).unwrap().stdout, "False\n");
}

#[test]
fn a_signal_reaches_the_hook() {
    let running = controller().start(start(FaultKind::Hold), shell("is-leader")).unwrap();
    running.wait_for_call(1, LIMIT).unwrap();
    running.terminate().unwrap();
    assert_eq!(running.finish(LIMIT).unwrap().exit, Exit::Signal(15));
}

#[test]
fn a_unit_runs_one_hook_at_a_time_and_is_free_after_a_dropped_one() {
    let controller = controller();
    let running = controller.start(start(FaultKind::Hang), shell("is-leader")).unwrap();
    let busy = controller.start(Hook::new(UNIT, "stop"), shell("true"));
    assert!(matches!(busy, Err(Error::Busy { .. })));
    drop(running);
    let run = run(&controller, Hook::new(UNIT, "stop"), "is-leader");
    assert_eq!(run.stdout, "True\n");
}

#[test]
fn a_wait_that_ends_in_vain_says_what_there_was() {
    let running = controller().start(start(FaultKind::Hang), shell("is-leader -x")).unwrap();
    running.wait_for_call(1, LIMIT).unwrap();
    let late = running.finish(Duration::from_millis(10)).unwrap_err().to_string();
    assert!(late.contains("exit of redis-k8s/0 start") && late.contains("is-leader -x"), "{late}");
}

#[test]
fn the_transcript_shows_a_secret_on_a_command_line_but_not_in_a_databag() {
    let controller = controller();
    let script = "echo password: hidden | relation-set -r 0 --file -; juju-log planted-a; \
                  status-set active planted-b; relation-set -r 0 x=planted-c; echo planted-d";
    let run = run(&controller, Hook::new(UNIT, "start"), script);
    assert_eq!(run.calls[0].stdin.as_deref(), Some(&b"password: hidden\n"[..]));
    assert_eq!(controller.inputs(), ["password: hidden\n"]);
    let transcript = controller.transcript();
    for planted in ["planted-a", "planted-b", "planted-c", "planted-d"] {
        assert!(transcript.contains(planted), "{planted} is not in {transcript}");
    }
    assert!(!transcript.contains("hidden"), "{transcript}");
}

#[test]
fn a_hook_has_no_environment_but_that_of_juju() {
    let script = "env | cut -d= -f1; pwd; echo $JUJU_REMOTE_UNIT $JUJU_DEPARTING_UNIT";
    let departed =
        Happening::Departed { unit: "redis-k8s/2".to_owned(), departing: UNIT.to_owned() };
    let controller = controller();
    let run = run(&controller, Hook::relation(UNIT, 0, departed), script);
    let own = ["PWD", "OLDPWD", "SHLVL", "_", "PATH", "CHARM_DIR", "LANG", "TERM"];
    let prefixes = ["JUJU_", "CLOUD_", "KUBERNETES_", "DEBIAN_", "APT_"];
    let (variables, rest) = run.stdout.split_once('/').unwrap();
    for name in variables.lines() {
        let is_known = prefixes.iter().any(|prefix| name.starts_with(prefix));
        assert!(is_known || own.contains(&name), "{name}");
    }
    assert!(rest.ends_with("/unit-redis-k8s-0/charm\nredis-k8s/2 redis-k8s/0\n"), "{rest}");
}

#[test]
fn a_failed_action_still_commits_and_tells_its_caller_why() {
    let controller = controller();
    let script = "action-fail no; relation-set -r 0 a=1; echo line; printf tail";
    let run = run(&controller, Hook::action(UNIT, "check", "12"), script);
    let result = run.action_result.unwrap();
    assert_eq!((result.status.as_str(), result.message.as_str()), ("failed", "no"));
    assert_eq!(result.stdout(), "line\n");
    assert_eq!(unit_key(&controller, "a").as_deref(), Some("1"));
}

#[test]
fn units_come_and_go() {
    let controller = controller();
    controller.edit(|model| {
        model.add_unit("redis-k8s", 3);
        model.unit_mut("redis-k8s/2").unwrap().life = Life::Dying;
        model.remove_unit("redis-k8s/1");
    });
    let script = "relation-list -r 0; goal-state --format=json";
    let run = run(&controller, Hook::new(UNIT, "start"), script);
    let (members, goal) = run.stdout.split_once('{').unwrap();
    assert_eq!(members, "redis-k8s/2\nredis-k8s/3\n");
    assert!(goal.contains("\"redis-k8s/2\":{\"status\":\"dying\""), "{goal}");
    assert!(!goal.contains("redis-k8s/1"), "{goal}");
}

#[test]
fn another_application_reads_what_the_leader_published() {
    let controller = controller();
    let relation = controller.edit(|model| {
        let relation = model.relate(("redis-k8s", "redis"), ("web", "db"));
        model.add_unit("web", 0);
        relation
    });
    let hook = Hook::relation(UNIT, relation, Happening::Joined { unit: "web/0".to_owned() });
    let run_of_leader = run(&controller, hook, "relation-set --app port=6379; relation-list");
    assert_eq!(run_of_leader.stdout, "web/0\n");
    let hook = Hook::relation("web/0", relation, Happening::ApplicationChanged);
    assert_eq!(run(&controller, hook, "relation-get port").stdout, "6379\n");
}

#[test]
fn no_relation_is_known_before_the_install_hook_is_over() {
    let controller = controller();
    let script = "relation-ids redis-peers --format=json";
    assert_eq!(run(&controller, Hook::new(UNIT, "install"), script).stdout, "[]\n");
    let ids = run(&controller, Hook::new(UNIT, "start"), script).stdout;
    assert_eq!(ids, "[\"redis-peers:0\"]\n");
}

#[test]
fn a_tool_outside_its_hook_finds_no_socket() {
    let controller = controller();
    let run_of_env = run(&controller, Hook::new(UNIT, "start"), "env");
    let output = {
        let path = controller.charm_directory(UNIT).unwrap().join("../../tools/is-leader");
        let variables = run_of_env.stdout.lines().filter_map(|line| line.split_once('='));
        Command::new(path).env_clear().envs(variables).output().unwrap()
    };
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.ends_with("connect: no such file or directory\n"), "{text}");
}

#[test]
fn a_wiped_charm_directory_is_empty() {
    let controller = controller();
    run(&controller, Hook::new(UNIT, "start"), "echo > file");
    let directory = controller.charm_directory(UNIT).unwrap();
    assert!(directory.join("file").exists());
    controller.wipe_charm_directory(UNIT).unwrap();
    assert_eq!(directory.read_dir().unwrap().count(), 0);
}
