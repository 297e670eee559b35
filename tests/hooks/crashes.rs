//! The crash matrix: a hook disturbed at each of its tool calls in turn. Whatever happens, the next
//! clean run ends in the state of an undisturbed one.

use std::thread;

use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Hook;
use testbed::juju::run::Commit;
use testbed::juju::run::Exit;
use testbed::juju::run::HookRun;

use crate::matrix::AFTER_SIGTERM;
use crate::matrix::Case;
use crate::matrix::DEFERRED;
use crate::matrix::FOLLOW_UPS;
use crate::matrix::Outcome;
use crate::matrix::Setting;
use crate::matrix::Stage;
use crate::scene::HOOK_LIMIT;
use crate::scene::count;
use crate::scene::tools;

#[test]
fn a_hook_killed_at_any_tool_call_keeps_nothing_and_each_of_the_next_events_does_its_work() {
    let stage = Stage::new();
    for setting in stage.settings() {
        let (names, wanted) = setting.undisturbed();
        for call in 1..=names.len() {
            let case = setting.case();
            let before = (case.bag(), case.deferred());
            let run = case.run(setting.event.clone().fault(call, FaultKind::KillHook));
            assert_eq!((run.exit, &run.commit), (Exit::Signal(9), &Commit::Discarded));
            assert_eq!(run.calls.len(), call, "{:?}", tools(&run));
            assert_eq!((case.bag(), case.deferred()), before);
            setting.converges(&case, &FOLLOW_UPS, &wanted);
        }
    }
}

#[test]
fn sigterm_at_any_tool_call_ends_hook_and_tool_well_and_what_is_left_is_kept() {
    let stage = Stage::new();
    for setting in stage.settings() {
        let (names, wanted) = setting.undisturbed();
        for call in 1..=names.len() {
            let case = setting.case();
            let run = case.run(setting.event.clone().fault(call, FaultKind::TerminateHook));
            ended_by_sigterm(&setting, &case, &run, &wanted);

            // The same, with the tool held open: its call has no effect, and the time is counted.
            let case = setting.case();
            let running = case.start(setting.event.clone().fault(call, FaultKind::Hold));
            running.wait_for_call(call, HOOK_LIMIT).unwrap();
            running.terminate().unwrap();
            running.wait_for_exit(AFTER_SIGTERM).unwrap();
            let run = running.finish(HOOK_LIMIT).unwrap();
            ended_by_sigterm(&setting, &case, &run, &wanted);
        }
    }
}

/// Exit 0; either all is written, or nothing is and leader-elected is kept.
fn ended_by_sigterm(setting: &Setting<'_>, case: &Case<'_>, run: &HookRun, wanted: &Outcome) {
    let what = format!("{}, SIGTERM at {:?}: {run:#?}", setting.name, tools(run));
    assert_eq!((run.exit, &run.commit), (Exit::Code(0), &Commit::Committed), "{what}");
    let is_done = case.bag() != setting.case().bag();
    match case.deferred() {
        Some(entry) if setting.is_election() => {
            assert!(entry.contains("stopped by SIGTERM"), "{entry}: {what}");
        }
        Some(entry) => assert_eq!(entry, DEFERRED, "{what}"),
        None => assert!(is_done, "nothing is written and nothing is kept: {what}"),
    }
    assert!(run.log.iter().all(|line| line.level != "ERROR"), "{what}");
    assert_eq!(run.stderr, "", "{what}");
    // Any event replays what was kept; where nothing was, one that has the leader's rules finds it.
    let next = if case.deferred().is_some() { "redis-pebble-ready" } else { "update-status" };
    setting.converges(case, &[next, "start"], wanted);
}

#[test]
fn sigterm_with_tools_that_hang_from_then_on_still_ends_within_a_second() {
    let stage = Stage::new();
    let [first, ..] = stage.settings();
    let (names, wanted) = first.undisturbed();
    let call = 1 + names.iter().position(|name| name == "is-leader").unwrap();
    let mut hook = first.event.clone().fault(call, FaultKind::Hold);
    for later in call + 1..call + 9 {
        hook = hook.fault(later, FaultKind::Hang);
    }
    let case = first.case();
    let running = case.start(hook);
    running.wait_for_call(call, HOOK_LIMIT).unwrap();
    running.terminate().unwrap();
    // Nothing can be kept any more: the exit code tells it, and Juju runs the hook again.
    assert_eq!(running.wait_for_exit(AFTER_SIGTERM).unwrap(), Exit::Code(1));
    let run = running.finish(HOOK_LIMIT).unwrap();
    assert_eq!(run.commit, Commit::Discarded);
    assert!(tools(&run).contains(&"state-set"), "{:?}", tools(&run));
    first.converges(&case, &FOLLOW_UPS, &wanted);
}

#[test]
fn a_tool_that_fails_or_prints_garbage_fails_the_hook_only_where_that_matters() {
    let stage = Stage::new();
    let faults = [
        FaultKind::Exit(1, "no such luck".to_owned()),
        FaultKind::Exit(2, "no such option".to_owned()),
        FaultKind::Garbage,
    ];
    let mut next = FOLLOW_UPS.iter().cycle();
    for setting in stage.settings() {
        let (names, wanted) = setting.undisturbed();
        for (index, name) in names.iter().enumerate() {
            for fault in &faults {
                let case = setting.case();
                let run = case.run(setting.event.clone().fault(index + 1, fault.clone()));
                ended_by_a_tool(&setting, &case, &run, (name, fault), &wanted);
                setting.converges(&case, &[next.next().unwrap()], &wanted);
            }
        }
    }
}

#[test]
fn a_tool_that_hangs_is_killed_at_its_deadline_and_the_hook_ends_in_its_budget() {
    let stage = Stage::new();
    let settings = stage.settings();
    // Each waits for 5 s: all at once.
    thread::scope(|scope| {
        for setting in &settings {
            let (names, wanted) = setting.undisturbed();
            let wanted = std::sync::Arc::new(wanted);
            for (index, name) in names.into_iter().enumerate() {
                let wanted = std::sync::Arc::clone(&wanted);
                scope.spawn(move || {
                    let fault = FaultKind::Hang;
                    let case = setting.case();
                    let run = case.run(setting.event.clone().fault(index + 1, fault.clone()));
                    ended_by_a_tool(setting, &case, &run, (&name, &fault), &wanted);
                    let next = FOLLOW_UPS[index % FOLLOW_UPS.len()];
                    setting.converges(&case, &[next], &wanted);
                });
            }
        }
    });
}

/// What a tool's fault does to the hook, by what hangs on the tool.
enum Effect {
    /// Exit 1: Juju drops all and runs the hook again.
    Fails,
    /// Exit 0, and nothing is written to the application databag.
    NothingWritten,
    /// Exit 0, and all is written.
    Done,
}

fn effect(tool: &str, fault: &FaultKind) -> Effect {
    match (tool, fault) {
        ("is-leader", FaultKind::Hang) => Effect::Fails,
        // What relation-set and state-delete print is not read, as they print nothing: such a call is
        // lost, and the next run finds it undone.
        ("is-leader", _) | ("relation-set", FaultKind::Garbage) => Effect::NothingWritten,
        ("status-set" | "juju-log", _) | ("state-delete", FaultKind::Garbage) => Effect::Done,
        _ => Effect::Fails,
    }
}

fn ended_by_a_tool(
    setting: &Setting<'_>,
    case: &Case<'_>,
    run: &HookRun,
    (tool, fault): (&str, &FaultKind),
    wanted: &Outcome,
) {
    let what = format!("{}: {tool} {fault:?}: {run:#?}", setting.name);
    let before = setting.case();
    let errors: Vec<&str> = run
        .log
        .iter()
        .filter(|line| line.level == "ERROR")
        .map(|line| line.message.as_str())
        .collect();
    match effect(tool, fault) {
        Effect::Fails => {
            assert_eq!((run.exit, &run.commit), (Exit::Code(1), &Commit::Discarded), "{what}");
            assert_eq!(case.outcome(), before.outcome(), "{what}");
            assert!(errors.len() == 1 && errors[0].contains(&format!("`{tool}")), "{what}");
        }
        Effect::NothingWritten => {
            assert_eq!((run.exit, &run.commit), (Exit::Code(0), &Commit::Committed), "{what}");
            assert_eq!(case.bag(), before.bag(), "{what}");
            assert_eq!(errors, [""; 0], "{what}");
            if tool == "is-leader" {
                assert_eq!(count(run, "relation-set") + count(run, "status-set"), 0, "{what}");
                let told = |text: &str| text.contains("`is-leader");
                assert!(run.log.iter().any(|line| line.level == "INFO" && told(&line.message)));
                assert!(case.deferred().is_some(), "{what}");
            }
        }
        Effect::Done => {
            assert_eq!((run.exit, &run.commit), (Exit::Code(0), &Commit::Committed), "{what}");
            assert!(case.bag() != before.bag(), "{what}");
            assert_eq!(errors, [""; 0], "{what}");
            let is_told = *fault == FaultKind::Garbage || run.stdout.contains(&format!("`{tool}"));
            assert!(is_told, "{what}");
            if tool == "juju-log" {
                assert_eq!(case.outcome(), *wanted, "{what}");
            }
        }
    }
    assert_eq!(run.stderr, "", "{what}");
}

#[test]
fn a_hook_that_runs_again_after_its_commit_writes_nothing() {
    let stage = Stage::new();
    for setting in stage.settings() {
        let case = setting.case();
        case.run(setting.event.clone());
        let committed = case.bag();
        let again = case.run(setting.event.clone());
        assert_eq!((again.exit, &again.commit), (Exit::Code(0), &Commit::Committed));
        assert_eq!(count(&again, "relation-set"), 0, "{}: {again:#?}", setting.name);
        assert!(case.bag() == committed, "{}: {again:#?}", setting.name);
        let (_, wanted) = setting.undisturbed();
        setting.converges(&case, &FOLLOW_UPS, &wanted);
    }
}

#[test]
fn an_action_whose_failure_juju_did_not_take_is_not_completed() {
    let stage = Stage::new();
    let [first, ..] = stage.settings();
    let action = Hook::action("redis-k8s/0", "make-coffee", "7");
    for fault in [FaultKind::Exit(1, "no".to_owned()), FaultKind::TerminateHook] {
        let run = first.case().run(action.clone().fault(1, fault));
        let result = run.action_result.unwrap();
        assert_eq!(result.status, "failed", "{result:?}");
    }
    let run = first.case().run(action.fault(1, FaultKind::KillHook));
    assert_eq!(run.action_result.unwrap().status, "failed");
}
