//! One binary with three faces, chosen by the name that it is called by: `dispatch` for Juju, and in
//! the workload containers the keeper of Redis and the starter of Sentinel.
#![expect(clippy::disallowed_methods, reason = "the environment is read here, once")]
#![expect(clippy::print_stderr, reason = "what is said where there is no Juju to log to")]

use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use redis_k8s::clock::Budget;
use redis_k8s::env::HookEnv;
use redis_k8s::event::Event;
use redis_k8s::journal::Journal;
use redis_k8s::keeper;
use redis_k8s::names;
use redis_k8s::report;
use redis_k8s::run;

fn main() -> ExitCode {
    match called_by().as_deref() {
        Some(names::KEEPER) => {
            let socket = env::var_os("PEBBLE_SOCKET").map(PathBuf::from);
            keeper::run(socket.as_deref().unwrap_or(Path::new(PEBBLE_SOCKET)))
        }
        Some(names::SENTINEL_STARTER) => keeper::starter::run(),
        Some(_) | None => dispatch(),
    }
}

/// The last part of the name, as whoever started us wrote it.
fn called_by() -> Option<String> {
    let name = PathBuf::from(env::args_os().next()?);
    Some(name.file_name()?.to_str()?.to_owned())
}

/// Variables in, exit code out.
fn dispatch() -> ExitCode {
    let env = HookEnv::from_variables(env::vars_os());
    let event = match Event::from_env(&env) {
        Ok(event) => event,
        Err(error) => {
            eprintln!(
                "dispatch: {error}.\nTo see it at work, deploy the charm and use `juju debug-hooks`, or run `make demo`."
            );
            return ExitCode::from(2);
        }
    };
    let budget = match Budget::start(run::HOOK) {
        Ok(budget) => budget,
        Err(error) => {
            eprintln!("dispatch: cannot listen for SIGTERM: {error}");
            return ExitCode::FAILURE;
        }
    };
    let journal = Journal::open(event.is_action());
    let result = run::run(&event, &env, &budget);
    if let Err(halt) = &result {
        tracing::error!("{}", report::chain(halt));
    }
    journal.close(&budget.for_commit());
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where Juju mounts it; services inherit the variable too.
const PEBBLE_SOCKET: &str = "/charm/container/pebble.socket";
