//! What all parts of the daemon share. It lives on one thread: a borrow never outlasts a call.

use nix::unistd::Uid;
use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use tokio::sync::watch;

use crate::pebble::checks::CheckRun;
use crate::pebble::exec::Session;
use crate::pebble::faults::Faults;
use crate::pebble::journal;
use crate::pebble::plan::entries::Entries;
use crate::pebble::plan::layers::Layers;
use crate::pebble::process::Children;
use crate::pebble::services::ServiceRun;
use crate::pebble::state::State;
use crate::pebble::state::identities::Access;
use crate::pebble::tasks::Abort;
use crate::pebble::tasks::Job;

/// How the daemon was started.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) dir: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) http: Option<String>,
    /// Service output goes to the daemon's own output too.
    pub(crate) verbose: bool,
    /// Whether state is written at all.
    pub(crate) persistent: bool,
    pub(crate) environment: BTreeMap<String, String>,
}

/// The daemon's memory.
pub(crate) struct Shared {
    pub(crate) setup: Setup,
    pub(crate) boot_id: RefCell<String>,
    pub(crate) children: Children,
    pub(crate) layers: RefCell<Layers>,
    pub(crate) services: RefCell<BTreeMap<String, ServiceRun>>,
    pub(crate) checks: RefCell<BTreeMap<String, CheckRun>>,
    pub(crate) execs: RefCell<BTreeMap<u64, Rc<Session>>>,
    pub(crate) jobs: RefCell<BTreeMap<u64, Job>>,
    pub(crate) aborts: RefCell<BTreeMap<u64, Abort>>,
    pub(crate) faults: RefCell<Faults>,
    /// The exit code that was asked for, by a service or a check.
    pub(crate) ending: watch::Sender<Option<u8>>,
    state: RefCell<State>,
    unsaved: Cell<bool>,
    pulse: watch::Sender<u64>,
}

impl Shared {
    /// A daemon that has not begun.
    pub(crate) fn new(setup: Setup, boot_id: String, layers: Layers, state: State) -> Self {
        Self {
            setup,
            boot_id: RefCell::new(boot_id),
            children: Children::default(),
            layers: RefCell::new(layers),
            services: RefCell::default(),
            checks: RefCell::default(),
            execs: RefCell::default(),
            jobs: RefCell::default(),
            aborts: RefCell::default(),
            faults: RefCell::default(),
            ending: watch::channel(None).0,
            state: RefCell::new(state),
            unsaved: Cell::new(true),
            pulse: watch::channel(0).0,
        }
    }

    /// Looks at the state.
    pub(crate) fn state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.borrow())
    }

    /// Changes the state, and wakes whoever waits for it to change.
    pub(crate) fn change_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state.borrow_mut());
        self.unsaved.set(true);
        self.pulse.send_modify(|count| *count += 1);
        result
    }

    /// Tells of changes of the state.
    pub(crate) fn pulse(&self) -> watch::Receiver<u64> {
        self.pulse.subscribe()
    }

    /// Writes the state if it changed since. An answer is only sent when what it tells is safe.
    pub(crate) fn save(&self) {
        if !self.setup.persistent || !self.unsaved.replace(false) {
            return;
        }
        if let Err(error) = self.state.borrow().write(&self.setup.dir.join(".pebble.state")) {
            journal::note(&format!("Cannot save state: {error}"));
        }
    }

    /// Looks at the combined plan.
    pub(crate) fn plan<T>(&self, look: impl FnOnce(&Entries) -> T) -> T {
        look(self.layers.borrow().plan())
    }

    /// What a caller may do; one that came over TCP has no uid.
    pub(crate) fn access_of(&self, uid: Option<u32>) -> Access {
        let Some(uid) = uid else { return Access::Untrusted };
        let by_identity = self.state(|state| state.identities.access_of(uid));
        let own = uid == 0 || uid == Uid::effective().as_raw();
        by_identity.unwrap_or(if own { Access::Admin } else { Access::Read })
    }

    /// Asks the daemon to end with this exit code; the first wish counts.
    pub(crate) fn end(&self, code: u8) {
        self.ending.send_if_modified(|wish| {
            let first = wish.is_none();
            wish.get_or_insert(code);
            first
        });
    }
}
