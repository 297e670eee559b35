//! Secrets over several hooks: pins, labels, and what is seen of changes before and after a commit.

use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Hook;

use super::controller;
use super::ending;
use super::hook;
use super::outcomes;
use super::with_names;
use crate::stage::run;
use crate::stage::run_with;

/// A hook: its unit, its script, what its calls come to, and how it ends.
type Step = (&'static str, &'static str, &'static [&'static str], &'static str);

struct Story {
    name: &'static str,
    steps: &'static [Step],
}

const STORIES: &[Story] = &[
    Story {
        name: "a reader stays with what it has read first until it refreshes",
        steps: &[
            ("web/0", "secret-get $SHARED value", &["SHARED-1"], ""),
            ("cache/0", "secret-set $SHARED value=B", &[""], ""),
            ("cache/0", "secret-set $SHARED value=C", &[""], ""),
            (
                "web/0",
                "secret-get $SHARED value; secret-get $SHARED --peek value; \
                 secret-get $SHARED value; secret-get $SHARED --refresh value; \
                 secret-get $SHARED value",
                &["SHARED-1", "C", "SHARED-1", "C", "C"],
                "",
            ),
            ("web/1", "secret-get $SHARED value", &["C"], ""),
        ],
    },
    Story {
        name: "the first look is a pin, even if it is but a peek",
        steps: &[
            ("web/0", "secret-get $SHARED --peek value", &["SHARED-1"], ""),
            ("cache/0", "secret-set $SHARED value=B", &[""], ""),
            ("web/0", "secret-get $SHARED value", &["SHARED-1"], ""),
        ],
    },
    Story {
        name: "owners and their siblings are readers like others",
        steps: &[
            ("cache/0", "secret-get $APP value; secret-get $OWN value", &["APP-1", "OWN-1"], ""),
            ("cache/1", "secret-get --label app", &["APP-1"], ""),
            ("cache/0", "secret-set $APP value=B; secret-set $OWN value=B", &["", ""], ""),
            (
                "cache/0",
                "secret-get $APP value; secret-get $OWN value; secret-get $OWN --peek value",
                &["APP-1", "OWN-1", "B"],
                "",
            ),
            (
                "cache/1",
                "secret-get $APP value; secret-get --label app --refresh",
                &["APP-1", "B"],
                "",
            ),
            ("cache/2", "secret-get $APP value", &["B"], ""),
        ],
    },
    Story {
        name: "the same content makes no revision, other keys do",
        steps: &[
            ("web/0", "secret-get $SHARED value", &["SHARED-1"], ""),
            ("cache/0", "secret-set $SHARED value=SHARED-1", &[""], ""),
            (
                "cache/0",
                "secret-info-get $SHARED --format=json | grep -q '\"revision\":1,' || exit 1",
                &[],
                "",
            ),
            ("cache/0", "secret-set $SHARED other=x", &[""], ""),
            (
                "web/0",
                "secret-get $SHARED value; secret-get $SHARED --refresh value",
                &["SHARED-1", "secret key value \"value\" not found"],
                "",
            ),
        ],
    },
    Story {
        name: "a hook sees its own changes as far as they are to be seen",
        steps: &[
            (
                "cache/0",
                "S=$(secret-add --label new value=A); secret-get $S value; \
                 secret-get --label new; secret-set $S value=B; secret-get $S value",
                &["URI", "A", "A", "", "B"],
                "",
            ),
            ("cache/0", "secret-get --label new", &["B"], ""),
            (
                "cache/0",
                "secret-get $APP value; secret-set $APP value=B; secret-get $APP value; \
                 secret-get $APP --peek value; secret-get $APP value; \
                 secret-get $APP --refresh value",
                &["APP-1", "", "APP-1", "B", "APP-1", "B"],
                "",
            ),
            ("cache/0", "secret-get $APP value", &["B"], ""),
            ("cache/0", "secret-set $APP --label renamed", &[""], ""),
            (
                "cache/0",
                "secret-get --label renamed; secret-get --label app",
                &["B", "consumer label \"app\" not found"],
                "",
            ),
            (
                "cache/0",
                "secret-remove $APP; secret-info-get $APP; secret-get $APP value",
                &["", "secret \"APP\" not found", "B"],
                "",
            ),
            ("cache/0", "secret-get $APP value", &["secret \"APP\" not found"], ""),
        ],
    },
    Story {
        name: "a failed hook loses its changes and keeps pins and labels",
        steps: &[
            ("web/0", "secret-get $SHARED value", &["SHARED-1"], ""),
            (
                "cache/0",
                "secret-add --label new value=A; secret-set $SHARED value=B; \
                 secret-grant $APP -r 1; secret-revoke $UNITS --app web; secret-remove $ONE; exit 1",
                &["URI", "", "", "", ""],
                "dropped",
            ),
            (
                "web/1",
                "secret-get $SHARED --refresh value; secret-get $APP value; \
                 secret-get $UNITS value; secret-get $ONE value",
                &["SHARED-1", "permission denied", "UNITS-1", "ONE-1"],
                "",
            ),
            ("cache/0", "secret-get --label new", &["consumer label \"new\" not found"], ""),
            ("cache/0", "secret-set $SHARED value=B", &[""], ""),
            ("web/0", "secret-get $SHARED --refresh --label mine value; exit 1", &["B"], "dropped"),
            ("web/0", "secret-get --label mine", &["B"], ""),
        ],
    },
    Story {
        name: "a pin to what is only to come is lost with the hook",
        steps: &[
            ("cache/0", "secret-get $OWN value", &["OWN-1"], ""),
            (
                "cache/0",
                "secret-set $OWN value=B; secret-get $OWN --refresh value; exit 1",
                &["", "B"],
                "dropped",
            ),
            ("cache/0", "secret-get $OWN --peek value", &["OWN-1"], ""),
        ],
    },
    Story {
        name: "a right that was taken comes back with the old pin",
        steps: &[
            ("web/0", "secret-get $SHARED value", &["SHARED-1"], ""),
            ("cache/0", "secret-set $SHARED value=B; secret-revoke $SHARED -r 1", &["", ""], ""),
            (
                "web/0",
                "secret-get $SHARED value; secret-get $SHARED --refresh value",
                &["permission denied", "permission denied"],
                "",
            ),
            ("cache/0", "secret-grant $SHARED -r 1 --unit web/0", &[""], ""),
            ("web/0", "secret-get $SHARED value", &["SHARED-1"], ""),
            ("web/1", "secret-get $SHARED value", &["permission denied"], ""),
            ("cache/0", "secret-grant $SHARED -r 1", &[ANY_UNIT], ""),
        ],
    },
    Story {
        name: "a reader's label is its own",
        steps: &[
            ("web/0", "secret-get $SHARED --label mine value", &["SHARED-1"], ""),
            ("web/1", "secret-get --label mine", &["consumer label \"mine\" not found"], ""),
            (
                "web/0",
                "secret-get $UNITS --label mine value",
                &["secret label \"mine\" for consumer \"unit-web-0\" already exists"],
                "",
            ),
            ("web/0", "secret-get $SHARED --label other value", &["SHARED-1"], ""),
            ("web/0", "secret-get $UNITS --label mine value", &["UNITS-1"], ""),
        ],
    },
    Story {
        name: "an owner that reads by its URI with a label renames it, a minion does not",
        steps: &[
            ("cache/1", "secret-get $APP --label theirs value", &["APP-1"], ""),
            ("cache/0", "secret-get --label app", &["APP-1"], ""),
            ("cache/0", "secret-get $APP --label ours value; exit 1", &["APP-1"], "dropped"),
            ("cache/1", "secret-get --label ours", &["APP-1"], ""),
        ],
    },
    Story {
        name: "a label is used once by an application and its units",
        steps: &[
            (
                "cache/1",
                "secret-add --owner unit --label app value=A",
                &["URI"],
                "creating secrets: secret label \"app\" for \"unit-cache-1\" already exists",
            ),
            (
                "cache/0",
                "secret-add --label minion value=A",
                &["URI"],
                "creating secrets: secret label \"minion\" for \"application-cache\" already exists",
            ),
            (
                "cache/0",
                "secret-set $APP --label shared",
                &[""],
                "updating secrets: secret label \"shared\" for owner \"application-cache\" already exists",
            ),
            ("cache/2", "secret-add --owner unit --label minion value=A", &["URI"], ""),
            ("web/0", "secret-add --label app value=A", &["URI"], ""),
        ],
    },
    Story {
        name: "what is refused at the commit keeps back what comes after it, not what was before",
        steps: &[
            (
                "cache/0",
                "secret-add --label first value=A; secret-add --label app value=B; \
                 secret-add --label third value=C; secret-set $OWN value=B; relation-set -r 0 a=1",
                &["URI", "URI", "URI", "", ""],
                "creating secrets: secret label \"app\" for owner \"application-cache\" already exists",
            ),
            (
                "cache/0",
                "secret-get --label first; secret-get --label third; \
                 secret-get $OWN value; relation-get -r 0 a cache/0",
                &["A", "C", "OWN-1", ""],
                "",
            ),
        ],
    },
    Story {
        name: "a revision that is gone is no longer read by whoever tracks it",
        steps: &[
            ("web/0", "secret-get $SHARED value", &["SHARED-1"], ""),
            ("cache/0", "secret-set $SHARED value=B", &[""], ""),
            ("cache/0", "secret-remove $SHARED --revision 1", &[""], ""),
            (
                "web/0",
                "secret-get $SHARED value; secret-get $SHARED --refresh value",
                &["secret revision \"SHARED/1\" not found", "B"],
                "",
            ),
            ("cache/0", "secret-remove $SHARED --revision 2", &[""], ""),
            ("web/0", "secret-get $SHARED value", &["secret \"SHARED\" not found"], ""),
        ],
    },
];

const ANY_UNIT: &str = "any unit level grants need to be revoked before granting access to the \
                        corresponding application";

#[test]
fn secrets_over_several_hooks() {
    for Story { name, steps } in STORIES {
        let controller = controller();
        for (unit, script, expected, end) in *steps {
            let run = hook(&controller, unit, script);
            if !expected.is_empty() {
                assert_eq!(outcomes(&run), *expected, "{name}: {unit}: {script}");
            }
            assert_eq!(ending(&run), *end, "{name}: {unit}: {script}");
        }
    }
}

#[test]
fn nobody_else_sees_a_change_before_its_commit() {
    let controller = controller();
    let script = "secret-set $SHARED value=B; secret-grant $APP -r 1; secret-remove $ONE; \
                  secret-add --label new value=A; is-leader";
    let reads = "secret-get $SHARED --peek value; secret-get $APP value; secret-get $ONE value; \
                 secret-get --label new";
    let changed = Hook::new("cache/0", "update-status");
    let (mut by_web, mut by_sibling) = (Vec::new(), Vec::new());
    let run = run_with(&controller, changed, &with_names(script), 5, || {
        by_web = outcomes(&hook(&controller, "web/1", reads));
        by_sibling = outcomes(&hook(&controller, "cache/1", "secret-get --label new"));
    });
    assert_eq!(ending(&run), "");
    let unknown = "consumer label \"new\" not found";
    assert_eq!(by_web, ["SHARED-1", "permission denied", "ONE-1", unknown]);
    assert_eq!(by_sibling, [unknown]);
    let by_web = outcomes(&hook(&controller, "web/1", reads));
    assert_eq!(by_web, ["B", "APP-1", "secret \"ONE\" not found", unknown]);
    let by_sibling = outcomes(&hook(&controller, "cache/1", "secret-get --label new"));
    assert_eq!(by_sibling, ["A"]);
}

/// What a unit does that led when its hook began and does no longer, and what it is told.
const AFTER_THE_LEASE: &[(&str, &str)] = &[
    ("secret-set $APP value=B", NO_LEADER),
    ("secret-grant $APP -r 1", NO_LEADER),
    ("secret-revoke $SHARED --app web", NO_LEADER),
    ("secret-remove $APP", NO_LEADER),
    ("secret-add value=B", NO_LEADER),
    ("secret-add --owner unit value=B", "URI"),
    ("secret-set $OWN value=B", ""),
    ("secret-get $APP value", "APP-1"),
];

const NO_LEADER: &str = "this unit is not the leader";

#[test]
fn a_leader_that_loses_the_lease_within_a_hook_is_told_at_once() {
    for (call, said) in AFTER_THE_LEASE {
        let lost = Hook::new("cache/0", "update-status").fault(1, FaultKind::LoseLeadership);
        let run = run(&controller(), lost, &with_names(call));
        assert_eq!(outcomes(&run), [*said], "{call}");
        assert_eq!(ending(&run), "", "{call}");
    }
}

/// What a leader does that has lost the lease by the commit, and what the controller says.
const AT_COMMIT: &[(&str, &str)] = &[
    ("secret-add value=B", "creating secrets: \"cache/0\" is not leader of \"cache\""),
    ("secret-set $APP value=B", "updating secrets: \"cache/0\" is not leader of \"cache\""),
    ("secret-grant $APP -r 1", "granting secrets access: \"cache/0\" is not leader of \"cache\""),
    (
        "secret-revoke $SHARED -r 1",
        "revoking secrets access: \"cache/0\" is not leader of \"cache\"",
    ),
    ("secret-remove $APP", "removing secrets: \"cache/0\" is not leader of \"cache\""),
    ("secret-set $OWN value=B", ""),
    ("secret-add --owner unit value=B", ""),
];

#[test]
fn whoever_changed_a_secret_of_the_application_must_lead_at_the_commit() {
    for (call, said) in AT_COMMIT {
        let controller = controller();
        let lost = Hook::new("cache/0", "update-status").lose_leadership_at_commit();
        let before = controller.read(|model| model.secrets.clone());
        let run = run(&controller, lost, &with_names(call));
        assert_eq!(ending(&run), *said, "{call}");
        let is_unchanged = controller.read(|model| model.secrets == before);
        assert_eq!(is_unchanged, !said.is_empty(), "{call}");
    }
}
