//! Starts a service's process, and hears of its output and its end.

use std::io;
use std::io::PipeReader;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::rc::Rc;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::pebble::accounts::user_with;
use crate::pebble::clock::Span;
use crate::pebble::journal;
use crate::pebble::logs::LogBuffer;
use crate::pebble::plan::entries::Service;
use crate::pebble::plan::words;
use crate::pebble::process::Launch;
use crate::pebble::process::Leads;
use crate::pebble::process::program_of;
use crate::pebble::process::reason;
use crate::pebble::quote::quoted;
use crate::pebble::services::Stage;
use crate::pebble::services::machine::ended_with;
use crate::pebble::services::with;
use crate::pebble::shared::Shared;

/// Starts the process. On success the service is in `stage`, and its end will be seen.
pub(super) fn launch(shared: &Rc<Shared>, name: &str, stage: Stage) -> Result<(), String> {
    let Some((config, logs)) = with(shared, name, |run| (run.config.clone(), Rc::clone(&run.logs)))
    else {
        return Err("service went away".to_owned());
    };
    let (launch, output) = prepared(shared, &config)?;
    let program = launch.program.display().to_string();
    let kill_delay = config.kill_delay();
    journal::note(&format!("Service {} starting: {}", quoted(name), config.command));
    let child = shared.children.spawn(launch).map_err(|error| {
        format!("cannot start service: fork/exec {program}: {}", reason(&error))
    })?;
    logs.begin();
    let run = with(shared, name, |run| {
        run.enter(stage);
        run.pid = Some(child.pid);
        run.run += 1;
        run.starts += 1;
        run.run
    });
    let verbose = shared.setup.verbose;
    let reading = spawn_local(read_output(output, logs, verbose));
    let (pid, ended) = (child.pid, child.ended);
    let (shared, name) = (Rc::clone(shared), name.to_owned());
    spawn_local(async move {
        let code = ended.await.unwrap_or(-1);
        // A grandchild may hold the pipe: it is waited for, but not for ever.
        let patience = Span(kill_delay.0.saturating_mul(9) / 10).duration();
        let _ = timeout(patience, reading).await;
        ended_with(&shared, &name, pid, run, code);
    });
    Ok(())
}

fn prepared(shared: &Shared, config: &Service) -> Result<(Launch, PipeReader), String> {
    let ids = config.owner.ids().map_err(|error| error.to_string())?;
    let mut environment = shared.setup.environment.clone();
    if let Some(user) = ids.and_then(|ids| user_with(ids.user)) {
        environment.insert("HOME".to_owned(), user.dir.display().to_string());
        environment.insert("USER".to_owned(), user.name);
    }
    environment.extend(config.environment.clone());
    let mut words = words::command(&config.command).map_err(|error| error.to_string())?;
    if words.is_empty() {
        return Err("cannot start service: empty command".to_owned());
    }
    let first = words.remove(0);
    let cannot = |why: String| format!("cannot start service: {why}");
    let program = program_of(&first).map_err(cannot)?;
    let piped = || -> io::Result<_> {
        let (output, input) = io::pipe()?;
        Ok((output, input.try_clone()?, input))
    };
    let (output, stdout, stderr) = piped().map_err(|error| cannot(reason(&error)))?;
    let launch = Launch {
        program,
        words,
        name: first,
        environment,
        dir: Some(config.working_dir.clone()).filter(|dir| !dir.is_empty()),
        ids,
        leads: Leads::Group,
        stdin: Stdio::null(),
        stdout: OwnedFd::from(stdout).into(),
        stderr: OwnedFd::from(stderr).into(),
    };
    Ok((launch, output))
}

async fn read_output(output: PipeReader, logs: Rc<LogBuffer>, verbose: bool) {
    let Ok(mut output) = Receiver::from_owned_fd(output.into()) else { return };
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count) = output.read(&mut buffer).await {
        let Some(fresh) = buffer.get(..count).filter(|fresh| !fresh.is_empty()) else { return };
        let stored = logs.write(fresh);
        if verbose {
            journal::pass_on(&stored);
        }
    }
}
