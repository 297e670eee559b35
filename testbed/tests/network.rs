//! The network of a bed: what is cut, removed or unknown, and what a program in a pod sees.

use std::error::Error;
use std::time::Duration;
use std::time::Instant;

use testbed::bed::Bed;
use testbed::error::BedError;
use testbed::layout::Layout;
use testbed::pod::CHARM;
use testbed::redis::odd_server::OddServer;
use testbed::redis::odd_server::Oddity;
use testbed::redis::pod::RedisPod;

type Result = std::result::Result<(), Box<dyn Error>>;

/// Pods without servers: quick to make.
fn pods(units: u32) -> std::result::Result<Bed, BedError> {
    Bed::start(Layout { units, servers: false, ..Layout::default() })
}

/// Whether a pod that connects to another one, where nothing listens, is told so. It is at once, but for
/// what a busy machine needs to start a program.
fn refuses(from: &RedisPod, host: &str) -> std::result::Result<bool, Box<dyn Error>> {
    Ok(connect(from, host, "20")? == Some(1))
}

/// Whether a pod that connects to another one hears nothing.
fn drops(from: &RedisPod, host: &str) -> std::result::Result<bool, Box<dyn Error>> {
    Ok(connect(from, host, "0.5")? == Some(124))
}

fn connect(
    from: &RedisPod,
    host: &str,
    seconds: &str,
) -> std::result::Result<Option<i32>, Box<dyn Error>> {
    let mut command = from.command("timeout")?;
    command.args([seconds, "bash", "-c", &format!("exec 3<>/dev/tcp/{host}/7000")]);
    Ok(from.pod()?.run(&mut command, "")?.status.code())
}

#[test]
fn a_cut_link_drops_packets_and_heals() -> Result {
    let bed = pods(3)?;
    let (one, other, third) = (bed.pod(0)?, bed.pod(1)?, bed.pod(2)?);
    assert!(refuses(&one, other.host())?, "nothing listens, so it is refused");
    bed.cut(0, 1)?;
    assert!(drops(&one, other.host())?);
    assert!(drops(&other, one.host())?);
    assert!(refuses(&third, one.host())?, "other links are whole");
    bed.isolate(2)?;
    assert!(drops(&third, one.host())?);
    assert!(drops(&one, third.host())?);
    assert!(refuses(&third, third.host())?, "a pod always reaches itself");
    bed.rejoin(2)?;
    assert!(refuses(&third, one.host())?);
    assert!(drops(&one, other.host())?, "a cut between two others stays");
    bed.heal()?;
    assert!(refuses(&one, other.host())?);
    assert!(refuses(&one, third.host())?);
    Ok(())
}

#[test]
fn a_removed_pods_address_drops_packets_and_a_replaced_pod_is_found_elsewhere() -> Result {
    let bed = pods(2)?;
    let here = bed.pod(0)?;
    let old = bed.pod(1)?.address()?;
    assert!(refuses(&here, &old.to_string())?);
    bed.replace(1)?;
    let new = bed.pod(1)?.address()?;
    assert_ne!(old, new);
    assert!(drops(&here, &old.to_string())?);
    assert!(refuses(&here, bed.pod(1)?.host())?);
    bed.remove(1)?;
    assert!(drops(&here, &new.to_string())?);
    assert!(bed.pod(1).is_err());
    Ok(())
}

#[test]
fn a_pod_knows_its_own_name_and_resolves_the_others() -> Result {
    let bed = pods(2)?;
    let pod = bed.pod(1)?.pod()?;
    let says = |program: &str, argument: Option<&str>| {
        let output = pod.run(pod.command(CHARM, program).args(argument), "");
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    assert_eq!(says("hostname", None)?, "redis-k8s-1");
    let look_up = |host: &str| {
        let output = pod.run(pod.command(CHARM, "getent").args(["ahostsv4", host]), "");
        output.map(|output| output.status.success())
    };
    let host = "redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local";
    assert_eq!(bed.host(0), host);
    assert!(look_up(host)?);
    assert!(look_up("redis-k8s-0.redis-k8s-endpoints")?);
    assert!(says("cat", Some("/etc/resolv.conf"))?.contains("search lab.svc.cluster.local svc."));
    let start = Instant::now();
    assert!(!look_up("redis-k8s-9.redis-k8s-endpoints.lab.svc.cluster.local")?);
    assert!(start.elapsed() < Duration::from_secs(1), "an unknown name is unknown at once");
    bed.unpublish(0)?;
    assert!(!look_up(host)?);
    bed.publish(0)?;
    assert!(look_up(host)?);
    Ok(())
}

#[test]
fn a_cut_follows_a_pod_to_its_new_address() -> Result {
    let bed = pods(2)?;
    bed.isolate(1)?;
    bed.replace(1)?;
    assert!(drops(&*bed.pod(0)?, bed.pod(1)?.host())?);
    bed.heal()?;
    assert!(refuses(&*bed.pod(0)?, bed.pod(1)?.host())?);
    Ok(())
}

#[test]
fn a_link_cut_one_way_still_carries_packets_the_other_way() -> Result {
    let bed = pods(2)?;
    let (from, to) = (bed.pod(0)?, bed.pod(1)?);
    let pod = to.pod()?;
    let _server = OddServer::start(&pod, Oddity::Silent, 7000)?;
    // A connection that was asked for and whose answer is under way (SYN_RECV).
    let asked = || {
        let table = pod.run(pod.command(CHARM, "cat").arg("/proc/net/tcp"), "")?;
        let table = String::from_utf8_lossy(&table.stdout).into_owned();
        Ok::<_, BedError>(table.lines().any(|line| line.split_whitespace().nth(3) == Some("03")))
    };
    bed.cut_one_way(0, 1)?;
    assert!(drops(&from, to.host())?);
    assert!(!asked()?, "nothing arrives");
    bed.heal()?;
    bed.cut_one_way(1, 0)?;
    assert!(drops(&from, to.host())?);
    assert!(asked()?, "it arrives, and only the answer is lost");
    Ok(())
}

#[test]
fn a_hosts_file_of_the_tests_own_is_read_at_once() -> Result {
    let bed = pods(1)?;
    let pod = bed.pod(0)?.pod()?;
    pod.set_hosts("10.1.9.9 elsewhere\n")?;
    let output = pod.run(pod.command(CHARM, "getent").args(["ahostsv4", "elsewhere"]), "")?;
    assert!(output.stdout.starts_with(b"10.1.9.9 "));
    Ok(())
}
