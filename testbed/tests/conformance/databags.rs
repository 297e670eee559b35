//! Who may read and write which databag.

use testbed::juju::hook::Hook;

use crate::stage::PEERS;
use crate::stage::TO_WEB;
use crate::stage::controller;
use crate::stage::outcome;
use crate::stage::run;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    /// The databag that was asked for.
    Read,
    /// `permission denied`.
    Denied,
    /// The reader does not know the relation.
    Unknown,
}

use Answer::Denied;
use Answer::Read;
use Answer::Unknown;

/// Relation, reader, whose databag, and what becomes of it.
const READS: &[(u32, &str, &str, Answer)] = &[
    // Peer relation, own unit.
    (PEERS, "cache/0", "cache/0", Read),
    (PEERS, "cache/1", "cache/1", Read),
    // Peer relation, another unit.
    (PEERS, "cache/0", "cache/1", Read),
    (PEERS, "cache/1", "cache/0", Read),
    (PEERS, "cache/1", "cache/2", Read),
    // Peer relation, application.
    (PEERS, "cache/0", "cache", Read),
    (PEERS, "cache/1", "cache", Read),
    // Relation of two applications, unit of the own one.
    (TO_WEB, "cache/0", "cache/0", Read),
    (TO_WEB, "cache/1", "cache/1", Read),
    (TO_WEB, "cache/0", "cache/1", Read),
    (TO_WEB, "cache/1", "cache/0", Read),
    (TO_WEB, "web/0", "web/0", Read),
    (TO_WEB, "web/1", "web/0", Read),
    // Relation of two applications, unit of the other one.
    (TO_WEB, "cache/0", "web/0", Read),
    (TO_WEB, "cache/1", "web/1", Read),
    (TO_WEB, "web/0", "cache/0", Read),
    (TO_WEB, "web/1", "cache/1", Read),
    // Relation of two applications, own application: for its leader alone.
    (TO_WEB, "cache/0", "cache", Read),
    (TO_WEB, "cache/1", "cache", Denied),
    (TO_WEB, "web/0", "web", Read),
    (TO_WEB, "web/1", "web", Denied),
    // Relation of two applications, the other application.
    (TO_WEB, "cache/0", "web", Read),
    (TO_WEB, "cache/1", "web", Read),
    (TO_WEB, "web/0", "cache", Read),
    (TO_WEB, "web/1", "cache", Read),
    // Outside of the relation.
    (PEERS, "cache/0", "web/0", Denied),
    (PEERS, "cache/0", "web", Denied),
    (PEERS, "cache/1", "idle/0", Denied),
    (TO_WEB, "cache/0", "idle/0", Denied),
    (TO_WEB, "cache/0", "idle", Denied),
    (TO_WEB, "web/1", "idle", Denied),
    (PEERS, "web/0", "cache/0", Unknown),
    (PEERS, "web/0", "cache", Unknown),
    (TO_WEB, "idle/0", "web/0", Unknown),
];

#[test]
fn a_databag_is_read_by_whoever_may() {
    let controller = controller();
    for &(relation, reader, owner, answer) in READS {
        let app = if owner.contains('/') { "" } else { "--app" };
        let script = format!("relation-get -r {relation} {app} of {owner}");
        let run = run(&controller, Hook::new(reader, "update-status"), &script);
        let expected = match answer {
            Read => (0, format!("{relation} {owner}")),
            Denied => (1, "permission denied".to_owned()),
            Unknown => {
                let text = "for option -r: relation not found";
                (2, format!("invalid value \"{relation}\" {text}"))
            }
        };
        let call = &run.calls[0];
        assert_eq!((call.exit.unwrap(), outcome(call)), expected, "{reader}: {script}");
    }
}

/// Relation, writer, and whether it may write the databag of its application.
const WRITES: &[(u32, &str, bool)] = &[
    (PEERS, "cache/0", true),
    (PEERS, "cache/1", false),
    (TO_WEB, "cache/0", true),
    (TO_WEB, "cache/1", false),
    (TO_WEB, "web/0", true),
    (TO_WEB, "web/1", false),
];

#[test]
fn a_databag_of_an_application_is_written_by_its_leader_one_of_a_unit_by_that_unit() {
    let controller = controller();
    for &(relation, writer, may) in WRITES {
        let script = format!("relation-set -r {relation} k={writer}; ")
            + &format!("relation-set -r {relation} --app k={writer}; exit 0");
        let run = run(&controller, Hook::new(writer, "update-status"), &script);
        let expected = if may { "" } else { "cannot write relation settings" };
        let outcomes = [outcome(&run.calls[0]), outcome(&run.calls[1])];
        assert_eq!(outcomes, ["", expected], "{writer}: {script}");
        let application = writer.split('/').next().unwrap();
        let (of_unit, of_application) = controller.read(|model| {
            let relation = model.relation(relation).unwrap();
            let of_application = relation.application_data[application].get("k").cloned();
            (relation.units[writer].data.get("k").cloned(), of_application)
        });
        assert_eq!(of_unit.as_deref(), Some(writer));
        // A refused writer leaves what the leader wrote in the row before.
        assert_eq!(of_application.as_deref() == Some(writer), may, "{writer}: {script}");
    }
}
