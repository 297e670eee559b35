//! What the recorded table does not show: faults, kills, and what is kept after them.

use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;

use super::controller::Controller;
use super::error::Error;
use super::hook::FaultKind;
use super::hook::Happening;
use super::hook::Hook;
use super::model::Life;
use super::model::Model;
use super::model::application::Image;
use super::model::application::Resource;
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

#[test]
fn statuses_are_told_in_the_order_that_they_were_set_in_whatever_became_of_the_hook() {
    let controller = controller();
    let script =
        "status-set waiting a; status-set --application active; status-set blocked b; exit 3";
    run(&controller, Hook::new(UNIT, "start"), script);
    let told: Vec<String> = controller
        .statuses()
        .iter()
        .map(|(of, status)| format!("{of} {} {}", status.status, status.message))
        .collect();
    let expected = ["redis-k8s/0 waiting a", "redis-k8s active ", "redis-k8s/0 blocked b"];
    assert_eq!(told, expected);
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
fn a_status_carries_the_time_of_the_machine_unless_the_model_has_its_own() {
    let controller = controller();
    let since = || {
        run(&controller, Hook::new(UNIT, "start"), "status-set active");
        controller.read(|model| model.unit(UNIT).unwrap().status.since.clone())
    };
    controller.edit(|model| model.now = Some("2030-01-02T03:04:05Z".to_owned()));
    assert_eq!(since(), "2030-01-02T03:04:05Z");
    controller.edit(|model| model.now = None);
    let before = Timestamp::now().as_second();
    let time = since();
    assert_eq!(time.len(), "2030-01-02T03:04:05Z".len(), "{time}");
    let seconds = time.parse::<Timestamp>().unwrap().as_second();
    assert!((before..=Timestamp::now().as_second() + 1).contains(&seconds), "{time}");
}

#[test]
fn a_resource_lies_where_the_tool_says() {
    let controller = controller();
    controller.edit(|model| {
        let resources = &mut model.applications.get_mut("redis-k8s").unwrap().resources;
        let content = b"\x00\xff".to_vec();
        let file = Resource::File { filename: "tool.tgz".to_owned(), content };
        resources.insert("tool".to_owned(), file);
        let image = Image { registrypath: "registry/redis".to_owned(), ..Image::default() };
        resources.insert("image".to_owned(), Resource::OciImage { image });
    });
    let script = "od -An -tx1 $(resource-get tool); cat $(resource-get image)";
    let run = run(&controller, Hook::new(UNIT, "start"), script);
    let image = "registrypath: registry/redis\nusername: \"\"\npassword: \"\"\n";
    assert_eq!(run.stdout, format!(" 00 ff\n{image}"));
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
