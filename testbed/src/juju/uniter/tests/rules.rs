//! The rules as tables: a situation, and what comes next.

use std::collections::BTreeMap;

use crate::juju::hook::Happening;
use crate::juju::model::Life;
use crate::juju::requests::Resolved;
use crate::juju::switches::AtTermination;
use crate::juju::switches::PebbleReady;
use crate::juju::switches::StorageAttached;
use crate::juju::switches::Switches;
use crate::juju::uniter::event::Event;
use crate::juju::uniter::event::Signal;
use crate::juju::uniter::event::UnitEvent;
use crate::juju::uniter::memory::Entered;
use crate::juju::uniter::record::Delivered;
use crate::juju::uniter::record::Step;
use crate::juju::uniter::resolver::Operation;
use crate::juju::uniter::view::RelationView;

use super::Unit;

fn check(rows: Vec<(&str, Unit, &str)>) {
    for (what, unit, expected) in rows {
        assert_eq!(unit.next_word(), expected, "{what}");
    }
}

/// Installed, and with nothing told yet.
fn installed() -> Unit {
    Unit::new().with(|it| {
        it.record.installed = true;
        it.memory.is_unpacked = true;
    })
}

#[test]
fn a_first_deploy() {
    check(vec![
        ("a new pod", Unit::new(), "Unpack"),
        (
            "unpacked",
            Unit::new().with(|it| {
                it.memory.is_unpacked = true;
                it.record.step = Step::Queued(UnitEvent::Install.into());
            }),
            "install",
        ),
        ("installed", installed(), "EnterScopes"),
        (
            "in scope",
            installed().with(|it| it.view.relations[0].in_scope = true).leads(),
            "peers-relation-created",
        ),
        (
            "announced",
            installed().leads().with(|it| {
                it.view.relations[0].in_scope = true;
                it.memory.announced.insert(0);
            }),
            "AcceptLeadership",
        ),
        (
            "leader-elected is queued",
            Unit::queued(UnitEvent::LeaderElected).leads(),
            "leader-elected",
        ),
        ("start is queued", Unit::queued(UnitEvent::Start).hears(Signal::Ready), "start"),
        (
            "a chain lets nothing in before start",
            Unit::queued(UnitEvent::ConfigChanged)
                .requested()
                .with_storage(false)
                .with(|it| it.record.started = false),
            "config-changed",
        ),
        (
            "but storage once started",
            Unit::queued(UnitEvent::ConfigChanged).with_storage(false),
            "data-storage-attached data/0",
        ),
    ]);
}

#[test]
fn after_a_restart() {
    check(vec![
        (
            "an agent that has restarted",
            Unit::in_service().hears(Signal::Ready).with(|it| it.memory.owes_start = true),
            "start",
        ),
        (
            "a pending hook comes before that",
            Unit::pending(UnitEvent::ConfigChanged).with(|it| {
                it.memory.owes_start = true;
                it.is_retry_due = true;
            }),
            "config-changed",
        ),
        (
            "an outdated pod",
            Unit::in_service().leads().with(|it| it.memory.is_outdated = true),
            "-",
        ),
    ]);
}

#[test]
fn leadership_is_accepted_and_resigned() {
    check(vec![
        ("gained", Unit::in_service().leads().hears(Signal::Ready), "AcceptLeadership"),
        ("kept", Unit::in_service().leads().with(|it| it.record.leads = true), "-"),
        ("lost", Unit::in_service().with(|it| it.record.leads = true), "ResignLeadership"),
        ("gained while a hook waits", Unit::pending(UnitEvent::Start).leads(), "-"),
        ("dying", Unit::dying().leads().with(|it| it.record.leads = true), "ResignLeadership"),
        (
            "leader settings on a minion",
            Unit::in_service().with(|it| it.switches = Switches::JUJU_3),
            "leader-settings-changed",
        ),
    ]);
}

#[test]
fn containers_are_heard_of() {
    check(vec![
        ("ready", Unit::in_service().hears(Signal::Ready).requested(), "web-pebble-ready"),
        (
            "ready before start",
            installed().hears(Signal::Ready).with(|it| it.view.relations.clear()),
            "web-pebble-ready",
        ),
        (
            "held until start",
            installed().hears(Signal::Ready).with(|it| {
                it.view.relations.clear();
                it.switches.pebble_ready = PebbleReady::AfterStart;
            }),
            "config-changed",
        ),
        (
            "waited for",
            installed().with(|it| {
                it.view.relations.clear();
                it.view.containers = vec!["web".to_owned()];
                it.switches.pebble_ready = PebbleReady::BeforeConfigChanged;
            }),
            "-",
        ),
    ]);
}

#[test]
fn requests_run_also_while_a_hook_waits() {
    check(vec![
        ("an action", Unit::in_service().requested().with_storage(false), "Request(5)"),
        ("an action while a hook waits", Unit::pending(UnitEvent::Start).requested(), "Request(5)"),
        (
            "one that was cut short",
            Unit::in_service().requested().with(|it| it.record.action = Some(4)),
            "FailAction(4)",
        ),
    ]);
}

#[test]
fn storage_comes_when_it_may() {
    check(vec![
        ("attached", Unit::in_service().with_storage(false), "data-storage-attached data/0"),
        ("told of", Unit::in_service().with_storage(true), "-"),
        (
            "before config-changed",
            installed().with_storage(false).with(|it| {
                it.view.relations.clear();
                it.switches.storage_attached = StorageAttached::BeforeConfigChanged;
            }),
            "data-storage-attached data/0",
        ),
        (
            "after start",
            installed().with_storage(false).with(|it| it.view.relations.clear()),
            "config-changed",
        ),
    ]);
}

#[test]
fn a_failed_hook_waits_for_its_timer_or_an_operator() {
    check(vec![
        ("a failed hook waits", Unit::pending(UnitEvent::Start), "-"),
        ("its timer", Unit::pending(UnitEvent::Start).with(|it| it.is_retry_due = true), "start"),
        (
            "resolved",
            Unit::pending(UnitEvent::Start).with(|it| it.view.resolved = Some(Resolved::Retry)),
            "start",
        ),
        (
            "taken for done",
            Unit::pending(UnitEvent::Start).with(|it| it.view.resolved = Some(Resolved::Skip)),
            "skip start",
        ),
    ]);
}

#[test]
fn the_rest_comes_last() {
    check(vec![
        ("nothing is due", Unit::in_service(), "-"),
        ("options", Unit::in_service().with(|it| it.view.config = 8), "config-changed"),
        (
            "a tick",
            Unit::in_service().with(|it| it.memory.owes_update_status = true),
            "update-status",
        ),
        (
            "relations before a tick",
            Unit::in_service()
                .members(&[("a/0", 1)], &[])
                .with(|it| it.memory.owes_update_status = true),
            "peers-relation-joined a/0",
        ),
    ]);
}

#[test]
fn a_unit_that_gets_sigterm_does_what_is_due_and_stops_in_place_of_what_waits() {
    use UnitEvent::ConfigChanged;
    let killed = |at_termination| {
        Unit::queued(ConfigChanged).terminating().with(|it| {
            it.memory.is_hook_terminated = true;
            it.switches.at_termination = at_termination;
        })
    };
    let rows: Vec<(&str, Unit, &str)> = vec![
        ("idle", Unit::in_service().terminating(), "stop"),
        ("due before", Unit::in_service().terminating().hears(Signal::Ready), "web-pebble-ready"),
        ("due after", Unit::in_service().terminating().with(|it| it.view.config = 8), "stop"),
        ("failed", Unit::pending(ConfigChanged).terminating(), "stop"),
        ("queued", Unit::queued(ConfigChanged).terminating(), "stop"),
        ("killed", killed(AtTermination::HookAgain), "config-changed"),
        ("killed, given up", killed(AtTermination::Stop), "stop"),
        ("stopped", Unit::in_service().terminating().with(|it| it.record.stopped = true), "End"),
        (
            "never started",
            Unit::in_service().terminating().with(|it| it.record.started = false),
            "End",
        ),
    ];
    for (what, unit, expected) in rows {
        assert_eq!(unit.next_word(), expected, "{what}");
    }
}

#[test]
fn a_dying_unit_tears_down_in_order_until_it_is_dead() {
    let mut unit = Unit::dying()
        .with_storage(true)
        .members(&[("a/0", 1), ("a/2", 1)], &[("a/0", 1), ("a/10", 1), ("a/2", 1)]);
    let site = RelationView {
        id: 4,
        endpoint: "site".to_owned(),
        remote_application: "b".to_owned(),
        in_scope: true,
        ..RelationView::default()
    };
    unit.view.relations.push(site);
    unit.memory.announced.insert(4);
    let remote_application = "b".to_owned();
    unit.memory.entered.insert(4, Entered { is_peer: false, remote_application });
    let members = BTreeMap::from([("b/0".to_owned(), 3)]);
    unit.record.relations.insert(4, Delivered { members, ..Delivered::default() });
    let mut seen = Vec::new();
    while let Some(Operation::Run(event)) = unit.next() {
        seen.push(unit.next_word());
        if let Event::Relation(event) = &event
            && let Happening::Departed { departing, .. } = &event.happening
        {
            assert_eq!(departing, "a/1", "it is the own unit that leaves");
        }
        unit.record.complete(&event, &unit.view);
        unit.memory.complete(&event, &unit.view);
        if let Event::Storage(_) = event {
            unit.view.storages.clear();
        }
        assert!(seen.len() < 20, "{seen:?}");
    }
    assert_eq!(
        seen,
        [
            "data-storage-detaching data/0",
            "site-relation-departed b/0",
            "site-relation-broken",
            "peers-relation-departed a/0",
            "peers-relation-departed a/10",
            "peers-relation-departed a/2",
            "stop",
            "remove",
        ]
    );
    assert_eq!(unit.next(), Some(Operation::Die));
}

#[test]
fn within_a_relation_events_come_in_juju_s_order() {
    let rows: Vec<(&str, Unit, &str)> = vec![
        (
            "the changed that is owed comes first",
            Unit::in_service()
                .members(&[("a/0", 1)], &[("a/0", 1), ("a/2", 1)])
                .with(|it| it.record.relations.get_mut(&0).unwrap().owed = Some("a/0".to_owned())),
            "peers-relation-changed a/0",
        ),
        (
            "then who departs, by name",
            Unit::in_service().members(&[("a/3", 1)], &[("a/10", 1), ("a/2", 1)]),
            "peers-relation-departed a/10",
        ),
        (
            "then the application's databag",
            Unit::in_service().members(&[("a/0", 1)], &[]).with(|it| {
                it.view.relations[0].applications = BTreeMap::from([("a".to_owned(), 1)]);
            }),
            "peers-relation-changed",
        ),
        (
            "then who joins",
            Unit::in_service().members(&[("a/0", 2), ("a/2", 1)], &[("a/0", 1)]),
            "peers-relation-joined a/2",
        ),
        (
            "then whose databag has changed",
            Unit::in_service().members(&[("a/0", 2)], &[("a/0", 1)]),
            "peers-relation-changed a/0",
        ),
        (
            "a relation that goes is not announced",
            Unit::in_service().with(|it| {
                it.view.relations[0].life = Life::Dying;
                it.memory.announced.clear();
            }),
            "-",
        ),
    ];
    for (what, unit, expected) in rows {
        assert_eq!(unit.next_word(), expected, "{what}");
    }
}
