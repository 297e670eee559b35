//! `pebble run`: from the first look at the directory to the exit code.

use nix::sys::prctl;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::task::LocalSet;
use tokio::task::spawn_local;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::pebble::checks;
use crate::pebble::journal;
use crate::pebble::plan::layers::Layers;
use crate::pebble::serve;
use crate::pebble::serve::control;
use crate::pebble::services::actions;
use crate::pebble::shared::Setup;
use crate::pebble::shared::Shared;
use crate::pebble::start;
use crate::pebble::start::StartError;
use crate::pebble::state::State;
use crate::pebble::tasks;

/// The options of `pebble run`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) create_dirs: bool,
    pub(crate) hold: bool,
    pub(crate) verbose: bool,
    pub(crate) http: Option<String>,
    pub(crate) identities: Option<PathBuf>,
}

/// Where a daemon, or a client that looks for one, has its directory and its socket.
pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    pub(crate) socket: PathBuf,
}

impl Place {
    /// As the environment says.
    pub(crate) fn from_env() -> Self {
        let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let dir = named("PEBBLE").unwrap_or_else(|| PathBuf::from("/var/lib/pebble/default"));
        let socket = named("PEBBLE_SOCKET").unwrap_or_else(|| dir.join(".pebble.socket"));
        Self { dir, socket }
    }
}

/// Runs the daemon to its end. Answers its exit code.
pub(crate) fn run(options: &Options) -> Result<u8, StartError> {
    let Place { dir, socket } = Place::from_env();
    let copy_from = env::var_os("PEBBLE_COPY_ONCE").map(PathBuf::from);
    start::prepare(&dir, options.create_dirs, copy_from.as_deref())?;
    let layers = Layers::read(&dir.join("layers")).map_err(StartError::Plan)?;
    let persistent = env::var_os("PEBBLE_PERSIST").is_none_or(|value| value != "never");
    let state = if persistent {
        State::read(&dir.join(".pebble.state")).map_err(StartError::State)?
    } else {
        State::default()
    };
    let setup = Setup {
        dir,
        socket,
        http: options.http.clone(),
        verbose: options.verbose,
        persistent,
        environment: environment(),
    };
    // Best effort: without it, orphans go to the machine's own init.
    let _ = prctl::set_child_subreaper(true);
    let runtime =
        Builder::new_current_thread().enable_all().build().map_err(StartError::Runtime)?;
    let shared = Rc::new(Shared::new(setup, boot_id(), layers, state));
    let code = LocalSet::new().block_on(&runtime, live(&shared, options));
    runtime.shutdown_background();
    code
}

/// What the daemon's children inherit; the bed's own variables are no business of theirs.
fn environment() -> BTreeMap<String, String> {
    let own = [control::FAULTS_VARIABLE, control::BOOT_ID_VARIABLE];
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .collect()
}

/// PID 1 is a machine of its own, which has just booted; any other process runs on a booted one.
fn boot_id() -> String {
    if let Ok(id) = env::var(control::BOOT_ID_VARIABLE) {
        return id;
    }
    if process::id() == 1 { fresh_id() } else { kernel("boot_id") }
}

/// An id that was never there before.
pub(crate) fn fresh_id() -> String {
    kernel("uuid")
}

fn kernel(name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/sys/kernel/random/{name}")).unwrap_or_default();
    text.trim().to_owned()
}

async fn live(shared: &Rc<Shared>, options: &Options) -> Result<u8, StartError> {
    let heard = |kind| signal(kind).map_err(StartError::Signals);
    let mut children = heard(SignalKind::child())?;
    let mut term = heard(SignalKind::terminate())?;
    let mut int = heard(SignalKind::interrupt())?;
    let mut quit = heard(SignalKind::quit())?;
    let socket = shared.setup.socket.clone();
    let listener = serve::bind(&socket, 0o666).await?;
    let port = match &shared.setup.http {
        Some(address) => Some(serve::bind_port(address).await?),
        None => None,
    };
    if let Some(path) = env::var_os(control::FAULTS_VARIABLE).map(PathBuf::from) {
        let listener = serve::bind(&path, 0o600).await?;
        spawn_local(control::listen(Rc::clone(shared), listener));
    }
    if let Some(path) = &options.identities {
        let wanted = start::identities(path)?;
        shared
            .change_state(|state| state.identities.replace(wanted))
            .map_err(|why| StartError::Identities(why.to_string()))?;
    }
    {
        let shared = Rc::clone(shared);
        spawn_local(async move {
            shared.children.reap();
            while children.recv().await.is_some() {
                shared.children.reap();
            }
        });
    }
    spawn_local(save_changes(Rc::clone(shared)));
    checks::follow_plan(shared);
    if !options.hold {
        // A plan that was loaded has an order; without enabled services there is nothing to do.
        let _ = actions::autostart(shared);
    }
    shared.save();
    spawn_local(serve::local(Rc::clone(shared), listener));
    if let Some(port) = port {
        spawn_local(serve::remote(Rc::clone(shared), port));
    }
    journal::note("Started daemon.");
    let mut ending = shared.ending.subscribe();
    let code = tokio::select! {
        _ = term.recv() => 0,
        _ = int.recv() => 0,
        _ = quit.recv() => 0,
        wish = ending.wait_for(Option::is_some) => wish.ok().and_then(|wish| *wish).unwrap_or(0),
    };
    stop(shared).await;
    // The socket may be gone already.
    let _ = fs::remove_file(&socket);
    if let Some(path) = env::var_os(control::FAULTS_VARIABLE) {
        let _ = fs::remove_file(path);
    }
    journal::note("Exiting.");
    Ok(code)
}

/// Services end as they wish, within their kill delays; the rest is killed.
async fn stop(shared: &Rc<Shared>) {
    if let Some(change) = actions::stop_running(shared) {
        tasks::ready(shared, change).await;
    }
    shared.children.kill_all();
    let gone = async {
        while !shared.children.is_empty() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    // What does not die of SIGKILL hangs in the kernel.
    let _ = timeout(Duration::from_secs(2), gone).await;
    shared.save();
}

/// Saves what changes without a request.
async fn save_changes(shared: Rc<Shared>) {
    let mut pulse = shared.pulse();
    while pulse.changed().await.is_ok() {
        tokio::task::yield_now().await;
        shared.save();
    }
}
