//! The README has a row for each message of a status, word for word.
#![expect(clippy::disallowed_methods, reason = "a test reads the README")]

use std::fs;

use redis_k8s::decide::verdict::Finding;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::obstacle::Obstacle;

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

fn text(text: &str) -> String {
    text.to_owned()
}

/// One of each obstacle that a status can show; a new one must be added here to compile.
fn obstacles() -> Vec<Obstacle> {
    let unit = |number: u32| format!("redis-k8s/{number}");
    let all = vec![
        Obstacle::TooFewSentinels {
            answering: 1,
            electors: 3,
            needed: 2,
            complaint: String::new(),
        },
        Obstacle::Disagreement { agreeing: 1, electors: 3, needed: 2 },
        Obstacle::FailoverInProgress { leader: unit(2) },
        Obstacle::HeldForDown { sentinel: unit(1) },
        Obstacle::KnownByOtherName { unit: unit(2), stranger: text("replica 10.1.0.12:6379") },
        Obstacle::MasterUnconfirmed {
            master: unit(0),
            state: text("says of itself that it is a replica"),
        },
        Obstacle::NotFollowing { sentinel: unit(1) },
        Obstacle::SecondMaster { unit: unit(1), master: unit(0) },
        Obstacle::Leaving { unit: unit(3) },
        Obstacle::StrangerAnswers { stranger: text("Sentinel redis-k8s-3.example:26379") },
        Obstacle::StrangerNotAsked { stranger: text("replica 10.1.0.9:6379") },
        Obstacle::StillReplicating { stranger: text("replica redis-k8s-3.example:6379") },
        Obstacle::WouldBeForgotten { unit: unit(2), sentinel: unit(0) },
        Obstacle::StillBlind { sentinel: unit(0) },
        Obstacle::NotForgotten {
            sentinel: unit(0),
            stranger: text("replica redis-k8s-3.example:6379"),
        },
        Obstacle::Failed {
            what: text("set the quorum of redis-k8s/1: its Sentinel does not answer in time"),
        },
    ];
    for obstacle in &all {
        match obstacle {
            Obstacle::NoPeerRelation | Obstacle::Terminated | Obstacle::LeadershipUnknown => {
                panic!("no status shows {obstacle}")
            }
            Obstacle::TooFewSentinels { .. }
            | Obstacle::Disagreement { .. }
            | Obstacle::FailoverInProgress { .. }
            | Obstacle::HeldForDown { .. }
            | Obstacle::KnownByOtherName { .. }
            | Obstacle::MasterUnconfirmed { .. }
            | Obstacle::NotFollowing { .. }
            | Obstacle::SecondMaster { .. }
            | Obstacle::Leaving { .. }
            | Obstacle::StrangerAnswers { .. }
            | Obstacle::StrangerNotAsked { .. }
            | Obstacle::StillReplicating { .. }
            | Obstacle::WouldBeForgotten { .. }
            | Obstacle::StillBlind { .. }
            | Obstacle::NotForgotten { .. }
            | Obstacle::Failed { .. } => {}
        }
    }
    all
}

fn findings() -> Vec<Finding> {
    let no_failover = |why: &str| Finding::NoFailover { why: text(why) };
    let degraded = |what: &str| Finding::Degraded { what: text(what) };
    let mut all = vec![
        Finding::Image { container: "redis", fault: text("its /etc/passwd has no redis") },
        Finding::Image { container: "redis", fault: text("its /etc/group has no redis") },
        Finding::Image { container: "redis", fault: text("it has no redis-server that runs") },
        Finding::Image {
            container: "redis",
            fault: text("its Redis is 6.0.16; 7.0 or later is needed"),
        },
        Finding::Image {
            container: "redis",
            fault: text("its nsswitch.conf names mdns4 for hosts; leave nothing but files and dns"),
        },
        Finding::DataMissing { units: text("redis-k8s/1,redis-k8s/2") },
        Finding::ContainerAway { container: "redis" },
        Finding::Own {
            what: text(
                "cannot write /opt/redis-k8s/redis-keeper in container redis: no space left on device",
            ),
        },
        Finding::NoPeerRelation,
        Finding::NoPasswords,
        Finding::NotStarted,
        Finding::LinkDown,
        Finding::Roll { waits_for: text("the new pod of redis-k8s/2") },
        Finding::Roll {
            waits_for: text("Redis of redis-k8s/2 refuses connections: it is not running"),
        },
        Finding::Roll { waits_for: text("Redis of redis-k8s/2 may not become master yet") },
        Finding::OwnSilent {
            what: text("Redis of this unit refuses connections: it is not running"),
        },
        no_failover("a single unit"),
        no_failover("with two units the loss of a pod is not failed over"),
        no_failover("Redis of redis-k8s/2 does not answer in time"),
        degraded("Redis of redis-k8s/4 does not answer in time"),
        degraded("Sentinel of redis-k8s/3 holds the master for down"),
        degraded("Sentinel of redis-k8s/3 holds redis-k8s/1 for down"),
        degraded("Sentinel of redis-k8s/3 does not list redis-k8s/1"),
        degraded("Redis of redis-k8s/2 follows another replica"),
        degraded("Sentinel of redis-k8s/3 wants more votes than there are Sentinels"),
        degraded("Redis of redis-k8s/2 has no link to the master"),
        degraded("Redis of redis-k8s/2 may not become master yet"),
    ];
    all.extend(obstacles().into_iter().map(Finding::Held));
    for finding in &all {
        match finding {
            Finding::Image { .. }
            | Finding::DataMissing { .. }
            | Finding::ContainerAway { .. }
            | Finding::Own { .. }
            | Finding::NoPeerRelation
            | Finding::NoPasswords
            | Finding::NotStarted
            | Finding::OwnSilent { .. }
            | Finding::Held(_)
            | Finding::LinkDown
            | Finding::Roll { .. }
            | Finding::NoFailover { .. }
            | Finding::Degraded { .. } => {}
        }
    }
    all
}

fn silences() -> Vec<Silence> {
    let all = vec![
        Silence::NotAsked,
        Silence::NotResolved,
        Silence::Refused,
        Silence::TimedOut,
        Silence::WrongPassword,
        Silence::PasswordWanted,
        Silence::NoPassword,
        Silence::UnknownMaster,
        Silence::Tls,
        Silence::NotRedis,
        Silence::Cut,
        Silence::TooLong,
        Silence::Error(text("LOADING Redis is loading the dataset in memory")),
    ];
    for silence in &all {
        match silence {
            Silence::NotAsked
            | Silence::NotResolved
            | Silence::Refused
            | Silence::TimedOut
            | Silence::WrongPassword
            | Silence::PasswordWanted
            | Silence::NoPassword
            | Silence::UnknownMaster
            | Silence::Tls
            | Silence::NotRedis
            | Silence::Cut
            | Silence::TooLong
            | Silence::Error(_) => {}
        }
    }
    all
}

#[test]
fn every_way_of_not_answering_has_its_row() {
    let readme = readme();
    for silence in silences() {
        let row = format!("| `{silence}` |");
        assert!(readme.contains(&row), "the README lacks the row {row}");
    }
}

#[test]
fn every_message_of_a_status_has_its_row() {
    let readme = readme();
    for finding in findings() {
        let status = finding.status();
        let word = status.word.text();
        let row = format!("| {word} | `{}` |", status.message);
        assert!(readme.contains(&row), "the README lacks the row {row}");
    }
}
