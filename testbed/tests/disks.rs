//! Volumes that are lost, kept and rolled back, and disks that are slow.

use std::error::Error;
use std::time::Duration;
use std::time::Instant;

use testbed::names::Names;
use testbed::network::Network;
use testbed::pod::Pod;
use testbed::pod::spec::PodSpec;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const LIMIT: Duration = Duration::from_secs(20);

fn shop() -> PodSpec {
    let names = Names { application: "shop".into(), model: "town".into() };
    PodSpec::new(names, 0, &["web"]).with_storage("stock", "/srv/stock", &["web"])
}

fn says(pod: &Pod, script: &str) -> Result<String> {
    let output = pod.run(pod.command("web", "sh").args(["-c", script]), "")?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() { Ok(said) } else { Err(format!("{script}: {output:?}").into()) }
}

#[test]
fn a_volume_is_rolled_back_to_what_it_was_and_wiped() -> Result {
    let network = Network::start()?;
    let pod = network.add(shop())?;
    let volume = network.volume("shop-0", "stock");
    let all = "cd /srv/stock && find . -mindepth 1 -printf '%p %U:%G %m\\n' | sort && cat bread 2>/dev/null";
    // Files of any user: without root on the machine it is the containers' root that may touch them.
    says(
        &pod,
        "cd /srv/stock && echo 5 >bread && mkdir -m 700 cellar && echo 1 >cellar/.wine && \
         chown -R redis cellar && chmod 600 cellar/.wine",
    )?;
    let before = says(&pod, all)?;
    let snapshot = volume.snapshot()?;
    says(&pod, "cd /srv/stock && echo 4 >bread && rm -r cellar && echo 1 >milk")?;
    volume.roll_back(&snapshot)?;
    assert_eq!(says(&pod, all)?, before);
    volume.wipe()?;
    assert_eq!(says(&pod, "ls -A /srv/stock")?, "");
    network.remove("shop-0")?;
    volume.roll_back(&snapshot)?;
    assert_eq!(says(&*network.add(shop())?, all)?, before, "also while there is no pod");
    Ok(())
}

#[test]
fn a_slow_disk_makes_those_wait_who_want_their_data_on_it() -> Result {
    let network = Network::start()?;
    let pod = network.add(PodSpec { can_slow_disk: true, ..shop() })?;
    pod.wait_for_pebble("web", LIMIT)?;
    let write = |option: &str| -> Result<Duration> {
        let start = Instant::now();
        says(&pod, &format!("dd if=/dev/zero of=/srv/stock/file bs=1 count=1 conv={option}"))?;
        Ok(start.elapsed())
    };
    write("fdatasync")?;
    let delay = Duration::from_millis(500);
    pod.slow_disk("web", delay)?;
    assert!(write("fdatasync")? >= delay && write("fsync")? >= delay);
    // Who does not ask for it does not wait, or this would not end.
    pod.slow_disk("web", Duration::from_hours(10))?;
    write("notrunc")?;
    pod.slow_disk("web", Duration::ZERO)?;
    write("fdatasync")?;
    let plain = network.add(PodSpec { unit: 1, ..shop() })?;
    let error = plain.slow_disk("web", delay).err().ok_or("it was not prepared")?;
    assert!(error.to_string().contains("container web of shop-1: set can_slow_disk"), "{error}");
    Ok(())
}
