//! Process 1 of a container: reads a plan from its stdin, makes the root, says `made` and its number on
//! the machine, and becomes the container's program.
//!
//! It is started in new PID and mount namespaces, and in the pod's network.

mod root;

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::process::ExitCode;
use std::process::Stdio;

use nix::errno::Errno;
use nix::sys::signal::SigSet;
use nix::sys::signal::Signal;
use nix::sys::wait::WaitPidFlag;
use nix::sys::wait::WaitStatus;
use nix::sys::wait::waitpid;
use testbed::pod::plan::Plan;

fn main() -> ExitCode {
    match start() {
        Ok(never) => match never {},
        Err(error) => {
            // The pod reads it.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

enum Never {}

fn start() -> io::Result<Never> {
    // Still the machine's, so it tells the number there.
    let process = fs::read_link("/proc/self")?;
    let plan: Plan = serde_json::from_reader(io::stdin())?;
    let log = File::options().create(true).append(true).open(&plan.log)?;
    root::make(&plan)?;
    writeln!(io::stdout(), "made {}", process.display())?;
    let Some((program, arguments)) = plan.program.split_first() else {
        return idle(log);
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(plan.environment);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Err(io::Error::other(format!("{program}: {}", command.exec())))
}

/// Collects orphans for ever. Nothing but SIGKILL ends process 1 when it does not want to.
fn idle(log: File) -> io::Result<Never> {
    nix::unistd::dup2_stdout(&log)?;
    nix::unistd::dup2_stderr(&log)?;
    let mut child = SigSet::empty();
    child.add(Signal::SIGCHLD);
    child.thread_block()?;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => {
                child.wait()?;
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
