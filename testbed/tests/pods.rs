//! The pods of a bed: real servers, faults that bite, and nothing left behind.

use std::error::Error;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use testbed::bed::Bed;
use testbed::layout::Layout;
use testbed::pod::CHARM;
use testbed::redis::answers::Role;
use testbed::redis::sampler::Sampler;
use testbed::redis::server::SENTINEL_PORT;
use testbed::wait;

type Result = std::result::Result<(), Box<dyn Error>>;

const LIMIT: Duration = Duration::from_secs(20);

/// Pods without servers: quick to make.
fn empty_pods(units: u32) -> Layout {
    Layout { units, servers: false, ..Layout::default() }
}

/// A failover that is quick to see.
fn hasty() -> Layout {
    Layout { down_after: Duration::from_secs(1), append_only: false, ..Layout::default() }
}

#[test]
fn three_pods_come_up_and_agree() -> Result {
    let bed = Bed::start(Layout::default())?;
    assert_eq!(bed.settle(&[0, 1, 2], LIMIT)?, 0);
    bed.pod(0)?.redis("SET greeting \"good day\"")?;
    wait::until("a replica has the key", LIMIT, || {
        let answer = bed.pod(2).ok()?.redis("GET greeting").ok()?;
        (answer.text() == "good day").then_some(())
    })?;
    Ok(())
}

#[test]
fn units_without_passwords_come_up_and_agree() -> Result {
    let layout = Layout { redis_password: None, sentinel_password: None, ..Layout::default() };
    let bed = Bed::start(Layout { master: 1, ..layout })?;
    assert_eq!(bed.settle(&[0, 1, 2], LIMIT)?, 1);
    Ok(())
}

#[test]
fn units_with_tls_come_up_and_agree() -> Result {
    let bed = Bed::start(Layout { tls: true, ..Layout::default() })?;
    assert_eq!(bed.settle(&[0, 1, 2], LIMIT)?, 0);
    let plain = bed.pod(1)?.pod()?;
    let output = plain.run(plain.command(CHARM, "redis-cli").arg("PING"), "")?;
    assert!(!output.status.success() || !output.stdout.starts_with(b"PONG"));
    Ok(())
}

#[test]
fn a_killed_master_is_followed_by_another_and_comes_back_as_a_replica() -> Result {
    let bed = Bed::start(hasty())?;
    bed.settle(&[0, 1, 2], LIMIT)?;
    bed.pod(0)?.kill()?;
    let master = bed.failed_over(0, &[1, 2], LIMIT)?;
    let pod = bed.pod(0)?;
    pod.start_redis(&pod.redis_config(Some(master)))?;
    pod.restart_sentinel()?;
    assert_eq!(bed.settle(&[0, 1, 2], LIMIT)?, master);
    Ok(())
}

#[test]
fn a_removed_master_is_followed_by_another() -> Result {
    let bed = Bed::start(hasty())?;
    bed.settle(&[0, 1, 2], LIMIT)?;
    bed.remove(0)?;
    let master = bed.failed_over(0, &[1, 2], LIMIT)?;
    assert_ne!(master, 0);
    Ok(())
}

#[test]
fn a_frozen_master_is_followed_by_another_and_obeys_once_thawed() -> Result {
    let bed = Bed::start(hasty())?;
    bed.settle(&[0, 1, 2], LIMIT)?;
    bed.pod(0)?.freeze()?;
    let master = bed.failed_over(0, &[1, 2], LIMIT)?;
    bed.pod(0)?.thaw()?;
    let obedient = Role::Replica { master: bed.host(master), connected: true };
    wait::until("the thawed master obeys", LIMIT, || {
        (bed.pod(0).ok()?.redis_role().ok()? == obedient).then_some(())
    })?;
    Ok(())
}

#[test]
fn a_pod_added_later_joins_the_others() -> Result {
    let bed = Bed::start(hasty())?;
    bed.settle(&[0, 1, 2], LIMIT)?;
    let fourth = bed.add(3)?;
    fourth.start_redis(&fourth.redis_config(Some(0)))?;
    fourth.start_sentinel(&fourth.sentinel_config(0, &[0, 1, 2, 3]))?;
    assert_eq!(bed.settle(&[0, 1, 2, 3], LIMIT)?, 0);
    Ok(())
}

#[test]
fn two_beds_live_side_by_side_at_the_same_addresses() -> Result {
    let (one, other) = (Bed::start(hasty())?, Bed::start(hasty())?);
    assert_eq!(one.pod(0)?.address()?, other.pod(0)?.address()?);
    one.settle(&[0, 1, 2], LIMIT)?;
    other.settle(&[0, 1, 2], LIMIT)?;
    one.pod(0)?.redis("SET whose one")?;
    assert_eq!(other.pod(0)?.redis("GET whose")?.text(), "null");
    drop(one);
    other.settle(&[0, 1, 2], LIMIT)?;
    Ok(())
}

#[test]
fn a_question_to_a_frozen_server_has_an_end() -> Result {
    let bed = Bed::start(Layout { units: 1, ..hasty() })?;
    let pod = bed.pod(0)?;
    pod.freeze_redis();
    let error = pod.redis_role().expect_err("it is frozen").to_string();
    assert!(error.contains("nothing in time"), "{error}");
    assert!(pod.sentinel_view().is_ok());
    pod.thaw()?;
    assert!(pod.redis_role().is_ok());
    Ok(())
}

#[test]
fn a_sampler_sees_what_a_sentinel_forgets_for_a_moment() -> Result {
    let bed = Bed::start(hasty())?;
    bed.settle(&[0, 1, 2], LIMIT)?;
    let pod = bed.pod(1)?;
    let password = bed.layout().sentinel_password.as_deref();
    let sampler = Sampler::start(&*pod.pod()?, SENTINEL_PORT, "redis-k8s", password)?;
    wait::until("twenty samples are there", LIMIT, || {
        (sampler.summary().answers >= 20).then_some(())
    })?;
    assert_eq!(sampler.summary().fewest_replicas, Some(2));
    pod.sentinel("SENTINEL RESET redis-k8s")?;
    wait::until("the sampler sees it", LIMIT, || {
        (sampler.summary().fewest_replicas == Some(0)).then_some(())
    })?;
    pod.freeze_sentinel();
    wait::until("a gap", LIMIT, || (sampler.summary().failures > 0).then_some(()))?;
    pod.thaw()?;
    wait::until("the gap is counted", LIMIT, || {
        (sampler.summary().largest_gap > Duration::from_millis(500)).then_some(())
    })?;
    Ok(())
}

#[test]
fn a_planted_password_is_found_and_real_runs_have_none() -> Result {
    let bed = Bed::start(Layout::default())?;
    bed.settle(&[0, 1, 2], LIMIT)?;
    assert!(bed.argv_transcript().contains("redis-server"));
    assert_eq!(bed.leaks(), Vec::<String>::new());
    let password = bed.layout().redis_password.clone().ok_or("a password")?;
    let pod = bed.pod(0)?.pod()?;
    // One argv that the bed starts itself, and one of a grandchild.
    pod.run(pod.command(CHARM, "true").arg(&password), "")?;
    assert_eq!(bed.leaks().len(), 1);
    let mut shell = pod.command(CHARM, "sh");
    shell.args(["-c", "read -r word; sh -c 'sleep 1000; true' \"$word\""]).stdin(Stdio::piped());
    let mut shell = pod.spawn(&mut shell)?;
    let mut stdin = shell.stdin.take().expect("piped");
    writeln!(stdin, "{password}")?;
    wait::until("the grandchild is seen", LIMIT, || (bed.leaks().len() == 2).then_some(()))?;
    assert!(!bed.leaks().concat().contains(&password), "what is reported is masked");
    bed.pod(0)?.kill()?;
    shell.wait()?;
    Ok(())
}

#[test]
fn a_cluster_of_files_with_another_epoch_is_as_rendered() -> Result {
    let bed = Bed::start(empty_pods(1))?;
    let pod = bed.pod(0)?;
    let mut config = pod.sentinel_config(2, &[0, 1, 2]);
    config.config_epoch = 7;
    pod.start_sentinel(&config)?;
    let view = pod.sentinel_view()?;
    assert_eq!(view.epoch(), Some(7));
    assert_eq!(view.master_host.as_deref(), Some(&*bed.host(2)));
    assert_eq!(view.replica_hosts(), [bed.host(0), bed.host(1)]);
    assert_eq!(view.sentinel_hosts(), [bed.host(1), bed.host(2)]);
    assert_eq!(pod.sentinel("SENTINEL MYID")?.text(), config.id.ok_or("an id")?);
    assert!(pod.redis("PING").is_err(), "there is no Redis");
    Ok(())
}
