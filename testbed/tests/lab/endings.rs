//! Whatever ends a lab, nothing of it is left: no process, namespace, mount, socket or file.

use std::env;
use std::fs;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::process::Stdio;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use testbed::lab::Lab;

use super::left::Left;
use super::stage::LIMIT;
use super::stage::Result;
use super::stage::lab;
use super::stage::recorder;

/// Set in the environment of the process that a test starts to be ended: its temporary folder.
const VICTIM: &str = "TESTBED_VICTIM";

#[test]
fn a_lab_leaves_nothing_when_it_is_dropped() -> Result {
    struck("a_lab_leaves_nothing_when_it_is_dropped", |_| Ok(()))
}

#[test]
fn a_lab_leaves_nothing_when_its_process_is_killed() -> Result {
    let name = "a_lab_leaves_nothing_when_its_process_is_killed";
    struck(name, |victim| kill(victim, Signal::SIGKILL))
}

#[test]
fn a_lab_leaves_nothing_when_its_process_is_terminated() -> Result {
    let name = "a_lab_leaves_nothing_when_its_process_is_terminated";
    struck(name, |victim| kill(victim, Signal::SIGTERM))
}

#[test]
fn a_lab_leaves_nothing_when_its_process_group_is_interrupted_from_the_keyboard() -> Result {
    let name = "a_lab_leaves_nothing_when_its_process_group_is_interrupted_from_the_keyboard";
    struck(name, |victim| killpg(victim, Signal::SIGINT))
}

fn busy_lab() -> Result<Lab> {
    let lab = lab()?;
    lab.deploy(&recorder(), "recorder", 2)?;
    lab.wait_for_active("recorder", LIMIT)?;
    // One that has left its session and its parent.
    lab.shell("recorder/0", "charm", "setsid --fork sleep 1000 >/dev/null 2>&1")?;
    Ok(lab)
}

/// Runs the test of that name as a process of its own, with a folder of its own for temporary files;
/// it makes a lab and waits to be ended, or ends when its input does. Nothing of the lab may be left then.
fn struck(test: &str, end: impl FnOnce(Pid) -> nix::Result<()>) -> Result {
    if env::var_os(VICTIM).is_some() {
        let lab = busy_lab()?;
        writeln!(io::stdout(), "\nthe lab is up")?;
        io::stdin().read_line(&mut String::new())?;
        drop(lab);
        return Ok(());
    }
    let folder = tempfile::TempDir::new()?.keep();
    let mut command = Command::new(env::current_exe()?);
    command.args(["--exact", &format!("endings::{test}"), "--nocapture"]);
    command.env(VICTIM, "yes").env("TMPDIR", &folder).process_group(0);
    let mut victim = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(victim.stdout.take().ok_or("it is piped")?).lines();
    let mut lines = lines.map_while(std::result::Result::ok);
    if !lines.any(|line| line == "the lab is up") {
        return Err("the lab did not come up".into());
    }
    let left = Left::of(victim.id(), &folder);
    assert!(left.processes.len() > 10, "{left:?}");
    assert!(!left.mounts().is_empty() && left.folder.read_dir()?.next().is_some(), "{left:?}");
    end(Pid::from_raw(victim.id().cast_signed()))?;
    drop(victim.stdin.take());
    victim.wait()?;
    left.is_gone()?;
    fs::remove_dir(&left.folder)?;
    Ok(())
}
