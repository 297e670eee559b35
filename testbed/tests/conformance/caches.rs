//! From where a databag is read: what a hook sees of others' changes and of its own.

use testbed::juju::controller::Controller;
use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Happening;
use testbed::juju::hook::Hook;

use crate::stage::PEERS;
use crate::stage::TO_WEB;
use crate::stage::controller;
use crate::stage::outcome;
use crate::stage::run;
use crate::stage::run_with;

/// A databag that is read, changed by somebody else, and read again.
struct Read {
    what: &'static str,
    reader: &'static str,
    relation: u32,
    owner: &'static str,
    /// Whether events have told the reader of any member yet.
    has_members: bool,
    /// Whether the next hook sees the change.
    is_fresh_in_next_hook: bool,
}

const READS: &[Read] = &[
    Read {
        what: "own unit",
        reader: "cache/0",
        relation: PEERS,
        owner: "cache/0",
        has_members: true,
        is_fresh_in_next_hook: true,
    },
    Read {
        what: "own application of its leader, peer relation",
        reader: "cache/0",
        relation: PEERS,
        owner: "cache",
        has_members: true,
        is_fresh_in_next_hook: true,
    },
    Read {
        what: "own application of its leader",
        reader: "cache/0",
        relation: TO_WEB,
        owner: "cache",
        has_members: true,
        is_fresh_in_next_hook: true,
    },
    Read {
        what: "own application of a minion, peer relation",
        reader: "cache/1",
        relation: PEERS,
        owner: "cache",
        has_members: true,
        is_fresh_in_next_hook: true,
    },
    Read {
        what: "other application",
        reader: "cache/1",
        relation: TO_WEB,
        owner: "web",
        has_members: true,
        is_fresh_in_next_hook: true,
    },
    Read {
        what: "member, peer relation",
        reader: "cache/0",
        relation: PEERS,
        owner: "cache/1",
        has_members: true,
        is_fresh_in_next_hook: false,
    },
    Read {
        what: "member",
        reader: "web/1",
        relation: TO_WEB,
        owner: "cache/1",
        has_members: true,
        is_fresh_in_next_hook: false,
    },
    Read {
        what: "unit that is not yet a member",
        reader: "cache/0",
        relation: PEERS,
        owner: "cache/1",
        has_members: false,
        is_fresh_in_next_hook: true,
    },
    Read {
        what: "unit of the own application, which is no member",
        reader: "cache/0",
        relation: TO_WEB,
        owner: "cache/1",
        has_members: true,
        is_fresh_in_next_hook: true,
    },
];

#[test]
fn a_change_by_somebody_else_is_seen_by_the_next_hook_but_that_of_a_member_by_its_own_alone() {
    for row in READS {
        let controller = controller();
        let hook = |name| hook(row, name);
        let read = read_command(row.relation, row.owner);
        let old = format!("{} {}", row.relation, row.owner);
        let change = || set(&controller, row.relation, row.owner, "changed");
        let script = format!("{read}; {read}");
        let run_of_two = run_with(&controller, hook("update-status"), &script, 2, change);
        let outcomes = [outcome(&run_of_two.calls[0]), outcome(&run_of_two.calls[1])];
        assert_eq!(outcomes, [old.clone(), old.clone()], "{}: in the same hook", row.what);
        let next = run(&controller, hook("update-status"), &read);
        let expected = if row.is_fresh_in_next_hook { "changed" } else { &old };
        assert_eq!(outcome(&next.calls[0]), expected, "{}: in the next hook", row.what);
        if !row.is_fresh_in_next_hook {
            assert_member_is_read_again(&controller, row, &old);
        }
    }
}

/// A hook for another unit changes nothing; one for the member itself does, and so does the end of
/// the agent.
fn assert_member_is_read_again(controller: &Controller, row: &Read, old: &str) {
    let read = read_command(row.relation, row.owner);
    let changed = |unit: &str| {
        let happening = Happening::Changed { unit: unit.to_owned() };
        Hook::relation(row.reader, row.relation, happening)
    };
    let of_another = run(controller, changed("cache/2"), &read);
    assert_eq!(outcome(&of_another.calls[0]), old, "{}: another's hook", row.what);
    let of_its_own = run(controller, changed(row.owner), &read);
    assert_eq!(outcome(&of_its_own.calls[0]), "changed", "{}: its own hook", row.what);
    set(controller, row.relation, row.owner, "again");
    let stale = run(controller, hook(row, "update-status"), &read);
    assert_eq!(outcome(&stale.calls[0]), "changed", "{}: kept", row.what);
    controller.restart_agent(row.reader);
    let restarted = run(controller, hook(row, "update-status"), &read);
    assert_eq!(outcome(&restarted.calls[0]), "again", "{}: agent restarted", row.what);
}

#[test]
fn the_databag_of_a_departed_unit_stays_and_is_read_from_the_controller() {
    let controller = controller();
    let read = read_command(PEERS, "cache/2");
    let departed =
        |unit: &str| Happening::Departed { unit: unit.to_owned(), departing: unit.to_owned() };
    let hook = Hook::relation("cache/0", PEERS, departed("cache/2"));
    let script = format!("relation-list -r {PEERS}; {read}");
    let run_of_departed = run(&controller, hook, &script);
    assert_eq!(outcome(&run_of_departed.calls[0]), "cache/1");
    assert_eq!(outcome(&run_of_departed.calls[1]), "0 cache/2");
    controller.edit(|model| model.remove_unit("cache/2"));
    set(&controller, PEERS, "cache/2", "changed");
    let later = run(&controller, Hook::new("cache/0", "update-status"), &read);
    assert_eq!(outcome(&later.calls[0]), "changed");
}

/// Who writes what with which tool, and what the hook that did so reads afterwards.
const OWN_WRITES: &[(&str, u32, &str, &str)] = &[
    ("k=v", PEERS, "cache/0", "{\"k\":\"v\",\"of\":\"0 cache/0\"}"),
    ("k=v", TO_WEB, "cache/0", "{\"k\":\"v\",\"of\":\"1 cache/0\"}"),
    ("of=", PEERS, "cache/0", "{}"),
    ("of=", TO_WEB, "cache/0", "{}"),
    ("k=v", PEERS, "cache", "{\"k\":\"v\",\"of\":\"0 cache\"}"),
    ("k=v", TO_WEB, "cache", "{\"k\":\"v\",\"of\":\"1 cache\"}"),
    ("of=", PEERS, "cache", "{}"),
    ("of=", TO_WEB, "cache", "{}"),
];

#[test]
fn a_hook_sees_what_it_wrote_itself_and_others_only_what_was_kept() {
    for (write, relation, owner, expected) in OWN_WRITES {
        let controller = controller();
        forget_network_keys(&controller);
        let app = if owner.contains('/') { "" } else { "--app" };
        let set = format!("relation-set -r {relation} {app} {write}");
        let get = format!("relation-get -r {relation} {app} --format=json - {owner}");
        let other = if *relation == PEERS { "cache/1" } else { "web/1" };
        let seen_by_other =
            || outcome(&run(&controller, Hook::new(other, "update-status"), &get).calls[0]);
        let before = seen_by_other();
        controller.restart_agent(other);
        let mut meanwhile = String::new();
        let hook = Hook::new("cache/0", "update-status");
        let run = run_with(&controller, hook, &format!("{set}; {get}"), 2, || {
            meanwhile = seen_by_other();
        });
        assert_eq!(outcome(&run.calls[1]), *expected, "{set}");
        assert_eq!(meanwhile, before, "{set}: another unit, before the hook has ended");
        controller.restart_agent(other);
        assert_eq!(seen_by_other(), *expected, "{set}: another unit, afterwards");
    }
}

/// Relation, and what a leader reads of its own writes once the lease is lost.
const AFTER_THE_LEASE: &[(u32, &str)] = &[(PEERS, "0 cache"), (TO_WEB, "permission denied")];

#[test]
fn a_leader_that_loses_the_lease_in_a_hook_loses_sight_of_what_it_wrote() {
    for (relation, expected) in AFTER_THE_LEASE {
        let controller = controller();
        let hook = Hook::new("cache/0", "update-status").fault(3, FaultKind::LoseLeadership);
        let get = format!("relation-get -r {relation} --app of cache");
        let script = format!("relation-set -r {relation} --app of=mine; {get}; {get}");
        let run = run(&controller, hook, &script);
        assert_eq!(outcome(&run.calls[1]), "mine", "{relation}");
        assert_eq!(outcome(&run.calls[2]), *expected, "{relation}");
    }
}

fn hook(row: &Read, name: &str) -> Hook {
    let hook = Hook::new(row.reader, name);
    if row.has_members { hook } else { hook.delivered(row.relation, &[]) }
}

fn read_command(relation: u32, owner: &str) -> String {
    let app = if owner.contains('/') { "" } else { "--app" };
    format!("relation-get -r {relation} {app} of {owner}")
}

/// Changes a databag as if its owner had committed.
fn set(controller: &Controller, relation: u32, owner: &str, value: &str) {
    controller.edit(|model| {
        let relation = model.relation_mut(relation).unwrap();
        let bag = match relation.units.get_mut(owner) {
            Some(member) => &mut member.data,
            None => relation.application_data.get_mut(owner).unwrap(),
        };
        bag.insert("of".to_owned(), value.to_owned());
    });
}

/// Leaves in the databags only what charms have put there.
fn forget_network_keys(controller: &Controller) {
    controller.edit(|model| {
        let members = model.relations.iter_mut().flat_map(|relation| relation.units.values_mut());
        for member in members {
            member.data.retain(|key, _| key == "of");
        }
    });
}
