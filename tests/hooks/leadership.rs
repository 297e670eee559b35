//! Leadership lost while a hook runs: nothing is written to the application databag, and whoever
//! leads next finds the work as it was.

use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Hook;
use testbed::juju::run::Commit;
use testbed::juju::run::Exit;

use crate::matrix::Case;
use crate::matrix::FOLLOW_UPS;
use crate::matrix::Outcome;
use crate::matrix::Setting;
use crate::matrix::Stage;
use crate::scene::APPLICATION;
use crate::scene::count;
use crate::scene::tools;
use crate::scene::unit;

#[test]
fn leadership_lost_at_any_tool_call_ends_well_and_nothing_is_written() {
    let stage = Stage::new();
    for setting in stage.settings() {
        let (names, wanted) = setting.undisturbed();
        let asked = names.iter().position(|name| name == "is-leader").unwrap();
        let written = names.iter().position(|name| name == "relation-set").unwrap();
        assert!(asked < written);
        for index in 0..names.len() {
            let case = setting.case();
            let before = (case.bag(), case.deferred());
            let run = case.run(setting.event.clone().fault(index + 1, FaultKind::LoseLeadership));
            let what = format!("{}, lost at call {}: {run:#?}", setting.name, index + 1);
            assert_eq!(run.exit, Exit::Code(0), "{what}");
            assert!(run.log.iter().all(|line| line.level != "ERROR"), "{what}");
            assert_eq!(case.bag(), before.0, "{what}");
            if index <= asked {
                assert_eq!(run.commit, Commit::Committed, "{what}");
                assert_eq!(count(&run, "relation-set"), 0, "{what}");
                assert_eq!(case.deferred(), None, "{what}");
            } else if index <= written {
                assert_eq!(run.commit, Commit::Committed, "{what}");
                assert_eq!(run.calls[written].exit, Some(1), "{what}");
                assert_eq!(case.deferred(), before.1, "{what}");
                let told = "this unit leads no more";
                assert!(run.log.iter().any(|line| line.message.contains(told)), "{what}");
            } else {
                assert!(matches!(run.commit, Commit::Failed(_)), "{what}");
                assert_eq!(case.deferred(), before.1, "{what}");
            }
            another_leads(&case);
            leads_again(&setting, &case, &wanted);
        }
    }
}

#[test]
fn leadership_lost_at_the_commit_fails_it_and_the_retry_is_clean() {
    let stage = Stage::new();
    for setting in stage.settings() {
        let (_, wanted) = setting.undisturbed();

        let case = setting.case();
        let before = (case.bag(), case.deferred());
        let run = case.run(setting.event.clone().lose_leadership_at_commit());
        refused(&run.commit);
        assert_eq!((case.bag(), case.deferred()), before);
        // Juju runs the failed hook again; by now the unit knows that it leads no more.
        let retried = case.run(setting.event.clone());
        assert_eq!((retried.exit, &retried.commit), (Exit::Code(0), &Commit::Committed));
        assert_eq!(count(&retried, "relation-set"), 0, "{:?}", tools(&retried));
        assert_eq!(case.bag(), before.0);
        leads_again(&setting, &case, &wanted);

        // The same with a lease that another unit took while this one's agent still believes in it.
        let case = setting.case();
        case.controller.claim_leadership(&unit(0), Some(true));
        case.controller.set_leader(&unit(1));
        refused(&case.run(setting.event.clone()).commit);
        assert_eq!((case.bag(), case.deferred()), before);
        case.controller.claim_leadership(&unit(0), None);
        leads_again(&setting, &case, &wanted);
    }
}

#[test]
fn the_next_leader_finishes_what_the_last_one_could_not_commit() {
    let stage = Stage::new();
    let [_, correcting, _] = stage.settings();
    let (_, wanted) = correcting.undisturbed();
    let case = correcting.case();
    case.run(correcting.event.clone().lose_leadership_at_commit());
    case.controller.set_leader(&unit(1));
    let run = case.run_in(1, Hook::new(&unit(1), "leader-elected"));
    assert_eq!((run.exit, run.commit), (Exit::Code(0), Commit::Committed));
    assert_eq!(case.outcome().bag, wanted.bag);
}

fn refused(commit: &Commit) {
    let text = "checking leadership continuity: \"redis-k8s/0\" is not leader of \"redis-k8s\"";
    assert_eq!(commit, &Commit::Failed(text.to_owned()));
}

/// A unit that leads no more writes nothing in any later event, and drops what it had deferred.
fn another_leads(case: &Case<'_>) {
    let copy = case.copy();
    copy.controller.edit(|model| {
        model.applications.get_mut(APPLICATION).unwrap().leader = Some(unit(1));
    });
    let before = copy.bag();
    let run = copy.run(Hook::new(&unit(0), "update-status"));
    assert_eq!((run.exit, &run.commit), (Exit::Code(0), &Commit::Committed), "{run:#?}");
    assert_eq!(count(&run, "relation-set"), 0, "{run:#?}");
    assert_eq!((copy.bag(), copy.deferred()), (before, None), "{run:#?}");
}

fn leads_again(setting: &Setting<'_>, case: &Case<'_>, wanted: &Outcome) {
    case.controller.set_leader(&unit(0));
    setting.converges(case, &FOLLOW_UPS[..2], wanted);
}
