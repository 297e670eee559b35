//! Units that have gone are forgotten, one Sentinel at a time, and nobody else is.
#![expect(clippy::print_stdout, reason = "what is not promised is reported")]

use std::thread;
use std::time::Duration;

use testbed::juju::hook::Hook;
use testbed::juju::model::Life;
use testbed::juju::run::Exit;
use testbed::layout::Layout;
use testbed::redis::answers::Role;

use crate::forgetting::INFO_PERIOD;
use crate::forgetting::Watch;
use crate::forgetting::info_periods;
use crate::forgetting::is_exact;
use crate::forgetting::leave;
use crate::forgetting::resets;
use crate::forgetting::timeline;
use crate::forgetting::times;
use crate::forgetting::unlist;
use crate::scene::HOOK_LIMIT;
use crate::scene::Scene;
use crate::scene::eventually;
use crate::scene::unit;

/// By when every view is exact in a quiet group.
const EXACT_WITHIN: Duration = Duration::from_secs(30);

/// leader-elected, and then update-status for as long as it is deferred. How long all of them took.
fn run_until_done(scene: &Scene, number: u32, first: &str) -> Duration {
    let mut spent = scene.run(number, first).elapsed;
    while scene.deferred(number).is_some() && spent < 2 * EXACT_WITHIN {
        spent += scene.run(number, "update-status").elapsed;
    }
    assert_eq!(scene.deferred(number), None);
    spent
}

/// leader-elected runs, is deferred for this reason, and no Sentinel of these is reset.
fn is_deferred_without_a_reset(scene: &Scene, name: &str, units: &[u32], why: &str) {
    scene.run(0, name);
    let deferred = scene.deferred(0).expect("deferred");
    assert!(deferred.contains(why), "{deferred}");
    assert_eq!(scene.status(0), ("waiting".to_owned(), why.to_owned()));
    assert_eq!(resets(scene, units), 0);
    assert_eq!(info_periods(scene, units), vec![INFO_PERIOD; units.len()]);
}

#[test]
fn a_unit_that_has_gone_is_forgotten_by_one_sentinel_after_the_other_within_half_a_minute() {
    let scene = Scene::healthy(4);
    let survivors = [0, 1, 2];
    let watch = Watch::start(&scene, &survivors);
    leave(&scene, 3);
    let spent = run_until_done(&scene, 0, "leader-elected");
    assert!(is_exact(&scene, &survivors, 0));
    assert!(spent < EXACT_WITHIN, "{spent:?}");
    assert_eq!(scene.status(0), ("active".to_owned(), String::new()));
    assert_eq!(info_periods(&scene, &survivors), [INFO_PERIOD; 3]);

    let resets = timeline(&scene, &survivors, 0);
    let order: Vec<u32> = resets.iter().map(|reset| reset.unit).collect();
    assert_eq!(order, survivors, "one reset each: {resets:?}");
    for pair in resets.windows(2) {
        assert!(pair[0].knows_again <= pair[1].at, "{resets:?}");
    }
    let seen = watch.seen(2);
    println!("forgetting one of four units took {spent:?}; {resets:?}");
    println!("{seen:?}: two answers were {:?} apart at most", seen.largest_gap);
    assert!(seen.blind > 0 && seen.blind_together == 0, "{seen:?}");
}

#[test]
fn a_unit_is_forgotten_when_it_is_dead_and_not_while_it_dies_or_still_runs() {
    let scene = Scene::healthy(3);
    scene.controller.edit(|model| model.unit_mut(&unit(2)).unwrap().life = Life::Dying);
    let leaving = "redis-k8s/2 is leaving";
    is_deferred_without_a_reset(&scene, "leader-elected", &[0, 1, 2], leaving);

    unlist(&scene, 2);
    let host = scene.bed.host(2);
    let listed =
        format!("the master still lists replica {host}:6379, which is no planned unit's name");
    is_deferred_without_a_reset(&scene, "update-status", &[0, 1, 2], &listed);

    scene.bed.remove(2).unwrap();
    run_until_done(&scene, 0, "update-status");
    assert!(is_exact(&scene, &[0, 1], 0));
    assert_eq!(info_periods(&scene, &[0, 1]), [INFO_PERIOD; 2]);
}

#[test]
fn a_unit_that_vanished_without_a_word_is_deferred_until_the_master_lists_it_no_more() {
    let scene = Scene::healthy(3);
    scene.bed.isolate(2).unwrap();
    leave(&scene, 2);
    let host = scene.bed.host(2);
    let listed =
        format!("the master still lists replica {host}:6379, which is no planned unit's name");
    is_deferred_without_a_reset(&scene, "leader-elected", &[0, 1], &listed);
    is_deferred_without_a_reset(&scene, "update-status", &[0, 1], &listed);

    // A minute by itself.
    let master = scene.bed.pod(0).unwrap();
    master.redis("CONFIG SET repl-timeout 3").unwrap();
    eventually("the master drops the replica", || match master.redis_role().ok()? {
        Role::Master { replicas } => (!replicas.contains(&host)).then_some(()),
        Role::Replica { .. } => None,
    });
    run_until_done(&scene, 0, "update-status");
    assert!(is_exact(&scene, &[0, 1], 0));
}

#[test]
fn no_sentinel_is_reset_while_a_planned_unit_hangs() {
    let scene = Scene::healthy(4);
    scene.bed.pod(2).unwrap().freeze().unwrap();
    scene.run(0, "leader-elected");
    assert_eq!(resets(&scene, &[0, 1, 2, 3]), 0);

    leave(&scene, 3);
    let why = "redis-k8s/2 cannot be learned again by the Sentinel of redis-k8s/0: it is silent";
    is_deferred_without_a_reset(&scene, "leader-elected", &[0, 1], why);
    for number in [0, 1] {
        let view = scene.bed.pod(number).unwrap().sentinel_view().unwrap();
        let host = scene.bed.host(2);
        assert!(view.replica_hosts().contains(&host.as_str()), "{view:?}");
        assert!(view.sentinel_hosts().contains(&host.as_str()), "{view:?}");
    }
}

#[test]
fn a_planned_units_entries_under_its_address_are_forgotten() {
    let scene = Scene::healthy(3);
    let pod = scene.bed.pod(2).unwrap();
    let (host, address) = (scene.bed.host(2), pod.address().unwrap().to_string());
    let all_list = |what: &str, listed: &dyn Fn(&testbed::redis::answers::SentinelView) -> bool| {
        eventually(what, || {
            let views = [0, 1].map(|number| scene.bed.pod(number).unwrap().sentinel_view());
            views.iter().all(|view| view.as_ref().is_ok_and(listed)).then_some(())
        });
    };
    let announce = |name: &str| {
        pod.redis(&format!("CONFIG SET replica-announce-ip {name}")).unwrap();
        pod.redis("CLIENT KILL TYPE master").unwrap();
        eventually("the master lists the replica so", || {
            match scene.bed.pod(0).unwrap().redis_role().ok()? {
                Role::Master { replicas } => replicas.contains(&name.to_owned()).then_some(()),
                Role::Replica { .. } => None,
            }
        });
    };
    announce(&address);
    pod.stop_sentinel().unwrap();
    let mut config = pod.sentinel_config(0, &[0, 1, 2]);
    config.host.clone_from(&address);
    config.port += 1;
    config.id = Some("a".repeat(40));
    config.sentinels.clear();
    pod.start_sentinel(&config).unwrap();
    all_list("both entries are known", &|view| {
        view.replica_hosts().contains(&address.as_str())
            && view.sentinel_hosts().contains(&address.as_str())
    });
    announce(&host);
    pod.stop_sentinel().unwrap();
    pod.start_sentinel(&pod.sentinel_config(0, &[0, 1, 2])).unwrap();
    all_list("its own name is known again beside them", &|view| {
        view.sentinel_hosts().contains(&host.as_str())
            && view.replica_hosts().contains(&host.as_str())
            && view.replica_hosts().contains(&address.as_str())
            && view.sentinel_hosts().contains(&address.as_str())
    });

    run_until_done(&scene, 0, "leader-elected");
    assert!(is_exact(&scene, &[0, 1, 2], 0));
    assert_eq!(info_periods(&scene, &[0, 1, 2]), [INFO_PERIOD; 3]);
    assert_eq!(scene.status(0), ("active".to_owned(), String::new()));
}

#[test]
fn a_run_that_sigterm_ends_in_mid_forgetting_leaves_no_short_info_period() {
    let scene = Scene::healthy(3);
    leave(&scene, 2);
    let running = scene.start(0, Hook::new(&unit(0), "leader-elected"));
    eventually("a Sentinel is reset", || (resets(&scene, &[0, 1]) > 0).then_some(()));
    running.terminate().unwrap();
    let run = running.finish(HOOK_LIMIT).unwrap();
    assert_eq!(run.exit, Exit::Code(0), "{run:#?}");
    assert_eq!(info_periods(&scene, &[0, 1]), [INFO_PERIOD; 2]);
    assert_eq!(resets(&scene, &[0, 1]), 1, "nothing more is begun");
    assert!(scene.deferred(0).unwrap().contains("stopped by SIGTERM"), "{:?}", scene.deferred(0));

    run_until_done(&scene, 0, "update-status");
    assert!(is_exact(&scene, &[0, 1], 0));
}

#[test]
fn a_run_that_sigkill_ends_in_mid_forgetting_is_put_right_by_the_next() {
    let scene = Scene::healthy(3);
    leave(&scene, 2);
    let running = scene.start(0, Hook::new(&unit(0), "leader-elected"));
    eventually("a Sentinel is reset", || (resets(&scene, &[0, 1]) > 0).then_some(()));
    running.kill().unwrap();
    assert_eq!(running.finish(HOOK_LIMIT).unwrap().exit, Exit::Signal(9));
    assert_eq!(info_periods(&scene, &[0, 1]), [1000, INFO_PERIOD], "the kill came in time");

    scene.run(0, "update-status");
    assert_eq!(info_periods(&scene, &[0, 1]), [INFO_PERIOD; 2]);
    run_until_done(&scene, 0, "leader-elected");
    assert!(is_exact(&scene, &[0, 1], 0));
}

/// RESET leaves a window in which nobody may be able to fail over: what comes of it is reported.
#[test]
fn a_masters_pod_that_dies_in_mid_forgetting_fails_no_run() {
    let reports = thread::scope(|scope| {
        let kills = [1, 2, 3].map(|nth| scope.spawn(move || kill_the_master_at_reset(nth)));
        kills.map(|kill| kill.join().unwrap())
    });
    println!("the master's pod killed in mid-forgetting:\n{}", reports.join("\n"));
}

fn kill_the_master_at_reset(nth: usize) -> String {
    let scene = Scene::settled(Layout {
        units: 4,
        down_after: Duration::from_secs(1),
        failover_timeout: Duration::from_secs(5),
        append_only: false,
        ..Layout::default()
    });
    scene.controller.set_leader(&unit(1));
    leave(&scene, 3);
    let running = scene.start(1, Hook::new(&unit(1), "leader-elected"));
    eventually("that Sentinel is reset", || (resets(&scene, &[0, 1, 2]) >= nth).then_some(()));
    scene.bed.pod(0).unwrap().kill().unwrap();
    let failover = scene.bed.failed_over(0, &[1, 2], Duration::from_secs(20));
    let run = running.finish(HOOK_LIMIT).unwrap();
    assert_eq!(run.exit, Exit::Code(0), "{run:#?}");
    assert_eq!(info_periods(&scene, &[1, 2]), [INFO_PERIOD; 2]);
    let outcome = match failover {
        Ok(master) => {
            let reset = times(&scene, &[0, 1, 2], "+reset-master")[nth - 1];
            let switch = times(&scene, &[1, 2], "+switch-master")[0];
            format!("redis-k8s/{master} is master {} ms after it", switch - reset)
        }
        Err(_) => "no failover within 20 s".to_owned(),
    };
    format!("  at reset {nth}: {outcome}; {:?}", scene.status(1))
}

#[test]
fn no_sentinel_is_reset_while_one_holds_the_master_for_down() {
    let scene = Scene::healthy(4);
    let survivors = [0, 1, 2];
    let pod = scene.bed.pod(1).unwrap();
    pod.sentinel("SENTINEL SET redis-k8s auth-pass wrong").unwrap();
    eventually("a Sentinel holds the master for down", || {
        pod.sentinel_view().ok()?.master.has_flag("s_down").then_some(())
    });
    leave(&scene, 3);
    let why = "Sentinel of redis-k8s/1 holds the master for down";
    is_deferred_without_a_reset(&scene, "leader-elected", &survivors, why);

    let password = scene.bed.layout().redis_password.clone().unwrap();
    pod.sentinel(&format!("SENTINEL SET redis-k8s auth-pass {password}")).unwrap();
    eventually("it holds the master for down no more", || {
        pod.sentinel_view().ok()?.master.is_well().then_some(())
    });
    run_until_done(&scene, 0, "update-status");
    assert!(is_exact(&scene, &survivors, 0));
}

#[test]
fn a_reset_sentinel_that_hangs_takes_no_time_from_the_commit_after_sigterm() {
    let scene = Scene::healthy(3);
    leave(&scene, 2);
    let running = scene.start(0, Hook::new(&unit(0), "leader-elected"));
    eventually("a Sentinel is reset", || (resets(&scene, &[0, 1]) > 0).then_some(()));
    scene.bed.pod(0).unwrap().freeze_sentinel();
    running.terminate().unwrap();
    assert_eq!(running.wait_for_exit(Duration::from_secs(1)).unwrap(), Exit::Code(0));
    running.finish(HOOK_LIMIT).unwrap();
    let deferred = scene.deferred(0).expect("deferred");
    assert!(deferred.contains("stopped by SIGTERM"), "{deferred}");
    scene.bed.pod(0).unwrap().thaw().unwrap();
}
