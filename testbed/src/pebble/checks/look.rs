//! One look: does the port accept, does the command exit with 0, does the server answer with 2xx.

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::lookup_host;
use tokio::net::unix::pipe::Receiver;
use tokio::time::timeout;

use crate::pebble::accounts::Owner;
use crate::pebble::accounts::user_with;
use crate::pebble::checks::http;
use crate::pebble::plan::entries::Check;
use crate::pebble::plan::entries::ExecCheck;
use crate::pebble::plan::words;
use crate::pebble::process::Launch;
use crate::pebble::process::Leads;
use crate::pebble::process::program_of;
use crate::pebble::process::reason;
use crate::pebble::process::signal_group;
use crate::pebble::shared::Shared;

/// Why a look found nothing good.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) why: String,
    /// What the other side said.
    pub(crate) details: String,
}

impl Failure {
    /// A failure without more to tell.
    pub(crate) fn bare(why: &str) -> Self {
        Self { why: why.to_owned(), details: String::new() }
    }

    /// The reason and what was said.
    pub(crate) fn in_full(&self) -> String {
        if self.details.is_empty() {
            return self.why.clone();
        }
        format!("{}; {}", self.why, self.details)
    }
}

/// Looks once, within the check's timeout.
pub(crate) async fn look(shared: &Shared, check: &Check) -> Result<(), Failure> {
    let limit = check.timeout();
    let looking = async {
        if let Some(exec) = &check.exec {
            run(shared, exec).await
        } else if let Some(tcp) = &check.tcp {
            let host = if tcp.host.is_empty() { "localhost" } else { &tcp.host };
            connect(host, tcp.port).await.map(|_| ()).map_err(|why| Failure::bare(&why))
        } else if let Some(wanted) = &check.http {
            http::get(wanted).await
        } else {
            Err(Failure::bare("nothing to check"))
        }
    };
    match timeout(limit.duration(), looking).await {
        Ok(found) => found,
        Err(_) => Err(Failure::bare(&format!("check timed out after {limit}"))),
    }
}

/// Connects to the first address that accepts; the error is that of the first one tried.
pub(crate) async fn connect(host: &str, port: i64) -> Result<TcpStream, String> {
    let Ok(number) = u16::try_from(port) else {
        return Err(format!("dial tcp: address {port}: invalid port"));
    };
    let found = lookup_host((host, number)).await;
    let addresses: Vec<_> =
        found.map_err(|_| format!("dial tcp: lookup {host}: no such host"))?.collect();
    let mut first = None;
    // Go tries the old protocol first where a name has both.
    let (old, new): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(std::net::SocketAddr::is_ipv4);
    for address in old.into_iter().chain(new) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                let why = format!("dial tcp {address}: connect: {}", reason(&error));
                first.get_or_insert(why);
            }
        }
    }
    Err(first.unwrap_or_else(|| format!("dial tcp: lookup {host}: no such host")))
}

/// Kills a command that is not waited for any more.
struct Leash(Option<Pid>);

impl Drop for Leash {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            signal_group(pid, Signal::SIGKILL);
        }
    }
}

async fn run(shared: &Shared, exec: &ExecCheck) -> Result<(), Failure> {
    let (launch, output) = prepared(shared, exec).map_err(|why| Failure::bare(&why))?;
    let program = launch.program.display().to_string();
    let child = shared
        .children
        .spawn(launch)
        .map_err(|error| Failure::bare(&format!("fork/exec {program}: {}", reason(&error))))?;
    let mut leash = Leash(Some(child.pid));
    let mut said = VecDeque::new();
    let ended = {
        let mut ended = child.ended;
        let reading = read(output, &mut said);
        tokio::pin!(reading);
        tokio::select! {
            code = &mut ended => {
                // Its output is in the pipe by now, but a child of its own may hold it open.
                let _ = timeout(LINGER, reading).await;
                code
            }
            () = &mut reading => ended.await,
        }
    };
    leash.0 = None;
    match ended.unwrap_or(-1) {
        0 => Ok(()),
        code => {
            let bytes: Vec<u8> = said.into();
            let details = last_lines(String::from_utf8_lossy(&bytes).trim());
            Err(Failure { why: format!("exit status {code}"), details })
        }
    }
}

async fn read(mut output: Receiver, said: &mut VecDeque<u8>) {
    let mut buffer = vec![0; 4096];
    while let Ok(count) = output.read(&mut buffer).await {
        let Some(fresh) = buffer.get(..count).filter(|fresh| !fresh.is_empty()) else { return };
        said.extend(fresh);
        let surplus = said.len().saturating_sub(MOST_OUTPUT);
        said.drain(..surplus);
    }
}

fn prepared(shared: &Shared, exec: &ExecCheck) -> Result<(Launch, Receiver), String> {
    let context =
        shared.plan(|plan| plan.services.get(&exec.service_context).cloned()).unwrap_or_default();
    let owner = if exec.owner == Owner::default() { &context.owner } else { &exec.owner };
    let ids = owner.ids().map_err(|error| error.to_string())?;
    let mut environment = shared.setup.environment.clone();
    if let Some(user) = ids.and_then(|ids| user_with(ids.user)) {
        environment.insert("HOME".to_owned(), user.dir.display().to_string());
        environment.insert("USER".to_owned(), user.name);
    }
    environment.extend(context.environment);
    environment.extend(exec.environment.clone());
    let mut words = words::split(&exec.command).map_err(|error| error.to_string())?;
    if words.is_empty() {
        return Err("exec: no command".to_owned());
    }
    let first = words.remove(0);
    let program = program_of(&first)?;
    let dir =
        if exec.working_dir.is_empty() { context.working_dir } else { exec.working_dir.clone() };
    let dir = Some(dir).filter(|dir| !dir.is_empty());
    if let Some(dir) = dir.as_ref().filter(|_| ids.is_none_or(super::super::accounts::Ids::are_own))
    {
        std::fs::metadata(dir).map_err(|error| format!("chdir {dir}: {}", reason(&error)))?;
    }
    let piped = || -> io::Result<_> {
        let (output, input) = io::pipe()?;
        Ok((Receiver::from_owned_fd(output.into())?, input.try_clone()?, input))
    };
    let (output, stdout, stderr) = piped().map_err(|error| reason(&error))?;
    let launch = Launch {
        program,
        words,
        name: first,
        environment,
        dir,
        ids,
        leads: Leads::Group,
        stdin: Stdio::null(),
        stdout: OwnedFd::from(stdout).into(),
        stderr: OwnedFd::from(stderr).into(),
    };
    Ok((launch, output))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let surplus = lines.len().saturating_sub(MOST_LINES);
    let kept = lines.get(surplus..).unwrap_or_default().join("\n");
    if surplus > 0 { format!("(...)\n{kept}") } else { kept }
}

/// The first lines of what a server said.
pub(crate) fn first_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    let kept = lines.iter().take(MOST_LINES).copied().collect::<Vec<_>>().join("\n");
    if lines.len() > MOST_LINES { format!("{kept}\n(...)") } else { kept }
}

const MOST_LINES: usize = 5;
const MOST_OUTPUT: usize = 10 * 1024;
const LINGER: Duration = Duration::from_millis(500);
