//! Leadership within a hook and at its commit.

use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Hook;
use testbed::juju::run::Commit;

use crate::stage::controller;
use crate::stage::outcome;
use crate::stage::run;
use crate::stage::run_with;

/// What a leader does that has lost its lease by the commit, and whether the commit fails.
const AT_COMMIT: &[(&str, bool)] = &[
    ("relation-set -r 0 --app k=v", true),
    ("relation-set -r 1 --app k=v", true),
    ("echo '{k: v}' | relation-set -r 0 --app --file -", true),
    // The same again and the end of what is not there are writes as well.
    ("relation-set -r 0 --app of='0 cache'", true),
    ("relation-set -r 0 --app missing=", true),
    ("relation-set -r 0 --app k=v; relation-set -r 0 --app k=", true),
    // Without a value nothing is written.
    ("relation-set -r 0 --app", false),
    ("echo | relation-set -r 0 --app --file -", false),
    ("relation-get -r 0 --app - cache", false),
    ("relation-set -r 0 k=v; relation-set -r 1 k=v", false),
    ("state-set k=v; open-port 80", false),
    ("status-set --application active", false),
    ("is-leader", false),
];

#[test]
fn whoever_wrote_for_the_application_must_lead_at_the_commit() {
    for (script, fails) in AT_COMMIT {
        let controller = controller();
        let script = format!("set -e; {script}; state-set witness=1");
        let hook = Hook::new("cache/0", "update-status").lose_leadership_at_commit();
        let run_of_former = run(&controller, hook, &script);
        let expected = if *fails {
            let text = "\"cache/0\" is not leader of \"cache\"";
            Commit::Failed(format!("checking leadership continuity: {text}"))
        } else {
            Commit::Committed
        };
        assert_eq!(run_of_former.commit, expected, "{script}");
        let is_kept =
            controller.read(|model| model.unit("cache/0").unwrap().state.contains_key("witness"));
        assert_eq!(is_kept, !fails, "{script}");
    }
}

#[test]
fn a_hook_that_lost_the_lease_finds_a_minion_when_it_is_tried_again() {
    let controller = controller();
    let script = "is-leader; relation-set -r 0 --app k=v";
    let hook = Hook::new("cache/0", "update-status").fault(3, FaultKind::LoseLeadership);
    let first = run(&controller, hook, &format!("{script}; relation-ids redis-peers"));
    assert!(matches!(first.commit, Commit::Failed(_)), "{:?}", first.commit);
    let again = run(&controller, Hook::new("cache/0", "update-status"), script);
    let outcomes = [outcome(&again.calls[0]), outcome(&again.calls[1])];
    assert_eq!(outcomes, ["False", "cannot write relation settings"]);
}

/// Questions after leadership, each of which a minion is told no.
const QUESTIONS: &[&str] = &[
    "is-leader",
    "relation-set -r 0 --app k=v",
    "relation-set -r 1 --app k=v",
    "status-set --application active",
    "status-get --application",
    "leader-set k=v",
];

#[test]
fn a_hook_that_was_told_no_stays_a_minion_to_its_end() {
    for question in QUESTIONS {
        let controller = controller();
        let minion = || Hook::new("cache/1", "update-status");
        let script = format!("{question}; is-leader; relation-set -r 0 --app k=v");
        let run_of_minion =
            run_with(&controller, minion(), &script, 2, || controller.set_leader("cache/1"));
        let outcomes = [outcome(&run_of_minion.calls[1]), outcome(&run_of_minion.calls[2])];
        assert_eq!(outcomes, ["False", "cannot write relation settings"], "{question}");
        let next = run(&controller, minion(), "is-leader");
        assert_eq!(outcome(&next.calls[0]), "True", "{question}");
    }
}

/// Calls that ask nothing of the kind: the hook may still turn out to lead.
const NO_QUESTIONS: &[&str] = &[
    "relation-get -r 0 - cache/0",
    "relation-set -r 0 k=v",
    "status-set active",
    "status-get",
    "state-set k=v",
    "leader-get",
    "goal-state",
];

#[test]
fn a_hook_that_asked_nothing_learns_of_a_lease_that_it_has_gained() {
    for call in NO_QUESTIONS {
        let controller = controller();
        let minion = Hook::new("cache/1", "update-status");
        let script = format!("{call}; is-leader");
        let run = run_with(&controller, minion, &script, 2, || controller.set_leader("cache/1"));
        assert_eq!(outcome(&run.calls[1]), "True", "{call}");
    }
}

#[test]
fn a_yes_is_asked_for_anew_with_each_call() {
    let controller = controller();
    let hook = Hook::new("cache/0", "update-status").fault(2, FaultKind::LoseLeadership);
    let run = run(&controller, hook, "is-leader; is-leader");
    let outcomes = [outcome(&run.calls[0]), outcome(&run.calls[1])];
    assert_eq!(outcomes, ["True", "False"]);
}
