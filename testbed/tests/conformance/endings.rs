//! What is left of a hook that did not end well: tools that act at once, and tools that wait for
//! the commit.

use testbed::juju::action::ActionResult;
use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Hook;
use testbed::juju::model::Model;
use testbed::juju::model::port::OpenedPort;
use testbed::juju::run::Commit;
use testbed::juju::run::HookRun;

use crate::stage::PEERS;
use crate::stage::TO_WEB;
use crate::stage::controller;
use crate::stage::run;

const UNIT: &str = "cache/0";

/// When the effect of a tool is there for good.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Takes {
    /// At once, whatever becomes of the hook.
    AtOnce,
    /// At the commit.
    AtCommit,
}

/// A call, when it takes effect, and how the effect is seen in the model.
type Effect = (&'static str, Takes, fn(&Model) -> bool);

const EFFECTS: &[Effect] = &[
    ("relation-set -r 0 k=v", Takes::AtCommit, |model| of_unit(model, PEERS, "k") == Some("v")),
    ("relation-set -r 1 of=", Takes::AtCommit, |model| of_unit(model, TO_WEB, "of").is_none()),
    ("relation-set -r 0 --app k=v", Takes::AtCommit, |model| {
        model.relation(PEERS).unwrap().application_data["cache"].contains_key("k")
    }),
    ("relation-set -r 1 --app of=", Takes::AtCommit, |model| {
        model.relation(TO_WEB).unwrap().application_data["cache"].is_empty()
    }),
    ("state-set k=v", Takes::AtCommit, |model| model.unit(UNIT).unwrap().state.contains_key("k")),
    ("state-delete old", Takes::AtCommit, |model| {
        !model.unit(UNIT).unwrap().state.contains_key("old")
    }),
    ("open-port 80", Takes::AtCommit, |model| has_port(model, "80/tcp")),
    ("close-port 6379", Takes::AtCommit, |model| !has_port(model, "6379/tcp")),
    ("status-set blocked here", Takes::AtOnce, |model| {
        model.unit(UNIT).unwrap().status.message == "here"
    }),
    ("status-set --application blocked there", Takes::AtOnce, |model| {
        model.applications["cache"].status.message == "there"
    }),
    ("application-version-set 7.2", Takes::AtOnce, |model| {
        model.unit(UNIT).unwrap().workload_version == "7.2"
    }),
    ("leader-set k=v", Takes::AtOnce, |model| {
        model.applications["cache"].leader_settings.contains_key("k")
    }),
];

/// How a hook ends: what it is, what its script does last, and what becomes of its changes.
struct Ending {
    name: &'static str,
    hook: fn() -> Hook,
    last: &'static str,
    changes: Changes,
}

/// What becomes of the changes of a hook.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Changes {
    Kept,
    /// Dropped, as the hook failed.
    Dropped,
    /// Refused by the controller, with a text that begins so.
    Refused(&'static str),
}

const ENDINGS: &[Ending] = &[
    Ending { name: "exit 0", hook: event, last: "exit 0", changes: Changes::Kept },
    Ending { name: "exit 1", hook: event, last: "exit 1", changes: Changes::Dropped },
    Ending { name: "SIGTERM", hook: event, last: "kill -TERM $$", changes: Changes::Dropped },
    Ending { name: "SIGKILL", hook: event, last: "kill -KILL $$", changes: Changes::Dropped },
    Ending {
        name: "killed at its last call",
        hook: || event().fault(EFFECTS.len() + 2, FaultKind::KillHook),
        last: "is-leader",
        changes: Changes::Dropped,
    },
    Ending {
        name: "lease lost at the commit",
        hook: || event().lose_leadership_at_commit(),
        last: "exit 0",
        changes: Changes::Refused(NO_LEADER),
    },
    Ending {
        name: "port of ICMP",
        hook: event,
        last: "open-port icmp",
        changes: Changes::Refused("protocol icmp"),
    },
    Ending {
        name: "port of no endpoint",
        hook: event,
        last: "open-port --endpoints nope 81",
        changes: Changes::Refused("cannot open/close ports"),
    },
    Ending {
        name: "state too large",
        hook: event,
        last: TOO_MUCH_STATE,
        changes: Changes::Refused("persisting charm state"),
    },
    Ending { name: "action, exit 0", hook: action, last: "exit 0", changes: Changes::Kept },
    Ending { name: "action, exit 1", hook: action, last: "exit 1", changes: Changes::Dropped },
    Ending { name: "action-fail", hook: action, last: "action-fail no", changes: Changes::Kept },
    Ending {
        name: "action-fail, exit 1",
        hook: action,
        last: "action-fail no; exit 1",
        changes: Changes::Dropped,
    },
    Ending {
        name: "action, lease lost at the commit",
        hook: || action().lose_leadership_at_commit(),
        last: "exit 0",
        changes: Changes::Refused(NO_LEADER),
    },
    // The commands have run, and that is what counts.
    Ending {
        name: "exec, exit 0",
        hook: || Hook::exec(UNIT),
        last: "exit 0",
        changes: Changes::Kept,
    },
    Ending {
        name: "exec, exit 1",
        hook: || Hook::exec(UNIT),
        last: "exit 1",
        changes: Changes::Kept,
    },
    Ending {
        name: "exec, lease lost at the commit",
        hook: || Hook::exec(UNIT).lose_leadership_at_commit(),
        last: "exit 1",
        changes: Changes::Refused(NO_LEADER),
    },
];

const NO_LEADER: &str = "checking leadership continuity";

/// More than the controller takes of one unit, in values that it takes one by one.
const TOO_MUCH_STATE: &str = "for n in $(seq 40); do head -c 60000 /dev/zero | tr '\\0' x | \
     sed \"s/^/k$n: /\" | state-set --file -; done";

#[test]
fn what_waits_for_the_commit_is_lost_with_it_and_what_acts_at_once_stays() {
    for ending in ENDINGS {
        let (run, model) = end(ending);
        let as_expected = match (&run.commit, ending.changes) {
            (Commit::Committed, Changes::Kept) | (Commit::Discarded, Changes::Dropped) => true,
            (Commit::Failed(text), Changes::Refused(start)) => text.starts_with(start),
            _ => false,
        };
        assert!(as_expected, "{}: {:?}", ending.name, run.commit);
        let is_kept = ending.changes == Changes::Kept;
        for (call, takes, is_seen) in EFFECTS {
            let expected = is_kept || *takes == Takes::AtOnce;
            assert_eq!(is_seen(&model), expected, "{}: {call}", ending.name);
        }
        let log: Vec<&str> = run.log.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(log, ["said"], "{}: juju-log", ending.name);
    }
}

#[test]
fn a_commit_that_fails_leaves_nothing_of_the_databags_at_all() {
    let untouched = controller().read(|model| model.relations.clone());
    for ending in ENDINGS.iter().filter(|ending| ending.changes != Changes::Kept) {
        let (_, model) = end(ending);
        assert_eq!(model.relations, untouched, "{}", ending.name);
    }
}

/// Action: what its script does last, whether the lease is lost at the commit, and what its
/// caller is told: status, message, return code.
const ACTIONS: &[(&str, bool, &str, &str, i64)] = &[
    ("exit 0", false, "completed", "", 0),
    ("exit 3", false, "failed", "exit status 3", 3),
    ("action-fail mine; exit 0", false, "failed", "mine", 0),
    ("action-fail mine; exit 3", false, "failed", "exit status 3", 3),
    ("kill -TERM $$", false, "failed", "signal: terminated", -1),
    ("exit 0", true, "failed", "committing requested changes failed", 0),
    ("action-fail mine; exit 0", true, "failed", "mine", 0),
];

#[test]
fn the_results_and_the_log_of_an_action_are_told_however_it_ends() {
    for &(last, loses_lease, status, message, code) in ACTIONS {
        let controller = controller();
        let hook = if loses_lease { action().lose_leadership_at_commit() } else { action() };
        let script = format!(
            "action-set a.b=1 c=2; action-log so far; relation-set -r 0 --app k=v; echo said; {last}"
        );
        let run = run(&controller, hook, &script);
        let result: ActionResult = run.action_result.unwrap();
        let told = (result.status.as_str(), result.message.as_str());
        assert_eq!(told, (status, message), "{last}");
        let results = &result.results;
        assert_eq!(results["a"]["b"], "1", "{last}");
        assert_eq!(results["c"], "2", "{last}");
        assert_eq!(results["return-code"], code, "{last}");
        assert_eq!(
            (result.stdout(), result.log.as_slice()),
            ("said\n", &["so far".to_owned()][..])
        );
        let is_commit_refused = result.stderr().starts_with(NO_LEADER);
        assert_eq!(is_commit_refused, loses_lease, "{last}: {}", result.stderr());
    }
}

/// Runs all calls in one hook that ends so; returns its record and the model that it left.
fn end(ending: &Ending) -> (HookRun, Model) {
    let controller = controller();
    controller.edit(|model| {
        let unit = model.unit_mut(UNIT).unwrap();
        unit.state.insert("old".to_owned(), "1".to_owned());
        let endpoint = String::new();
        let range = "6379/tcp".parse().unwrap();
        unit.opened_ports.insert(OpenedPort { range, endpoint });
    });
    let mut script = String::from("set -e; juju-log said");
    for (call, _, is_seen) in EFFECTS {
        assert!(!controller.read(is_seen), "{call}: its effect is there before it");
        script.extend(["; ", call]);
    }
    let run = run(&controller, (ending.hook)(), &format!("{script}; {}", ending.last));
    assert!(run.calls.len() > EFFECTS.len(), "{}: {}", ending.name, run.stderr);
    let model = controller.read(Model::clone);
    (run, model)
}

fn event() -> Hook {
    Hook::new(UNIT, "update-status")
}

fn action() -> Hook {
    Hook::action(UNIT, "check", "12")
}

fn of_unit<'a>(model: &'a Model, relation: u32, key: &str) -> Option<&'a str> {
    model.relation(relation)?.units[UNIT].data.get(key).map(String::as_str)
}

fn has_port(model: &Model, port: &str) -> bool {
    let ports = &model.unit(UNIT).unwrap().opened_ports;
    ports.iter().any(|opened| opened.range.to_string() == port)
}
