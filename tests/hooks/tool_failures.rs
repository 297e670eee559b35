//! A hook tool that fails: every way is told apart, with the tool, its arguments, its exit code and
//! what it said, and without any value.

use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Hook;
use testbed::juju::run::Commit;
use testbed::juju::run::Exit;
use testbed::juju::run::HookRun;

use crate::matrix::DEFERRED;
use crate::scene::Scene;
use crate::scene::tools;
use crate::scene::unit;
use crate::toolbox::Toolbox;

/// A value that stands for a password that the bed does not know of.
const PLANTED: &str = "ThePlantedPassword";

#[test]
fn every_way_to_fail_is_told_apart() {
    let scene = Scene::before_the_first_election(1);
    let election = || Hook::new(&unit(0), "leader-elected");
    let exit = |code| FaultKind::Exit(code, "no such luck".to_owned());
    let whole = || Toolbox::of(&scene.controller);
    let killed = whole().with("relation-ids", "kill -9 $$");
    let missing = whole().without("relation-ids");
    let unrunnable = whole().with_unrunnable("relation-ids");
    let name = "leader-elected";
    for (hook, text) in [
        (election().fault(2, exit(1)), "CALL failed (exit code 1): ERROR no such luck"),
        (election().fault(2, exit(2)), "CALL was called wrongly (exit code 2): ERROR no such luck"),
        (election().fault(2, exit(7)), "CALL failed (exit code 7): ERROR no such luck"),
        (
            election().fault(2, FaultKind::Garbage),
            "cannot read what CALL printed: no JSON of the expected shape: a syntax error in column 1",
        ),
        (election().fault(2, FaultKind::Hang), "CALL gave no answer in time"),
        (killed.hook(name), "CALL was ended by signal 9"),
        (
            missing.hook(name),
            "CALL is not on PATH; Juju puts its hook tools there when it runs a hook",
        ),
        (unrunnable.hook(name), "cannot start CALL: Permission denied (os error 13)"),
    ] {
        let run = scene.run_hook(0, hook);
        let text = text.replace("CALL", "`relation-ids redis-peers --format=json`");
        assert_eq!(error(&run), format!("cannot learn from Juju what is: {text}"));
        assert_eq!((run.exit, &run.commit), (Exit::Code(1), &Commit::Discarded), "{run:#?}");
        assert_eq!(run.stderr, "", "{run:#?}");
    }
    assert!(scene.databag().is_empty());
}

#[test]
fn every_tool_is_named_with_its_arguments_and_without_a_value() {
    let scene = Scene::before_the_first_election(1);
    // Without an answer to is-leader the run keeps leader-elected, so that state-set has its turn.
    let unsure = |call| vec![(4, refusal()), (call, refusal())];
    for (faults, call) in [
        (vec![(1, refusal())], "`state-get --format=json`"),
        (vec![(2, refusal())], "`relation-ids redis-peers --format=json`"),
        (vec![(3, refusal())], "`relation-get --format=json -r 0 --app - redis-k8s`"),
        (vec![(4, refusal())], "`is-leader --format=json`"),
        (vec![(5, refusal())], "`relation-set -r 0 --app --file -`"),
        (unsure(5), "`state-set --file -`"),
        (vec![(6, refusal())], "`state-delete deferred`"),
        (vec![(6, refusal())], "`status-set waiting`"),
        (vec![(7, refusal())], "`juju-log -l INFO`"),
    ] {
        scene.controller.edit(|model| {
            model.relations[0].application_data.get_mut("redis-k8s").unwrap().clear();
            let state = &mut model.unit_mut(&unit(0)).unwrap().state;
            state.clear();
            if call.contains("state-delete") {
                state.insert("deferred".to_owned(), DEFERRED.to_owned());
            }
        });
        let hook = Hook::new(&unit(0), "leader-elected");
        let hook = faults.into_iter().fold(hook, |hook, (call, fault)| hook.fault(call, fault));
        let run = scene.run_hook(0, hook);
        let told = format!("{call} failed (exit code 1): ERROR no such luck");
        let said: Vec<&str> = run.log.iter().map(|line| line.message.as_str()).collect();
        let found = said.iter().any(|line| line.contains(&told)) || run.stdout.contains(&told);
        assert!(found, "{told}: {said:?}, {:?}, {:?}", run.stdout, tools(&run));
    }
    let departed = Scene::healthy(1);
    let run = departed.run_hook(0, Hook::new(&unit(0), "start").fault(4, refusal()));
    assert!(error(&run).contains("`goal-state --format=json` failed (exit code 1)"), "{run:#?}");
}

#[test]
fn values_that_a_failed_tool_repeats_are_masked() {
    let scene = Scene::before_the_first_election(1);
    let toolbox = Toolbox::of(&scene.controller)
        .with("relation-set", "input=$(cat); echo \"$input\" >&2; echo \"$input\"; exit 1");
    let run = scene.run_hook(0, toolbox.hook("leader-elected"));
    let text = error(&run);
    assert!(text.contains("`relation-set -r 0 --app --file -` failed (exit code 1): "), "{text}");
    assert!(text.contains(r#""redis-password":"***","sentinel-password":"***""#), "{text}");
    assert!(scene.databag().is_empty());
}

#[test]
fn an_answer_that_cannot_be_read_is_not_repeated() {
    let scene = Scene::before_the_first_election(1);
    for answer in [
        PLANTED.to_owned(),
        format!(r#"{{"redis-password": "{PLANTED}"#),
        format!(r#"{{"redis-password": ["{PLANTED}"]}}"#),
        format!(r#"["{PLANTED}"]"#),
        format!(r#"{{"redis-password": "{PLANTED}"}} {PLANTED}"#),
        format!(r#"{{"{PLANTED}": 7}}"#),
        format!("\"{PLANTED}\""),
    ] {
        let script = format!("cat <<'END'\n{answer}\nEND\necho 'see {PLANTED}' >&2");
        let toolbox = Toolbox::of(&scene.controller).with("relation-get", &script);
        let run = scene.run_hook(0, toolbox.hook("leader-elected"));
        assert_eq!(run.exit, Exit::Code(1), "{answer}: {run:#?}");
        let text = error(&run);
        assert!(text.contains("cannot read what `relation-get"), "{answer}: {text}");
        not_said(&run);
    }
}

#[test]
fn a_databag_value_that_makes_no_sense_is_not_repeated() {
    let scene = Scene::before_the_first_election(1);
    scene.record(&[
        ("leader-host", &scene.bed.host(0)),
        ("master-epoch", PLANTED),
        ("enable-password", PLANTED),
        ("redis-password", PLANTED),
        ("sentinel-password", PLANTED),
        ("something-else", PLANTED),
    ]);
    scene.controller.edit(|model| {
        let state = &mut model.unit_mut(&unit(0)).unwrap().state;
        state.insert("deferred".to_owned(), format!("[{PLANTED}"));
    });
    for name in ["leader-elected", "update-status", "redis-pebble-ready"] {
        let run = scene.run(0, name);
        not_said(&run);
    }
}

fn refusal() -> FaultKind {
    FaultKind::Exit(1, "no such luck".to_owned())
}

/// The one ERROR line of a run.
fn error(run: &HookRun) -> String {
    let mut errors = run.log.iter().filter(|line| line.level == "ERROR");
    let (Some(line), None) = (errors.next(), errors.next()) else {
        panic!("there is not one ERROR line: {run:#?}");
    };
    line.message.clone()
}

fn not_said(run: &HookRun) {
    let log = run.log.iter().map(|line| line.message.as_str());
    let argv = run.calls.iter().flat_map(|call| &call.argv).map(String::as_str);
    for said in log.chain(argv).chain([run.stdout.as_str(), run.stderr.as_str()]) {
        assert!(!said.contains(PLANTED), "{said}");
    }
}
