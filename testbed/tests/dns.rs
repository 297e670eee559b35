//! The name server of a bed, asked by real programs in its pods: names that come, move and go, and a
//! server that is silent, slow or late.

use std::error::Error;
use std::process::Stdio;
use std::time::Duration;

use testbed::bed::Bed;
use testbed::error::BedError;
use testbed::layout::Layout;
use testbed::pod::CHARM;
use testbed::redis::pod::RedisPod;
use testbed::wait;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Pods without servers: quick to make.
fn pods(units: u32) -> Result<Bed, BedError> {
    Bed::start(Layout { units, servers: false, ..Layout::default() })
}

/// Runs a program in a pod and gives its exit status and what it said.
fn says(
    pod: &RedisPod,
    program: &str,
    arguments: &[&str],
) -> Result<(Option<i32>, String), BedError> {
    let pod = pod.pod()?;
    let output = pod.run(pod.command(CHARM, program).args(arguments), "")?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

/// The addresses that a pod's resolver gives for a name; none if it says that there is no such name.
fn look_up(pod: &RedisPod, name: &str) -> Outcome<Vec<String>> {
    let (status, text) = says(pod, "getent", &["ahostsv4", name])?;
    assert!(matches!(status, Some(0 | 2)), "getent {name}: {status:?}");
    let streams = text.lines().filter(|line| line.contains("STREAM"));
    let mut addresses: Vec<_> =
        streams.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect();
    addresses.sort();
    Ok(addresses)
}

/// A look-up that is broken off after 2 s; the status is 124 then.
fn look_up_within_2_s(pod: &RedisPod, name: &str) -> Outcome<Option<i32>> {
    Ok(says(pod, "timeout", &["2", "getent", "ahostsv4", name])?.0)
}

#[test]
fn a_pod_resolves_the_others_by_full_and_short_name_and_itself_from_its_own_file() -> Outcome<()> {
    let bed = pods(3)?;
    let pod = bed.pod(1)?;
    let addresses = |units: &[u32]| -> Outcome<Vec<String>> {
        units.iter().map(|unit| Ok(bed.pod(*unit)?.address()?.to_string())).collect()
    };
    for (name, units) in [
        ("redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local", &[0][..]),
        ("redis-k8s-0.redis-k8s-endpoints", &[0]),
        ("redis-k8s-0.redis-k8s-endpoints.lab", &[0]),
        ("REDIS-K8S-2.redis-k8s-endpoints.lab.svc.cluster.local.", &[2]),
        ("redis-k8s-1", &[1]),
        ("redis-k8s-0", &[]),
        ("redis-k8s-3.redis-k8s-endpoints.lab.svc.cluster.local", &[]),
        ("redis-k8s-endpoints", &[0, 1, 2]),
        ("lab.svc.cluster.local", &[]),
        ("example.org", &[]),
    ] {
        assert_eq!(look_up(&pod, name)?, addresses(units)?, "{name}");
    }
    let (_, mapped) = says(&pod, "getent", &["ahostsv6", &bed.host(0)])?;
    assert!(mapped.lines().all(|line| line.starts_with("::ffff:10.")), "no IPv6 address: {mapped}");
    let (_, hosts) = says(&pod, "cat", &["/etc/hosts"])?;
    assert!(!hosts.contains("redis-k8s-0"), "{hosts}");
    let (_, host_name) = says(&pod, "hostname", &["--fqdn"])?;
    assert_eq!(host_name, bed.host(1));
    Ok(())
}

#[test]
fn an_address_has_the_name_of_its_pod() -> Outcome<()> {
    let bed = pods(2)?;
    let address = bed.pod(1)?.address()?.to_string();
    let (status, text) = says(&*bed.pod(0)?, "getent", &["hosts", &address])?;
    assert_eq!(status, Some(0));
    assert!(text.contains(&bed.host(1)), "{text}");
    Ok(())
}

#[test]
fn a_name_comes_with_its_pod_moves_with_it_and_goes_with_it() -> Outcome<()> {
    let bed = pods(1)?;
    let (pod, name) = (bed.pod(0)?, bed.host(1));
    assert_eq!(look_up(&pod, &name)?, [""; 0]);
    let old = bed.add(1)?.address()?.to_string();
    assert_eq!(look_up(&pod, &name)?, [old.as_str()]);
    let new = bed.replace(1)?.address()?.to_string();
    assert_ne!(new, old);
    assert_eq!(look_up(&pod, &name)?, [new]);
    bed.unpublish(1)?;
    assert_eq!(look_up(&pod, &name)?, [""; 0]);
    bed.publish(1)?;
    bed.remove(1)?;
    assert_eq!(look_up(&pod, &name)?, [""; 0]);
    Ok(())
}

#[test]
fn more_pods_than_a_datagram_holds_are_told_over_tcp() -> Outcome<()> {
    let bed = pods(1)?;
    for unit in 1..40 {
        bed.add(unit)?;
    }
    assert_eq!(look_up(&*bed.pod(0)?, "redis-k8s-endpoints")?.len(), 40);
    Ok(())
}

#[test]
fn a_silent_server_lets_one_pod_or_all_wait_for_their_own_time_out() -> Outcome<()> {
    let bed = pods(3)?;
    let (one, other, name) = (bed.pod(0)?, bed.pod(1)?, bed.host(2));
    bed.silence_dns(0)?;
    assert_eq!(look_up_within_2_s(&one, &name)?, Some(124));
    assert_eq!(look_up_within_2_s(&other, &name)?, Some(0), "others are answered");
    assert_eq!(look_up_within_2_s(&one, &bed.host(0))?, Some(0), "the own name is in a file");
    let impatient = ["RES_OPTIONS=timeout:1 attempts:1", "getent", "ahostsv4", &name];
    assert_eq!(says(&one, "env", &impatient)?.0, Some(2), "the resolver gives up by itself");
    bed.replace(0)?;
    assert_eq!(
        look_up_within_2_s(&one, &name)?,
        Some(124),
        "it follows the pod to its new address"
    );
    bed.network().silence_dns_for_all()?;
    assert_eq!(look_up_within_2_s(&other, &name)?, Some(124));
    bed.network().heal_dns()?;
    assert_eq!(look_up_within_2_s(&one, &name)?, Some(0));
    assert_eq!(look_up_within_2_s(&other, &name)?, Some(0));
    Ok(())
}

#[test]
fn a_slow_server_answers_late_and_at_once_when_it_heals() -> Outcome<()> {
    let bed = pods(2)?;
    let (pod, name) = (bed.pod(0)?, bed.host(1));
    bed.network().slow_dns(Duration::from_secs(4))?;
    assert_eq!(look_up_within_2_s(&pod, &name)?, Some(124));
    let inside = pod.pod()?;
    let mut command = inside.command(CHARM, "getent");
    let begun = inside.spawn(command.args(["ahostsv4", &name]).stdout(Stdio::piped()))?;
    bed.network().heal_dns()?;
    assert!(begun.wait_with_output()?.status.success());
    bed.network().slow_dns(Duration::from_millis(300))?;
    assert_eq!(look_up_within_2_s(&pod, &name)?, Some(0));
    Ok(())
}

#[test]
fn a_late_server_shows_the_old_address_until_it_learns_of_the_new_one() -> Outcome<()> {
    let bed = pods(2)?;
    let (pod, name) = (bed.pod(0)?, bed.host(1));
    let old = bed.pod(1)?.address()?.to_string();
    bed.network().late_dns(Duration::from_hours(1))?;
    let new = bed.replace(1)?.address()?.to_string();
    assert_eq!(look_up(&pod, &name)?, [old.as_str()]);
    bed.network().heal_dns()?;
    assert_eq!(look_up(&pod, &name)?, [new]);
    bed.network().late_dns(Duration::from_secs(1))?;
    let newest = bed.replace(1)?.address()?.to_string();
    wait::until("the server learns of the new address", Duration::from_secs(20), || {
        (look_up(&pod, &name).ok()? == [newest.as_str()]).then_some(())
    })?;
    Ok(())
}

#[test]
fn a_pod_that_is_cut_off_has_no_name_server_either() -> Outcome<()> {
    let bed = pods(2)?;
    bed.isolate(0)?;
    assert_eq!(look_up_within_2_s(&*bed.pod(0)?, &bed.host(1))?, Some(124));
    bed.heal()?;
    assert_eq!(look_up_within_2_s(&*bed.pod(0)?, &bed.host(1))?, Some(0));
    Ok(())
}

#[test]
fn redis_finds_its_master_by_name_at_the_address_it_has_now() -> Outcome<()> {
    let bed = Bed::start(Layout { units: 2, ..Layout::default() })?;
    bed.settle(&[0, 1], Duration::from_secs(20))?;
    let old = bed.pod(0)?.address()?;
    bed.pod(1)?.kill_sentinel()?;
    let master = bed.replace(0)?;
    assert_ne!(master.address()?, old);
    master.start_redis(&master.redis_config(None))?;
    master.redis("SET greeting hello")?;
    wait::until(
        "the replica has what the master at its new address wrote",
        Duration::from_secs(30),
        || {
            let said = bed.pod(1).ok()?.redis("GET greeting").ok()?;
            format!("{said:?}").contains("hello").then_some(())
        },
    )?;
    Ok(())
}
