//! A server process: started as a child in a process group of its own, or found running.
#![expect(clippy::disallowed_methods, reason = "servers are started and looked for here")]

use std::fs;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::fchown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use rustix::fs::OFlags;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

use crate::clients::accounts;
use crate::clients::accounts::Account;

/// What is started.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Its name, looked for on PATH.
    pub name: &'a str,
    /// Its only argument.
    pub argument: &'a str,
    /// Where it works.
    pub folder: &'a Path,
    /// Whom it runs as; none is whoever starts it.
    pub account: Option<Account>,
    /// Where its output goes. Not to ours: it may outlive us, and would hold that open.
    pub log: &'a Path,
}

/// A server that was started or found.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    /// In ticks since the machine's start: with the number it tells one process from all others.
    began: u64,
    child: Option<Child>,
}

impl Process {
    /// Starts it. It gets no signal that is meant for us, and lives on when we are killed.
    pub fn start(program: Program<'_>) -> io::Result<Self> {
        let mut log = OpenOptions::new();
        // Its folder is the account's: a link there must not give another's file away.
        let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).map_err(io::Error::other)?;
        log.create(true).append(true).mode(0o640).custom_flags(no_link);
        let log = log.open(program.log)?;
        if let Some(Account { uid, gid }) = program.account {
            fchown(&log, Some(uid), Some(gid))?;
        }
        let mut command = Command::new(program.name);
        command.arg(program.argument).current_dir(program.folder).process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // Where only one user is mapped the switch is refused, even to the same one.
        if let Some(account) =
            program.account.filter(|account| accounts::own().ok() != Some(*account))
        {
            command.uid(account.uid).gid(account.gid);
        }
        let child = command.spawn()?;
        let pid = Pid::from_child(&child);
        Ok(Self { pid, began: stat(pid).map_or(0, |stat| stat.began), child: Some(child) })
    }

    /// A process of this name that works in this folder, started by somebody who is gone.
    ///
    /// It is looked for among all processes: the file with its number is written late, and may name
    /// another's by now. Its own children work there too, under other titles.
    pub fn left_behind(name: &str, folder: &str) -> Option<Self> {
        let entries = fs::read_dir("/proc").ok()?;
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        numbers.filter_map(Pid::from_raw).find_map(|pid| {
            let stat = stat(pid).filter(|stat| stat.name == name && !stat.is_dead)?;
            let place = format!("/proc/{}", pid.as_raw_nonzero());
            let title = fs::read(format!("{place}/cmdline")).ok()?;
            let first = title.split(|byte| matches!(byte, 0 | b' ')).next()?;
            let is_it = first.rsplit(|byte| *byte == b'/').next() == Some(name.as_bytes());
            let works_in = fs::read_link(format!("{place}/cwd")).ok()?;
            let is_left = is_it && works_in == Path::new(folder);
            is_left.then_some(Self { pid, began: stat.began, child: None })
        })
    }

    /// Its number.
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Whether it was started here, so that SIGCHLD tells of its end.
    pub fn is_child(&self) -> bool {
        self.child.is_some()
    }

    /// Whether it still runs. One that is dead is no process of ours any more.
    pub fn is_running(&mut self) -> bool {
        match &mut self.child {
            // A fault here would be one of ours; to take it for an end would start a second server.
            Some(child) => !matches!(child.try_wait(), Ok(Some(_))),
            None => stat(self.pid).is_some_and(|stat| stat.began == self.began && !stat.is_dead),
        }
    }

    /// SIGTERM.
    pub fn terminate(&mut self) {
        self.send(Signal::TERM);
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.send(Signal::KILL);
    }

    fn send(&mut self, signal: Signal) {
        if self.is_running() {
            // It may have ended in this very moment.
            let _ = kill_process(self.pid, signal);
        }
    }
}

/// Becomes another program, with this process's number; returns only where that failed.
pub fn become_program(name: &str, arguments: &[&str]) -> io::Error {
    Command::new(name).args(arguments).exec()
}

/// What `/proc/<pid>/stat` says (proc(5)).
struct Stat {
    name: String,
    is_dead: bool,
    began: u64,
}

fn stat(pid: Pid) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name may hold anything, also a parenthesis.
    let (start, fields) = text.rsplit_once(") ")?;
    let name = start.split_once('(')?.1.to_owned();
    let mut fields = fields.split(' ');
    let is_dead = matches!(fields.next()?, "Z" | "X");
    Some(Stat { name, is_dead, began: fields.nth(18)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_log_that_is_a_link_is_not_written_to_and_nothing_is_started() {
        let folder = tempfile::tempdir().unwrap();
        let (target, log) = (folder.path().join("target"), folder.path().join("log"));
        fs::write(&target, "").unwrap();
        symlink(&target, &log).unwrap();
        let echo = |log| {
            let folder = folder.path();
            Process::start(Program { name: "echo", argument: "said", folder, account: None, log })
        };
        assert!(echo(&log).is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "");
        let mut process = echo(&target).unwrap();
        while process.is_running() {}
        assert_eq!(fs::read_to_string(&target).unwrap(), "said\n");
    }
}
