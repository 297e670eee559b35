//! Runs a program in the namespaces of a process:
//! `enter PROCESS NAMESPACES DIRECTORY PROGRAM [ARGUMENT..]`, the namespaces as in `user,pid,mnt`.
//!
//! Nobody moves into another PID namespace, only children are born there. So the program is a child,
//! and this process stands for it outside, before whoever started it: in the same process group, and
//! with the same end. A signal to the group reaches the program itself, and this process takes no
//! notice. Only SIGKILL ends it, and the program with it.

use std::env;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::process::ExitCode;
use std::process::ExitStatus;

use nix::sched::CloneFlags;
use nix::sched::setns;
use nix::sys::prctl;
use nix::sys::resource::Resource;
use nix::sys::resource::setrlimit;
use nix::sys::signal::SigSet;
use nix::sys::signal::Signal;
use nix::unistd;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == INSIDE => leave_parent().and_then(|()| inside(rest)),
        _ => outside(&arguments),
    };
    done.unwrap_or_else(|error| {
        // Whoever started it without an output does not want to know.
        let _ = writeln!(io::stderr(), "enter: {error}");
        ExitCode::from(126)
    })
}

fn outside(arguments: &[OsString]) -> io::Result<ExitCode> {
    let [process, namespaces, ..] = arguments else { return Err(usage()) };
    join(process, namespaces, &["user", "pid"])?;
    if !listed(namespaces).any(|name| name == "pid") {
        return inside(arguments);
    }
    SigSet::all().thread_block()?;
    let mut child = Command::new("/proc/self/exe").arg(INSIDE).args(arguments).spawn()?;
    forget_streams()?;
    Ok(end_like(child.wait()?))
}

/// Becomes the program.
fn inside(arguments: &[OsString]) -> io::Result<ExitCode> {
    let [process, namespaces, directory, program, rest @ ..] = arguments else {
        return Err(usage());
    };
    join(process, namespaces, &["net", "uts", "mnt"])?;
    let at = |what: &OsStr, error| io::Error::other(format!("{}: {error}", what.display()));
    env::set_current_dir(directory).map_err(|error| at(directory, error))?;
    Err(at(program, Command::new(program).args(rest).exec()))
}

/// What the parent takes no notice of is for this process; the parent's end is its end too, as that
/// comes first only when the parent is killed.
fn leave_parent() -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    Ok(SigSet::all().thread_unblock()?)
}

/// Joins those of the named namespaces that are among these, in this order.
fn join(process: &OsStr, namespaces: &OsStr, these: &[&str]) -> io::Result<()> {
    let wanted = these.iter().filter(|name| listed(namespaces).any(|listed| listed == **name));
    // All are opened first: after the mounts have changed there may be no such path.
    let open = |name: &&str| {
        let path = format!("/proc/{}/ns/{name}", process.display());
        File::open(&path).map_err(|error| io::Error::other(format!("cannot join {path}: {error}")))
    };
    let files = wanted.map(open).collect::<io::Result<Vec<File>>>()?;
    files.iter().try_for_each(|file| Ok(setns(file, CloneFlags::empty())?))
}

fn listed(namespaces: &OsStr) -> impl Iterator<Item = &str> {
    namespaces.to_str().unwrap_or_default().split(',')
}

/// Who reads the program's output must see its end when the program closes it.
fn forget_streams() -> io::Result<()> {
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    unistd::dup2_stdin(&nothing)?;
    unistd::dup2_stdout(&nothing)?;
    Ok(unistd::dup2_stderr(&nothing)?)
}

fn end_like(status: ExitStatus) -> ExitCode {
    if let Some(number) = status.signal() {
        // If there is a core, the program has left it.
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
        // A program in Rust does not die of every signal, a shell does.
        let mut only = SigSet::empty();
        only.extend(Signal::try_from(number));
        let _ = only.thread_unblock();
        let _ = Command::new("/bin/sh").args(["-c", &format!("kill -{number} $$")]).exec();
        return ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX));
    }
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

fn usage() -> io::Error {
    io::Error::other("enter PROCESS NAMESPACES DIRECTORY PROGRAM [ARGUMENT..]")
}

/// The first argument of the child, which is not yet what it is to become.
const INSIDE: &str = "--inside";
