//! Whatever ends a bed, nothing of it is left: no process, namespace, mount, socket or file.

use std::env;
use std::error::Error;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use testbed::bed::Bed;
use testbed::layout::Layout;
use testbed::pod::CHARM;
use testbed::wait;

use left::Left;

mod left;

type Result = std::result::Result<(), Box<dyn Error>>;

const LIMIT: Duration = Duration::from_secs(20);

/// Set in the environment of the process that a test starts to be killed.
const VICTIM: &str = "TESTBED_VICTIM";

/// A bed with servers and with a process that has left its session and its parent.
fn busy_bed() -> std::result::Result<Bed, Box<dyn Error>> {
    let bed = Bed::start(Layout { units: 2, append_only: false, ..Layout::default() })?;
    let pod = bed.pod(1)?.pod()?;
    let mut command = pod.command(CHARM, "setsid");
    pod.spawn(command.args(["--fork", "sleep", "1000"]))?.wait()?;
    Ok(bed)
}

#[test]
fn a_dropped_bed_leaves_nothing() -> Result {
    let bed = busy_bed()?;
    let kept = bed.pod(1)?;
    let left = Left::of(std::process::id(), bed.network().directory());
    assert!(left.processes.len() > 20, "{left:?}");
    assert!(!left.mounts().is_empty());
    drop(bed);
    assert!(kept.redis("PING").is_err());
    drop(kept);
    // Other tests of this program have their own beds, so only what was there counts.
    left.is_gone()?;
    assert!(!left.folder.exists());
    Ok(())
}

#[test]
fn a_bed_ends_with_a_process_that_is_killed() -> Result {
    a_bed_ends("a_bed_ends_with_a_process_that_is_killed", |victim| kill(victim, Signal::SIGKILL))
}

#[test]
fn a_bed_ends_with_a_process_that_is_terminated() -> Result {
    a_bed_ends("a_bed_ends_with_a_process_that_is_terminated", |victim| {
        kill(victim, Signal::SIGTERM)
    })
}

#[test]
fn a_bed_ends_with_a_process_group_that_is_interrupted_from_the_keyboard() -> Result {
    a_bed_ends("a_bed_ends_with_a_process_group_that_is_interrupted_from_the_keyboard", |victim| {
        killpg(victim, Signal::SIGINT)
    })
}

/// Runs the test of that name as a process of its own, which makes a bed and waits to be ended.
fn a_bed_ends(test: &str, end: impl FnOnce(Pid) -> nix::Result<()>) -> Result {
    if env::var_os(VICTIM).is_some() {
        let bed = busy_bed()?;
        writeln!(io::stdout(), "\nbed in {}", bed.network().directory().display())?;
        wait::pace(LIMIT);
        return Err("it was not ended".into());
    }
    let mut command = Command::new(env::current_exe()?);
    command.args(["--exact", test, "--nocapture"]).env(VICTIM, "yes").process_group(0);
    let mut victim = command.stdout(Stdio::piped()).spawn()?;
    let stdout = BufReader::new(victim.stdout.take().ok_or("it is piped")?);
    let mut lines = stdout.lines().map_while(std::result::Result::ok);
    let directory = lines.find_map(|line| line.strip_prefix("bed in ").map(PathBuf::from));
    let left = Left::of(victim.id(), &directory.ok_or("no bed")?);
    assert!(left.processes.len() > 20 && !left.mounts().is_empty(), "{left:?}");
    end(Pid::from_raw(victim.id().cast_signed()))?;
    victim.wait()?;
    left.is_gone()?;
    assert!(!left.folder.exists());
    Ok(())
}
