//! Servers that answer, but not as they should: each is named in the log and in the status together
//! with what to do, and none makes a run fail, hang or swell.
#![expect(clippy::print_stdout, reason = "a measurement is reported")]

use std::time::Duration;

use testbed::bed::Bed;
use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Hook;
use testbed::juju::run::Exit;
use testbed::juju::run::HookRun;
use testbed::layout::Layout;
use testbed::redis::odd_server::OddServer;
use testbed::redis::odd_server::Oddity;
use testbed::redis::pod::RedisPod;
use testbed::redis::server::REDIS_PORT;
use testbed::redis::server::SENTINEL_PORT;

use crate::scene::HOOK_LIMIT;
use crate::scene::Scene;
use crate::scene::unit;

/// What each oddity is called, and what there is to do. The log says a little more of a server that
/// hangs, as the status has no room for it.
const ODDITIES: &[(Oddity, &str)] = &[
    (Oddity::Http, "is not Redis: something else answers on its port; stop that"),
    (Oddity::CutShort, "cut its answer short; look at its log"),
    (Oddity::Drip, "does not answer in time"),
    (Oddity::Silent, "does not answer in time"),
    (Oddity::Oversized, TOO_LONG),
];

const TOO_LONG: &str = "sends more than any answer has: is it Redis? look what runs in its pod";
const WRONG_PASSWORD: &str =
    "refuses the password of the peer databag; restart its pod so that it takes it";
const NO_PASSWORD: &str =
    "runs without the password of the peer databag; restart its pod so that it takes it";
const PASSWORD_WANTED: &str =
    "wants a password where the peer databag has none; restart its pod so that it runs without";
const UNKNOWN_MASTER: &str =
    "watches no master of this application; restart its pod so that its file is new";
const TLS: &str = "speaks TLS on the plain port; set enable-tls to false";

/// What any hook may take.
const BUDGET: Duration = Duration::from_secs(20);

/// Three whole pods that stay as they are, whatever is done to a server for a moment.
fn patient() -> Scene {
    Scene::settled(Layout {
        down_after: Duration::from_mins(10),
        append_only: false,
        ..Layout::default()
    })
}

fn warnings(run: &HookRun) -> Vec<&str> {
    let warnings = run.log.iter().filter(|line| line.level == "WARNING");
    warnings.flat_map(|line| line.message.lines()).collect()
}

/// The log warns of this server of a unit with this text, at least.
fn assert_warns(run: &HookRun, server: &str, number: u32, text: &str) {
    let wanted = format!("{server} of {} {text}", unit(number));
    assert!(warnings(run).iter().any(|line| line.starts_with(&wanted)), "{wanted}: {:#?}", run.log);
    assert_sound(run);
}

fn assert_sound(run: &HookRun) {
    assert_eq!(run.exit, Exit::Code(0), "{run:#?}");
    assert!(!run.stderr.contains("panic"), "{}", run.stderr);
    assert!(run.elapsed < BUDGET, "{:?}: {run:#?}", run.elapsed);
}

/// Two Sentinels of three are odd: the third has no majority, so the record stays, leader-elected is
/// deferred, and the status counts, and `is_named` where a person has to act.
fn assert_two_odd_sentinels_hold_it(scene: &Scene, text: &str, is_named: bool) {
    let before = scene.databag();
    let run = scene.run(0, "leader-elected");
    for number in [1, 2] {
        assert_warns(&run, "Sentinel", number, text);
    }
    assert_eq!(scene.databag(), before, "{text}");
    let complaint =
        if is_named { format!("; Sentinel of {} {text}", unit(1)) } else { String::new() };
    let why = format!("1 of 3 Sentinels answer, 2 needed{complaint}");
    assert_eq!(scene.status(0), ("waiting".to_owned(), why.clone()));
    assert!(scene.deferred(0).unwrap().contains(&why), "{:?}", scene.deferred(0));
}

/// The master's Redis is odd: the leader beside it waits for it by name, and so does its own unit.
fn assert_an_odd_master_is_waited_for(scene: &Scene, text: &str) {
    let run = scene.run(1, "update-status");
    assert_warns(&run, "Redis", 0, text);
    let why = format!("elected master {} {text}", unit(0));
    assert_eq!(scene.status(1), ("waiting".to_owned(), why));
    assert_warns(&scene.run(0, "update-status"), "Redis", 0, text);
    let own = format!("Redis of this unit {text}");
    assert_eq!(scene.status(0), ("waiting".to_owned(), own));
}

fn with_odd_servers(bed: &Bed, units: &[u32], port: u16, oddity: Oddity, look: impl FnOnce()) {
    let start = |number: &u32| {
        let namespace = bed.pod(*number).unwrap().pod().unwrap();
        OddServer::start(&namespace, oddity, port).unwrap()
    };
    let servers: Vec<OddServer> = units.iter().map(start).collect();
    look();
    drop(servers);
}

#[test]
fn a_redis_without_a_password_works_where_the_databag_says_so() {
    let layout = Layout { redis_password: None, append_only: false, ..Layout::default() };
    let scene = Scene::settled(layout);
    scene.record(&[("enable-password", "false"), ("redis-password", "LeftByAnEarlierRevision")]);
    let before = scene.databag();
    let run = scene.run(0, "leader-elected");
    assert_eq!(warnings(&run), [""; 0]);
    assert_eq!(scene.status(0), ("active".to_owned(), String::new()));
    assert_eq!((scene.databag(), scene.deferred(0)), (before, None));
}

#[test]
fn an_odd_sentinel_is_named_with_its_cure_and_leader_elected_is_deferred() {
    let scene = patient();
    for number in [1, 2] {
        scene.bed.pod(number).unwrap().kill_sentinel().unwrap();
    }
    for (oddity, text) in ODDITIES {
        let is_named = !text.starts_with("does not answer");
        with_odd_servers(&scene.bed, &[1, 2], SENTINEL_PORT, *oddity, || {
            assert_two_odd_sentinels_hold_it(&scene, text, is_named);
        });
    }
}

#[test]
fn one_odd_sentinel_of_three_holds_nothing_up_and_stands_in_the_status() {
    let scene = patient();
    scene.bed.pod(2).unwrap().kill_sentinel().unwrap();
    with_odd_servers(&scene.bed, &[2], SENTINEL_PORT, Oddity::Http, || {
        let text = ODDITIES[0].1;
        assert_warns(&scene.run(0, "leader-elected"), "Sentinel", 2, text);
        let message = format!("no failover: Sentinel of {} {text}", unit(2));
        assert_eq!(scene.status(0), ("active".to_owned(), message));
        assert_eq!(scene.deferred(0), None);
    });
}

#[test]
fn a_sentinel_that_is_configured_otherwise_is_named_with_its_cure() {
    let scene = patient();
    let restart =
        |change: &dyn Fn(&RedisPod) -> testbed::redis::sentinel_config::SentinelConfig| {
            for number in [1, 2] {
                let pod = scene.bed.pod(number).unwrap();
                pod.kill_sentinel().unwrap();
                pod.start_sentinel(&change(&pod)).unwrap();
            }
        };
    restart(&|pod| {
        let mut config = pod.sentinel_config(0, &[0, 1, 2]);
        config.sentinel_password = Some("QuiteAnotherPassword".to_owned());
        config
    });
    assert_two_odd_sentinels_hold_it(&scene, WRONG_PASSWORD, true);
    restart(&|pod| {
        let mut config = pod.sentinel_config(0, &[0, 1, 2]);
        config.sentinel_password = None;
        config
    });
    assert_two_odd_sentinels_hold_it(&scene, NO_PASSWORD, true);
    restart(&|pod| {
        let mut config = pod.sentinel_config(0, &[0, 1, 2]);
        config.application = "another".to_owned();
        config
    });
    assert_two_odd_sentinels_hold_it(&scene, UNKNOWN_MASTER, true);
    restart(&|pod| {
        let mut config = pod.sentinel_config(0, &[0, 1, 2]);
        config.tls = true;
        config
    });
    assert_two_odd_sentinels_hold_it(&scene, TLS, true);
}

#[test]
fn sentinels_whose_password_the_databag_has_lost_are_waited_for() {
    let scene = patient();
    scene.record(&[("sentinel-password", "")]);
    let run = scene.run(0, "leader-elected");
    for number in [0, 1, 2] {
        assert_warns(&run, "Sentinel", number, PASSWORD_WANTED);
    }
    let own = format!("Sentinel of this unit {PASSWORD_WANTED}");
    assert_eq!(scene.status(0), ("waiting".to_owned(), own));
    assert!(scene.deferred(0).unwrap().contains(PASSWORD_WANTED), "{:?}", scene.deferred(0));
    assert_eq!(scene.databag()["leader-host"], scene.bed.host(0));
}

#[test]
fn an_odd_redis_of_the_master_is_named_with_its_cure_and_waited_for() {
    let scene = patient();
    scene.controller.set_leader(&unit(1));
    scene.bed.pod(0).unwrap().kill_redis().unwrap();
    for (oddity, text) in ODDITIES {
        with_odd_servers(&scene.bed, &[0], REDIS_PORT, *oddity, || {
            assert_an_odd_master_is_waited_for(&scene, text);
        });
    }
}

#[test]
fn a_redis_that_is_configured_otherwise_is_named_with_its_cure_and_waited_for() {
    let scene = patient();
    scene.controller.set_leader(&unit(1));
    let pod = scene.bed.pod(0).unwrap();
    scene.record(&[("enable-password", "false")]);
    assert_warns(&scene.run(1, "update-status"), "Redis", 0, PASSWORD_WANTED);
    let own = format!("Redis of this unit {PASSWORD_WANTED}");
    assert_eq!(scene.status(1), ("waiting".to_owned(), own));
    scene.record(&[("enable-password", "")]);
    for (password, tls, text) in [
        (Some("QuiteAnotherPassword"), false, WRONG_PASSWORD),
        (None, false, NO_PASSWORD),
        (None, true, TLS),
    ] {
        pod.kill_redis().unwrap();
        let mut config = pod.redis_config(None);
        config.password = password.map(str::to_owned);
        config.tls = tls;
        pod.start_redis(&config).unwrap();
        assert_an_odd_master_is_waited_for(&scene, text);
    }
}

#[test]
fn an_odd_replica_leaves_the_application_active_and_stands_in_the_status() {
    let scene = patient();
    scene.bed.pod(2).unwrap().kill_redis().unwrap();
    with_odd_servers(&scene.bed, &[2], REDIS_PORT, Oddity::CutShort, || {
        let text = ODDITIES[1].1;
        assert_warns(&scene.run(0, "leader-elected"), "Redis", 2, text);
        let message = format!("Redis of {} {text}", unit(2));
        assert_eq!(scene.status(0), ("active".to_owned(), message));
    });
}

#[test]
fn answers_without_an_end_do_not_make_a_run_swell() {
    let scene = patient();
    let peak_of = |call: usize| {
        let hook = Hook::new(&unit(0), "leader-elected").fault(call, FaultKind::Hold);
        let running = scene.start(0, hook);
        running.wait_for_call(call, HOOK_LIMIT).unwrap();
        let peak = running.peak_memory().unwrap();
        running.release();
        let run = running.finish(HOOK_LIMIT).unwrap();
        assert_sound(&run);
        (peak, run)
    };
    let last_call = scene.run(0, "leader-elected").calls.len();
    let (usual, _) = peak_of(last_call);
    for number in [1, 2] {
        let pod = scene.bed.pod(number).unwrap();
        pod.kill_redis().unwrap();
        pod.kill_sentinel().unwrap();
    }
    with_odd_servers(&scene.bed, &[1, 2], SENTINEL_PORT, Oddity::Oversized, || {
        with_odd_servers(&scene.bed, &[1, 2], REDIS_PORT, Oddity::Oversized, || {
            let last_call = scene.run(0, "leader-elected").calls.len();
            let (peak, run) = peak_of(last_call);
            println!("peak memory of a run: {usual} bytes, with four endless answers {peak}");
            for (server, number) in [("Redis", 1), ("Redis", 2), ("Sentinel", 1), ("Sentinel", 2)] {
                assert_warns(&run, server, number, TOO_LONG);
            }
            assert!(peak < usual + SWELLING, "{peak} bytes, {usual} without them");
        });
    });
}

/// In bytes. What a run has as a whole is measured where the program is built as it ships: here the
/// pages of an unoptimized program are most of it.
const SWELLING: u64 = 2_000_000;
