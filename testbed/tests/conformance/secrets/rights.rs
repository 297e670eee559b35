//! Who may read a secret, who may change it, and who may find out about it.

use testbed::juju::model::relation::Relation;

use super::controller;
use super::ending;
use super::hook;
use super::outcomes;

const UNITS: [&str; 5] = ["cache/0", "cache/1", "web/0", "web/1", "idle/0"];

const DENIED: &str = "permission denied";

/// What each of the units is given of a secret.
const READERS: &[(&str, [&str; 5])] = &[
    ("APP", ["APP-1", "APP-1", DENIED, DENIED, DENIED]),
    ("OWN", ["OWN-1", DENIED, DENIED, DENIED, DENIED]),
    ("MINION", [DENIED, "MINION-1", DENIED, DENIED, DENIED]),
    ("SHARED", ["SHARED-1", "SHARED-1", "SHARED-1", "SHARED-1", DENIED]),
    ("UNITS", ["UNITS-1", DENIED, "UNITS-1", "UNITS-1", DENIED]),
    ("ONE", ["ONE-1", "ONE-1", DENIED, "ONE-1", DENIED]),
];

#[test]
fn owners_and_siblings_of_an_owning_application_and_whoever_has_a_grant_may_read() {
    let controller = controller();
    for (name, given) in READERS {
        for (unit, given) in UNITS.iter().zip(given) {
            for how in ["", "--peek", "--refresh"] {
                let run = hook(&controller, unit, &format!("secret-get ${name} {how} value"));
                assert_eq!(outcomes(&run), [*given], "{unit} reads {name} {how}");
            }
        }
    }
}

#[test]
fn the_owners_label_leads_the_owner_and_its_siblings_alone_to_a_secret() {
    for (name, given) in READERS {
        let label = name.to_lowercase();
        for (unit, given) in UNITS.iter().zip(given) {
            let run = hook(&controller(), unit, &format!("secret-get --label {label}"));
            let is_of_own = unit.starts_with("cache/") && *given != DENIED;
            let unknown = format!("consumer label \"{label}\" not found");
            let expected = if is_of_own { *given } else { unknown.as_str() };
            assert_eq!(outcomes(&run), [expected], "{unit} reads {label}");
        }
    }
}

/// A change of a secret, the unit that tries it, what the tool says, and what the controller says.
const CHANGES: &[(&str, &str, &str, &str)] = &[
    ("cache/0", "secret-set $APP value=x", "", ""),
    ("cache/0", "secret-set $OWN value=x", "", ""),
    ("cache/0", "secret-set $MINION value=x", "", "updating secrets: permission denied"),
    ("cache/1", "secret-set $MINION value=x", "", ""),
    (
        "cache/1",
        "secret-set $APP value=x",
        "",
        "updating secrets: \"cache/1\" is not leader of \"cache\"",
    ),
    ("web/0", "secret-set $SHARED value=x", "", "updating secrets: permission denied"),
    ("cache/0", "secret-grant $APP -r 1", "", ""),
    ("cache/0", "secret-grant $MINION -r 1", "secret \"MINION\" not found", ""),
    ("cache/1", "secret-grant $APP -r 1", "secret \"APP\" not found", ""),
    ("web/0", "secret-grant $SHARED -r 1", "secret \"SHARED\" not found", ""),
    ("cache/0", "secret-revoke $SHARED --app web", "", ""),
    (
        "cache/1",
        "secret-revoke $SHARED --app web",
        "",
        "revoking secrets access: \"cache/1\" is not leader of \"cache\"",
    ),
    ("web/0", "secret-revoke $SHARED -r 1", "", "revoking secrets access: permission denied"),
    ("cache/0", "secret-remove $APP", "", ""),
    (
        "cache/1",
        "secret-remove $APP",
        "",
        "removing secrets: \"cache/1\" is not leader of \"cache\"",
    ),
    ("web/0", "secret-remove $SHARED", "", "removing secrets: permission denied"),
    ("cache/0", "secret-add value=x", "URI", ""),
    ("cache/1", "secret-add value=x", "this unit is not the leader", ""),
    ("cache/1", "secret-add --owner unit value=x", "URI", ""),
    ("cache/1", "secret-info-get $APP", "secret \"APP\" not found", ""),
    ("cache/0", "secret-info-get $MINION", "secret \"MINION\" not found", ""),
    ("web/0", "secret-info-get $SHARED", "secret \"SHARED\" not found", ""),
];

#[test]
fn a_unit_changes_its_own_secrets_and_a_leader_those_of_its_application() {
    for (unit, call, said, commit) in CHANGES {
        let controller = controller();
        let before = controller.read(|model| model.secrets.clone());
        let run = hook(&controller, unit, &format!("relation-set -r 1 witness=x; {call}"));
        assert_eq!(outcomes(&run), ["", *said], "{unit}: {call}");
        assert_eq!(ending(&run), *commit, "{unit}: {call}");
        let is_refused = !commit.is_empty() || (!said.is_empty() && *said != "URI");
        let after = controller.read(|model| model.secrets.clone());
        assert_eq!(after == before, is_refused, "{unit}: {call}");
        let witness = controller
            .read(|model| model.relation(1).unwrap().units[*unit].data.contains_key("witness"));
        assert_eq!(witness, commit.is_empty(), "{unit}: {call}");
    }
}

/// The secrets that a unit is told it owns.
const OWNED: &[(&str, &[&str])] = &[
    ("cache/0", &["APP", "ONE", "OWN", "SHARED", "UNITS"]),
    ("cache/1", &["MINION"]),
    ("cache/2", &[]),
    ("web/0", &[]),
];

#[test]
fn only_a_leader_is_told_of_its_applications_secrets() {
    for (unit, names) in OWNED {
        let run = hook(&controller(), unit, "secret-ids");
        let told = outcomes(&run).concat();
        let mut told: Vec<&str> = told.lines().collect();
        told.sort_unstable();
        assert_eq!(told, *names, "{unit}");
    }
}

#[test]
fn a_grant_ends_with_its_relation_and_a_secret_with_its_owner() {
    let controller = controller();
    assert_eq!(outcomes(&hook(&controller, "web/0", "secret-get $UNITS value")), ["UNITS-1"]);
    controller.edit(|model| {
        model.relations.retain(Relation::is_peer);
        model.forget_grants_of(1);
    });
    assert_eq!(outcomes(&hook(&controller, "web/0", "secret-get $UNITS value")), [DENIED]);
    controller.edit(|model| model.remove_unit("cache/0"));
    let run = hook(&controller, "web/0", "secret-get $UNITS value; secret-get $APP value");
    assert_eq!(outcomes(&run), ["secret \"UNITS\" not found", DENIED]);
}
