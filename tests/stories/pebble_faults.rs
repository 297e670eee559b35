//! Pebbles that refuse or hang in the middle of a hook.
#![expect(
    clippy::disallowed_methods,
    reason = "a test changes a volume, and orders faults of Pebble"
)]

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;
use testbed::lab::target::Target;
use testbed::trace::entry::Exit;
use testbed::trace::entry::What;

use crate::stage::APPLICATION;
use crate::stage::LIMIT;
use crate::stage::Story;
use crate::stage::host;
use crate::stage::name;

/// Orders a fault of a container's Pebble; `None` while it is not there.
fn order(story: &Story, unit: u32, container: &str, fault: &Value) -> Option<()> {
    let pod = story.lab.pod(&name(unit)).ok()?;
    let mut stream = UnixStream::connect(pod.faults_socket(container)).ok()?;
    stream.write_all(format!("{fault}\n").as_bytes()).ok()?;
    let mut told = String::new();
    BufReader::new(stream).read_line(&mut told).ok()?;
    assert_eq!(told.trim(), "ok");
    Some(())
}

#[test]
fn an_old_sentinel_file_is_not_believed_although_the_first_write_of_a_new_one_failed() {
    let story = Story::of(2);
    story.lab.scale(APPLICATION, 1).unwrap();
    story.whole(1);
    assert_eq!(story.redis(0, "SET newer 2"), Ok("OK".to_owned()));
    // The earlier unit 1 watched a master that nobody knows any more, at an epoch that would win.
    let file = story.lab.volume(&name(1), "database").folder().join("sentinel/sentinel.conf");
    let old: String = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .filter(|line| !line.contains("-epoch"))
        .map(|line| {
            line.replace(
                &format!("monitor {APPLICATION} {}", host(0)),
                &format!("monitor {APPLICATION} {}", host(1)),
            )
        })
        .map(|line| line + "\n")
        .collect();
    assert!(old.contains(&format!("monitor {APPLICATION} {}", host(1))), "{old}");
    let epochs = format!("sentinel config-epoch {APPLICATION} 99\nsentinel current-epoch 99\n");
    fs::write(&file, old + &epochs).unwrap();
    story.lab.scale(APPLICATION, 2).unwrap();
    let refusal = json!({
        "on": "request", "method": "POST", "path": "/v1/files",
        "do": "refuse", "status": 500, "message": "no space left on device",
    });
    story.until("the fault is ordered", || order(&story, 1, "sentinel", &refusal));
    assert_eq!(story.whole(2), 0);
    assert_eq!(story.redis(1, "GET newer"), Ok("2".to_owned()));
}

#[test]
fn pebbles_that_hang_leave_time_for_what_the_leader_tells_the_sentinels() {
    let story = Story::of(3);
    wait_for_silence(&story);
    let leader = leader(&story);
    let other = (leader + 1) % 3;
    let spoil = [
        ("redis", "/opt/redis-k8s/exporter.json"),
        ("sentinel", "/var/lib/redis/sentinel/members"),
    ];
    for (container, file) in spoil {
        let removed = story.lab.shell(&name(leader), container, &format!("rm {file}")).unwrap();
        assert!(removed.status.success());
        let hang = json!({"on": "request", "method": "POST", "path": "/v1/files", "do": "hang"});
        order(&story, leader, container, &hang).unwrap();
    }
    let set = format!("SENTINEL SET {APPLICATION} quorum 1");
    assert_eq!(story.sentinel(other, &set), Ok("OK".to_owned()));
    let began = story.lab.trace().entries().last().map_or(Duration::ZERO, |entry| entry.at);
    let ended = || -> Option<(Exit, Duration)> {
        let entries = story.lab.trace().entries().into_iter().rev();
        entries.take_while(|entry| entry.at > began).find_map(|entry| {
            let What::EventEnded { unit, event, exit, took, .. } = entry.what else { return None };
            (unit == name(leader) && event == "config-changed").then_some((exit, took))
        })
    };
    story.lab.trust(APPLICATION, true).unwrap();
    let (exit, took) = story.until("config-changed has ended", ended);
    assert_eq!(exit, Exit::Code(0));
    assert!(took < Duration::from_secs(20), "{took:?}");
    let about = story.sentinel(other, &format!("SENTINEL MASTER {APPLICATION}")).unwrap();
    assert!(about.contains("quorum\n2"), "{about}");
    story.whole(3);
}

#[test]
fn a_sentinel_that_could_not_be_started_for_lack_of_a_vote_is_started_when_there_is_one() {
    let story = Story::of(3);
    story.lab.wait_for_idle(LIMIT).unwrap();
    let master = story.whole(3);
    let replica = (master + 1) % 3;
    // One vote of three is left, and no Redis answers as master.
    story.lab.freeze(&name(master), &Target::Pod).unwrap();
    let before = ready(&story, replica);
    story.lab.wipe_volume(&name(replica), "database").unwrap();
    story.lab.kill(&name(replica), &Target::Pod).unwrap();
    story.until("its hooks have found no vote", || {
        let now = ready(&story, replica);
        (now.0 > before.0 && now.1 > before.1).then_some(())
    });
    assert_eq!(story.processes(replica, "sentinel", "redis-server"), [0; 0]);
    story.lab.thaw(&name(master), &Target::Pod).unwrap();
    story.whole(3);
}

#[test]
fn a_sentinel_that_somebody_has_stopped_is_started_again_when_its_check_fails() {
    let story = Story::of(1);
    wait_for_silence(&story);
    let stopped = story.lab.shell(&name(0), "sentinel", "/charm/bin/pebble stop sentinel").unwrap();
    assert!(stopped.status.success(), "{stopped:?}");
    assert!(story.witness(1).is_err());
    assert_eq!(story.whole(1), 0);
}

/// Waits until no event comes any more.
fn wait_for_silence(story: &Story) {
    let events = || {
        let entries = story.lab.trace().entries();
        entries.iter().filter(|it| matches!(it.what, What::EventBegan { .. })).count()
    };
    let (mut before, mut since) = (events(), Instant::now());
    story.until("no event comes any more", || {
        if events() != before {
            (before, since) = (events(), Instant::now());
        }
        (since.elapsed() > Duration::from_secs(12)).then_some(())
    });
}

/// How often each container of a unit was told of as ready.
fn ready(story: &Story, unit: u32) -> (usize, usize) {
    let entries = story.lab.trace().entries();
    let ended = |container: &str| {
        let hook = format!("{container}-pebble-ready");
        let is_it = |what: &What| matches!(what, What::EventEnded { unit: it, event, .. } if *it == name(unit) && *event == hook);
        entries.iter().filter(|entry| is_it(&entry.what)).count()
    };
    (ended("redis"), ended("sentinel"))
}

fn leader(story: &Story) -> u32 {
    let status = story.lab.status();
    let leads = status.applications[0].units.iter().find(|unit| unit.is_leader).unwrap();
    leads.name.rsplit('/').next().unwrap().parse().unwrap()
}
