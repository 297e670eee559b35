//! What a run logs: one juju-log for each level it used, and debug lines on standard output. And what
//! it says where there is no Juju to log to.
#![expect(clippy::disallowed_methods, reason = "dispatch is started as a person would, by hand")]

use std::process::Command;
use std::process::Output;

use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Hook;
use testbed::juju::run::Exit;
use testbed::juju::run::HookRun;

use crate::scene::Scene;
use crate::scene::unit;

#[test]
fn a_run_starts_one_juju_log_for_each_level_and_keeps_the_order_within_it() {
    let scene = Scene::before_the_first_election(3);
    scene.record(&[("leader-host", &scene.bed.host(0)), ("sentinel-password", "TheOnePassword")]);
    let run = scene.run(0, "leader-elected");
    assert_eq!(levels(&run), ["WARNING", "INFO"]);
    let silent: Vec<String> = (0..3)
        .flat_map(|number| {
            ["Redis", "Sentinel"].map(|server| format!("{server} of {}", unit(number)))
        })
        .collect();
    let warnings: Vec<&str> = lines(&run, "WARNING");
    assert_eq!(warnings.len(), silent.len(), "{warnings:?}");
    assert!(warnings.iter().zip(&silent).all(|(line, start)| line.starts_with(start)));
    let infos = lines(&run, "INFO");
    assert!(infos[0].starts_with("store redis-password -- "), "{infos:?}");
    assert!(infos[1].starts_with("leader-elected is kept for the next event"), "{infos:?}");
    assert_eq!(run.stderr, "");
}

#[test]
fn a_run_that_fails_logs_what_it_had_done_before() {
    let scene = Scene::healthy(3);
    scene.record(&[("leader-host", &scene.bed.host(2))]);
    for number in [1, 2] {
        scene.bed.pod(number).unwrap().sentinel("SENTINEL SET redis-k8s quorum 1").unwrap();
    }
    let refused = FaultKind::Exit(1, "no such luck".to_owned());
    let run = scene.run_hook(0, Hook::new(&unit(0), "leader-elected").fault(6, refused));
    assert_eq!(run.exit, Exit::Code(1));
    assert_eq!(run.calls[5].argv[0], "relation-set");
    assert_eq!(levels(&run), ["ERROR", "INFO"]);
    assert_eq!(
        lines(&run, "INFO"),
        ["set quorum 2 on redis-k8s/1, redis-k8s/2 -- 3 units planned"]
    );
    let told = "cannot commit: `relation-set -r 0 --app --file -` failed (exit code 1)";
    assert!(lines(&run, "ERROR")[0].starts_with(told), "{run:#?}");

    let run = scene.run(0, "leader-elected");
    assert_eq!(levels(&run), ["INFO"]);
    let host = scene.bed.host(0);
    let record = format!("record {host} as master at epoch 0 -- the Sentinels elected it");
    assert_eq!(lines(&run, "INFO"), [record.as_str()]);
}

#[test]
fn a_message_too_long_for_an_argument_takes_several_calls_and_is_whole() {
    let scene = Scene::before_the_first_election(1);
    // Three bytes each, so that a cut at a fixed byte would fall into one.
    let long = "€".repeat(100_000);
    let hook = Hook::new(&unit(0), "start").fault(2, FaultKind::Exit(1, long.clone()));
    let run = scene.run_hook(0, hook);
    assert_eq!(levels(&run), ["ERROR"; 3]);
    let whole: String = run.log.iter().map(|line| line.message.as_str()).collect();
    assert!(whole.ends_with(&format!("failed (exit code 1): ERROR {long}")), "it is cut");
}

#[test]
fn debug_lines_go_to_standard_output_and_in_an_action_nowhere() {
    let scene = Scene::before_the_first_election(1);
    let run = scene.run(0, "install");
    assert_eq!(run.stdout, "install: nothing of its own to do\n");
    assert_eq!((run.stderr.as_str(), levels(&run).len()), ("", 0));

    let run = scene.run_hook(0, Hook::action(&unit(0), "make-coffee", "7"));
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert_eq!(levels(&run), ["INFO"]);
}

#[test]
fn what_juju_log_does_not_take_is_printed_and_fails_nothing() {
    let scene = Scene::before_the_first_election(1);
    let refused = FaultKind::Exit(1, "no such luck".to_owned());
    let run = scene.run_hook(0, Hook::new(&unit(0), "leader-elected").fault(7, refused));
    assert_eq!(run.exit, Exit::Code(0));
    assert_eq!(scene.databag().len(), 4);
    let printed = "store redis-password -- there is none\n\
                   store sentinel-password -- there is none\n\
                   record redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local as master -- first deployment\n\
                   cannot log: `juju-log -l INFO` failed (exit code 1): ERROR no such luck\n";
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (printed, ""));
}

#[test]
fn a_person_who_runs_it_by_hand_reads_what_it_is() {
    let without_juju = by_hand(&[]);
    let with_empty_variables = by_hand(&[("JUJU_DISPATCH_PATH", ""), ("JUJU_UNIT_NAME", "")]);
    // `juju exec` has a unit and no event.
    let in_juju_exec = by_hand(&[("JUJU_UNIT_NAME", "redis-k8s/0"), ("JUJU_HOOK_NAME", "")]);
    for output in [without_juju, with_empty_variables, in_juju_exec] {
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(output.stdout.is_empty());
        assert!(
            said.starts_with("dispatch: JUJU_DISPATCH_PATH is not set: Juju runs this program")
        );
        assert!(said.contains("make demo") && said.lines().count() <= 3, "{said}");
    }
}

#[test]
fn a_hook_outside_its_agent_fails_and_says_what_is_missing() {
    let output = by_hand(&[("JUJU_DISPATCH_PATH", "hooks/leader-elected")]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("JUJU_UNIT_NAME is not set; Juju sets it for every hook\n"), "{said}");
    assert!(said.contains("cannot log: `juju-log -l ERROR` is not on PATH"), "{said}");
}

fn by_hand(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dispatch"));
    command.env_clear().env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
    command.output().unwrap()
}

/// The levels of a run's juju-log calls, in order; each call guards its text with `--`.
fn levels(run: &HookRun) -> Vec<&str> {
    let calls = run.calls.iter().filter(|call| call.argv[0] == "juju-log");
    calls
        .map(|call| {
            let [_, flag, level, guard, _] = call.argv.as_slice() else {
                panic!("an odd call: {:?}", call.argv);
            };
            assert_eq!((flag.as_str(), guard.as_str()), ("-l", "--"));
            level.as_str()
        })
        .collect()
}

fn lines<'a>(run: &'a HookRun, level: &str) -> Vec<&'a str> {
    let logged = run.log.iter().filter(|line| line.level == level);
    logged.flat_map(|line| line.message.lines()).collect()
}
