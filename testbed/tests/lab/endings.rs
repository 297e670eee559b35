//! Whatever ends a lab, nothing of it is left: no process, namespace, mount, socket or file.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use testbed::lab::Lab;
use testbed::wait;

use super::stage::LIMIT;
use super::stage::Result;
use super::stage::lab;
use super::stage::recorder;

/// Set in the environment of the process that a test starts to be ended: its temporary folder.
const VICTIM: &str = "TESTBED_VICTIM";

#[test]
fn a_lab_leaves_nothing_when_it_is_dropped() -> Result {
    let left = struck("a_lab_leaves_nothing_when_it_is_dropped", |_| Ok(()))?;
    left.is_gone()
}

#[test]
fn a_lab_leaves_nothing_when_its_process_is_killed() -> Result {
    let name = "a_lab_leaves_nothing_when_its_process_is_killed";
    struck(name, |victim| kill(victim, Signal::SIGKILL))?.is_gone()
}

#[test]
fn a_lab_leaves_nothing_when_its_process_is_terminated() -> Result {
    let name = "a_lab_leaves_nothing_when_its_process_is_terminated";
    struck(name, |victim| kill(victim, Signal::SIGTERM))?.is_gone()
}

#[test]
fn a_lab_leaves_nothing_when_its_process_group_is_interrupted_from_the_keyboard() -> Result {
    let name = "a_lab_leaves_nothing_when_its_process_group_is_interrupted_from_the_keyboard";
    struck(name, |victim| killpg(victim, Signal::SIGINT))?.is_gone()
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
/// it makes a lab and waits to be ended, or ends when its input does.
fn struck(test: &str, end: impl FnOnce(Pid) -> nix::Result<()>) -> Result<Left> {
    if env::var_os(VICTIM).is_some() {
        let lab = busy_lab()?;
        writeln!(io::stdout(), "\nthe lab is up")?;
        io::stdin().read_line(&mut String::new())?;
        drop(lab);
        return Ok(Left::default());
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
    let left = Left { processes: family(victim.id()), folder };
    assert!(left.processes.len() > 10, "{left:?}");
    assert!(!left.mounts().is_empty() && left.folder.read_dir()?.next().is_some(), "{left:?}");
    end(Pid::from_raw(victim.id().cast_signed()))?;
    drop(victim.stdin.take());
    victim.wait()?;
    Ok(left)
}

/// What a lab may leave.
#[derive(Debug, Default)]
struct Left {
    /// The process that made it, and all below it, each with the moment of its start.
    processes: BTreeSet<(u32, String)>,
    /// The folder in which its files are.
    folder: PathBuf,
}

impl Left {
    fn mounts(&self) -> Vec<String> {
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let lists = all.map(|entry| fs::read_to_string(entry.path().join("mounts")));
        let text: String = lists.filter_map(std::result::Result::ok).collect();
        let folder = self.folder.display().to_string();
        text.lines().filter(|line| line.contains(&folder)).map(str::to_owned).collect()
    }

    fn is_gone(&self) -> Result {
        if self.folder == Path::new("") {
            return Ok(());
        }
        let files = || self.folder.read_dir().map_or(0, Iterator::count);
        wait::until("nothing is left of the lab", LIMIT, || {
            let now: BTreeSet<_> =
                process_table().into_iter().map(|(it, _, start)| (it, start)).collect();
            let gone = self.processes.is_disjoint(&now) && self.mounts().is_empty() && files() == 0;
            gone.then_some(())
        })
        .map_err(|error| error.with("left", &format!("{:?} {:?}", self.mounts(), self.folder)))?;
        fs::remove_dir(&self.folder)?;
        Ok(())
    }
}

/// A process and all below it.
fn family(root: u32) -> BTreeSet<(u32, String)> {
    let table = process_table();
    let mut parents = vec![root];
    let mut family = BTreeSet::new();
    while let Some(parent) = parents.pop() {
        for (process, _, start) in table.iter().filter(|(_, of, _)| *of == parent) {
            family.insert((*process, start.clone()));
            parents.push(*process);
        }
    }
    family
}

/// Number, parent and start of every process.
fn process_table() -> Vec<(u32, u32, String)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stat = entries.filter_map(|entry| {
        let process: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name before may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some((process, fields.get(1)?.parse().ok()?, (*fields.get(19)?).to_owned()))
    });
    stat.collect()
}
