//! Hooks that are killed, fail or hang at any of their hook tools and Pebble calls, or at any moment: the
//! application becomes whole all the same. What befalls which hook follows from a seed.
#![expect(clippy::print_stdout, reason = "a seed is told")]

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use testbed::juju::faults::HookFault;
use testbed::juju::hook::Fault;
use testbed::juju::hook::FaultKind;
use testbed::juju::switches::Switches;
use testbed::lab::Options;
use testbed::lab::target::Target;
use testbed::pebble::daemon::Daemon;
use testbed::wait;

use crate::chance::Chance;
use crate::chance::seeds;
use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::name;
use crate::writers::Writers;

#[test]
fn hooks_that_are_struck_anywhere_in_a_deploy_and_a_day_of_changes_still_converge() {
    for seed in seeds(1) {
        println!("seed {seed}");
        let mut chance = Chance::from_seed(seed);
        let switches = chance.one_of(&[Switches::JUJU_3, Switches::JUJU_4]);
        // Juju tries again sooner, and the backstop of five minutes comes in one.
        let options = Options { seed, switches, speed: 5.0, ..Options::default() };
        let story = Story::begin_up_to(4, 3, options);
        story.lets_hooks_fail();
        strike_hooks(&story, &mut chance, &DEPLOYING, 3);
        strike_pebbles(&story, &mut chance, 3);
        kill_dispatch(&story, &mut chance, 3);
        let mut master = story.whole(3);
        let writers = Writers::start(&story, 0, &[0], 1);
        let mut units = 3;
        for _ in 0..2 {
            strike_hooks(&story, &mut chance, &CHANGING, 3);
            strike_pebbles(&story, &mut chance, 3);
            match chance.below(4) {
                0 => units = if units == 3 { 4 } else { 3 },
                1 => {
                    let redis = Target::process("redis", "redis-server");
                    story.lab.kill(&name(master), &redis).unwrap();
                }
                2 => {
                    let sentinel = Target::container("sentinel");
                    story.lab.kill(&name(master), &sentinel).unwrap();
                }
                _ => story.lab.lose_leadership(APPLICATION).unwrap(),
            }
            story.lab.scale(APPLICATION, units).unwrap();
            kill_dispatch(&story, &mut chance, 3);
            master = story.whole(units);
        }
        writers.end(&story, &format!("hooks struck, seed {seed}"));
    }
}

#[test]
fn a_hook_that_dies_while_it_forgets_leaves_no_sentinel_stopped() {
    let story = Story::of(3);
    assert!(Daemon::is_own(), "only the test bed's own Pebble can be told to hang");
    // One dies while it waits for the restart, the other before Pebble has heard of it.
    order(&story, 0, "sentinel", json!({"on": "request", "path": "/v1/changes/", "do": "hang"}));
    let restart = json!({"on": "request", "path": "/v1/services", "method": "POST", "do": "hang"});
    order(&story, 1, "sentinel", restart);
    let before = story.processes(0, "sentinel", "redis-server");
    story.lab.scale(APPLICATION, 2).unwrap();
    story.until("the first Sentinel is restarted", || {
        let now = story.processes_or_none(0, "sentinel", "redis-server");
        (now.is_some() && story.processes(0, "sentinel", "redis-server") != before).then_some(())
    });
    let mut left = vec![0, 1];
    story.until("a hook of each dies at it", || {
        left.retain(|unit| dies_at_hang(&story, *unit, "sentinel").is_none());
        left.is_empty().then_some(())
    });
    for unit in [0, 1] {
        story.until("Sentinel runs", || story.processes_or_none(unit, "sentinel", "redis-server"));
    }
    story.whole(2);
}

#[test]
fn hooks_that_are_killed_at_a_pebble_call_of_a_deploy_are_made_up_for() {
    assert!(Daemon::is_own(), "only the test bed's own Pebble can be told to hang");
    for seed in seeds(1) {
        let mut chance = Chance::from_seed(seed);
        let switches = chance.one_of(&[Switches::JUJU_3, Switches::JUJU_4]);
        let story = Story::begin(3, Options { seed, switches, speed: 5.0, ..Options::default() });
        let mut waiting = Vec::new();
        for unit in 0..3 {
            for container in ["redis", "sentinel"] {
                let (path, nth) = (chance.one_of(&CALLS), 1 + chance.below(4));
                let hang = json!({"on": "request", "path": path, "nth": nth, "do": "hang"});
                order(&story, unit, container, hang);
                waiting.push((unit, container, format!("{path} for the {nth}. time")));
            }
        }
        let mut struck = Vec::new();
        story.until("all are struck, or there is nothing left to strike", || {
            waiting.retain(|(unit, container, call)| {
                let has_died = dies_at_hang(&story, *unit, container).is_some();
                if has_died {
                    struck.push(format!("unit {unit}, {container}: {call}"));
                }
                !has_died
            });
            let is_active = || story.lab.wait_for_active(APPLICATION, Duration::ZERO).is_ok();
            (waiting.is_empty() || is_active()).then_some(())
        });
        println!("seed {seed}: killed at {struck:#?}");
        assert!(!struck.is_empty(), "no hook was killed at {waiting:?}");
        story.whole(3);
    }
}

/// Kills a unit's hook, where it waits for an answer that never comes.
fn dies_at_hang(story: &Story, unit: u32, container: &str) -> Option<()> {
    let log = story.lab.container_log(&name(unit), container).ok()?;
    log.contains("is never answered").then_some(())?;
    story.lab.kill(&name(unit), &Target::process("charm", "dispatch")).ok()
}

/// Strikes the next run of some hooks of each unit at one of their tool calls.
fn strike_hooks(story: &Story, chance: &mut Chance, hooks: &[&str], units: u32) {
    let kinds = [
        FaultKind::KillHook,
        FaultKind::KillHook,
        FaultKind::Exit(1, "no such luck".to_owned()),
        FaultKind::Hang,
    ];
    for unit in 0..units {
        for _ in 0..3 {
            let hook = chance.one_of(hooks);
            let at_call = usize::try_from(1 + chance.below(9)).unwrap();
            let kind = chance.one_of(&kinds);
            let fault = match chance.below(8) {
                0 => HookFault::AgentDiesBeforeRecord,
                _ => HookFault::AtCall(Fault { at_call, kind }),
            };
            story.lab.strike_hook(&name(unit), hook, fault).unwrap();
        }
    }
}

/// Has the Pebbles of each unit refuse, cut or never answer one of the next requests.
fn strike_pebbles(story: &Story, chance: &mut Chance, units: u32) {
    for unit in 0..units {
        for container in ["redis", "sentinel"] {
            let path = chance.one_of(&CALLS);
            let nth = 1 + chance.below(6);
            let order_ = match chance.below(4) {
                0 => continue,
                1 => json!({"do": "hang"}),
                2 => json!({"do": "cut", "bytes": chance.below(200)}),
                _ => json!({"do": "refuse", "status": 500, "message": "no such luck"}),
            };
            let mut request = json!({"on": "request", "path": path, "nth": nth});
            request.as_object_mut().unwrap().extend(order_.as_object().unwrap().clone());
            order(story, unit, container, request);
        }
    }
}

/// Kills hooks at any moment.
fn kill_dispatch(story: &Story, chance: &mut Chance, units: u32) {
    for _ in 0..8 {
        wait::pace(Duration::from_millis(chance.below(400)));
        let unit = u32::try_from(chance.below(u64::from(units))).unwrap();
        // Mostly none runs.
        drop(story.lab.kill(&name(unit), &Target::process("charm", "dispatch")));
    }
}

/// Tells a container's Pebble what is to go wrong. A real one cannot be told.
fn order(story: &Story, unit: u32, container: &str, order: Value) {
    if !Daemon::is_own() {
        return;
    }
    let mut stream = story.until("a Pebble takes orders", || {
        let pod = story.lab.pod(&name(unit)).ok()?;
        UnixStream::connect(pod.faults_socket(container)).ok()
    });
    stream.write_all(format!("{order}\n").as_bytes()).unwrap();
    let mut told = String::new();
    BufReader::new(stream).read_line(&mut told).unwrap();
    assert_eq!(told.trim(), "ok", "{order}");
}

/// What the charm asks of a Pebble; its agent and its kubelet ask for other things.
const CALLS: [&str; 6] =
    ["/v1/files", "/v1/layers", "/v1/services", "/v1/plan", "/v1/exec", "/v1/changes/"];

/// Hooks of a deploy.
const DEPLOYING: [&str; 9] = [
    "install",
    "leader-elected",
    "config-changed",
    "start",
    "redis-pebble-ready",
    "sentinel-pebble-ready",
    "redis-peers-relation-created",
    "redis-peers-relation-joined",
    "redis-peers-relation-changed",
];

/// Hooks of later changes.
const CHANGING: [&str; 7] = [
    "leader-elected",
    "redis-pebble-custom-notice",
    "sentinel-pebble-ready",
    "redis-peers-relation-joined",
    "redis-peers-relation-changed",
    "redis-peers-relation-departed",
    "update-status",
];
