//! Real children: started in groups or sessions of their own, and reaped, orphans included.
//!
//! The only file here with unsafe code: a session can only be begun between fork and exec.

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::sys::signal::killpg;
use nix::sys::wait::Id;
use nix::sys::wait::WaitPidFlag;
use nix::sys::wait::WaitStatus;
use nix::sys::wait::waitid;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use nix::unistd::setsid;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use tokio::sync::oneshot;

use crate::pebble::accounts::Ids;

/// Whom signals to the child reach beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leads {
    /// A process group.
    Group,
    /// A session, which is a group too.
    Session,
}

/// What to start.
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    /// The words after the program's name.
    pub(crate) words: Vec<String>,
    /// What the program is told that its name is.
    pub(crate) name: String,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) dir: Option<String>,
    pub(crate) ids: Option<Ids>,
    pub(crate) leads: Leads,
    pub(crate) stdin: Stdio,
    pub(crate) stdout: Stdio,
    pub(crate) stderr: Stdio,
}

/// A child, and its exit code when it comes: 128 and the signal's number if it was killed.
pub(crate) struct Child {
    pub(crate) pid: Pid,
    pub(crate) ended: oneshot::Receiver<i32>,
}

/// The children that someone waits for.
#[derive(Default)]
pub(crate) struct Children {
    waiting: RefCell<BTreeMap<i32, oneshot::Sender<i32>>>,
}

impl Children {
    /// Starts a child. Nothing may be reaped between its start and its entry in the list: both
    /// happen on one thread, without a pause.
    pub(crate) fn spawn(&self, launch: Launch) -> io::Result<Child> {
        if is_text(&launch.program) {
            return Err(Errno::ENOEXEC.into());
        }
        let mut command = Command::new(&launch.program);
        command.arg0(&launch.name).args(&launch.words);
        command.env_clear().envs(&launch.environment);
        command.stdin(launch.stdin).stdout(launch.stdout).stderr(launch.stderr);
        if let Some(dir) = &launch.dir {
            command.current_dir(dir);
        }
        if let Some(ids) = launch.ids.filter(|ids| !ids.are_own()) {
            command.uid(ids.user).gid(ids.group);
        }
        match launch.leads {
            Leads::Group => {
                command.process_group(0);
            }
            Leads::Session => begin_session(&mut command),
        }
        let child = command.spawn()?;
        let pid = Pid::from_raw(child.id().cast_signed());
        let (tell, ended) = oneshot::channel();
        self.waiting.borrow_mut().insert(pid.as_raw(), tell);
        Ok(Child { pid, ended })
    }

    /// Collects every process that has ended, own children and orphans.
    pub(crate) fn reap(&self) {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        while let Ok(status) = waitid(Id::All, flags) {
            let Some(pid) = status.pid() else { return };
            let code = match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(_, code)) => code,
                Ok(WaitStatus::Signaled(_, signal, _)) => 128 + signal as i32,
                Ok(
                    WaitStatus::StillAlive
                    | WaitStatus::Stopped(..)
                    | WaitStatus::Continued(_)
                    | WaitStatus::PtraceEvent(..)
                    | WaitStatus::PtraceSyscall(_),
                )
                | Err(_) => return,
            };
            if let Some(tell) = self.waiting.borrow_mut().remove(&pid.as_raw()) {
                // Whoever asked may be gone.
                let _ = tell.send(code);
            }
        }
    }

    /// Kills every child that is still waited for, with its group.
    pub(crate) fn kill_all(&self) {
        for pid in self.waiting.borrow().keys() {
            signal_group(Pid::from_raw(*pid), Signal::SIGKILL);
        }
    }

    /// Whether any child is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }
}

#[expect(unsafe_code, reason = "what runs between fork and exec is up to the caller to keep sound")]
fn begin_session(command: &mut Command) {
    // SAFETY: setsid is async-signal-safe, and nothing is allocated on the way.
    unsafe {
        command.pre_exec(|| setsid().map(|_| ()).map_err(io::Error::from));
    }
}

/// Signals a child and its group. It may be gone already: that is fine.
pub(crate) fn signal_group(pid: Pid, signal: Signal) {
    let _ = killpg(pid, signal);
}

/// Signals a child alone.
pub(crate) fn signal_child(pid: Pid, signal: Signal) -> nix::Result<()> {
    kill(pid, signal)
}

/// An error of the system in Go's words: those of the C library, in lower case.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => Errno::from_raw(number).desc().to_lowercase(),
        None => error.to_string(),
    }
}

/// Finds a program as Pebble does: in the daemon's own PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| is_executable(path));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|dir| dir.join(name)).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

/// Whether the kernel would not know what to do with a program. The C library then tries a shell,
/// which Pebble does not.
fn is_text(path: &Path) -> bool {
    let mut head = [0; 4];
    let Some(mut file) = is_executable(path).then(|| File::open(path).ok()).flatten() else {
        return false;
    };
    let known =
        file.read_exact(&mut head).is_ok() && head == *b"\x7fELF" || head.starts_with(b"#!");
    !known
}

/// The program of a service or a check: a name with a slash is taken as it is.
pub(crate) fn program_of(name: &str) -> Result<PathBuf, String> {
    if name.contains('/') {
        return Ok(PathBuf::from(name));
    }
    let missing = || format!("exec: \"{name}\": executable file not found in $PATH");
    find_program(name).ok_or_else(missing)
}
