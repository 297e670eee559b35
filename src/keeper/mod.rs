//! THE KEEPER: it starts Redis in its container, watches it, and rings for the charm.
//!
//! ```text
//! inputs, own Redis, all Sentinels -> what to do, and why -> done -> again
//!              look.rs              decide.rs, running.rs, ring.rs   act.rs
//! ```
//!
//! When a pod stops, its containers end before a hook could do anything for them; when Redis dies a
//! hook comes seconds later. So what must happen when Redis starts, dies or ends is done beside it.

mod act;
mod down;
mod look;
mod note_file;
mod peers;
mod stop;
mod stranded;
mod up;

pub mod decide;
pub mod noting;
pub mod restart;
pub mod ring;
pub mod running;
pub mod starter;

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tracing::error;
use tracing::info;
use tracing::warn;

use crate::clients::files;
use crate::clients::process::Process;
use crate::clients::redis::serving::Told;
use crate::clock::Watch;
use crate::journal;
use crate::keeper::act::REDIS_SERVER;
use crate::keeper::decide::End;
use crate::keeper::down::Down;
use crate::keeper::look::Circle;
use crate::keeper::note_file::NoteFile;
use crate::keeper::ring::Bell;
use crate::keeper::ring::Reason;
use crate::keeper::up::Up;
use crate::render::inputs::Inputs;
use crate::render::places;
use crate::render::report::Report;
use crate::world::cluster::Cluster;
use crate::world::lineage::KeeperView;
use crate::world::password::Password;

/// Keeps Redis until SIGTERM; notices go to the Pebble behind this socket.
pub fn run(notices: &Path) -> ExitCode {
    journal::print_lines();
    // Before anything else: from here on SIGTERM is a wish.
    let watch = match Watch::start() {
        Ok(watch) => watch,
        Err(error) => {
            error!("cannot listen for signals: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Held until the process ends, however it ends.
    let _lock = match files::lock(places::KEEPER_LOCK) {
        Ok(Some(lock)) => lock,
        Ok(None) => {
            error!("another keeper runs in this container: this one ends");
            return ExitCode::FAILURE;
        }
        Err(error) => {
            error!("cannot lock {}: {error}; the charm makes its folder", places::KEEPER_LOCK);
            return ExitCode::FAILURE;
        }
    };
    let mut desk = Desk {
        watch,
        notices: notices.to_owned(),
        inputs: None,
        circle: Circle::default(),
        bell: Bell::default(),
        lineage: NoteFile::open(),
        told: peers::answer(),
        report: None,
        said: String::new(),
        complaint: String::new(),
    };
    keep(&mut desk);
    ExitCode::SUCCESS
}

/// What the keeper works with, whether Redis runs or not.
struct Desk {
    watch: Watch,
    notices: PathBuf,
    inputs: Option<Inputs>,
    circle: Circle,
    bell: Bell,
    lineage: NoteFile,
    told: Told,
    /// What the charm was told last.
    report: Option<Report>,
    /// The last thing that was said of the state of things, which is not repeated.
    said: String,
    /// What is wrong with the inputs.
    complaint: String,
}

enum Redis {
    Down(Down),
    Up(Up),
}

fn keep(desk: &mut Desk) {
    let mut redis = Redis::Down(Down::new(how_it_ended(), desk.watch.now()));
    while !desk.watch.is_terminated() {
        desk.read_inputs();
        let Some(inputs) = desk.inputs.clone() else {
            desk.watch.rest(WITHOUT_INPUTS);
            continue;
        };
        redis = match redis {
            Redis::Down(down) => down.next(&inputs, desk),
            Redis::Up(up) => up.next(&inputs, desk),
        };
    }
    let running = match redis {
        Redis::Up(up) => Some(up),
        // There may not have been time to see it.
        Redis::Down(_) => left_behind(desk),
    };
    if let Some(up) = running {
        stop::stop(up.into_process(), desk);
    } else {
        info!("stopped by SIGTERM; Redis was not running");
    }
}

/// A Redis that runs although this keeper has not started it: one was killed, and left it.
fn left_behind(desk: &Desk) -> Option<Up> {
    let process = Process::left_behind(REDIS_SERVER, places::DATA)?;
    info!("adopted the Redis that runs here (process {})", process.id());
    Some(Up::new(process, desk.watch.now()))
}

/// How the last Redis on this volume ended: one that ends well takes its file away.
fn how_it_ended() -> End {
    if Path::new(places::PID_FILE).exists() { End::Unclean } else { End::Clean }
}

impl Desk {
    /// Reads the inputs; where they cannot be read the last ones stand.
    fn read_inputs(&mut self) {
        let read = files::read(places::KEEPER_INPUTS).map_err(|error| error.to_string());
        match read.and_then(|text| Inputs::parse(&text).map_err(|error| error.to_string())) {
            Ok(inputs) => {
                self.inputs = Some(inputs);
                self.complaint.clear();
            }
            Err(error) if error != self.complaint => {
                warn!("cannot use {}: {error}", places::KEEPER_INPUTS);
                self.complaint = error;
            }
            Err(_) => {}
        }
    }

    /// Says what is the case, once.
    fn say(&mut self, text: &str) {
        if self.said != text {
            info!("{text}");
            text.clone_into(&mut self.said);
        }
    }

    fn look(&mut self, inputs: &Inputs, limit: Duration) -> Cluster {
        self.circle.look(inputs, &self.watch, limit)
    }

    /// Tells the other keepers what this unit has.
    fn tell(&self, inputs: &Inputs, view: &KeeperView) {
        self.told.change(inputs.redis_password.as_ref().map(Password::reveal), view.render());
    }

    /// Tells the charm what it cannot see: what is waited for, and of which mastership the data are.
    fn report(&mut self, missing: BTreeSet<u32>) {
        let epoch = self.lineage.note().map_or(0, |note| note.rank.epoch);
        let report = Report { missing, epoch };
        // What another keeper left there may be old.
        if self.report.as_ref() == Some(&report) {
            return;
        }
        let path = Path::new(places::KEEPER_REPORT);
        match files::replace(path, &report.render(), 0o600, None) {
            Ok(()) => self.report = Some(report),
            Err(error) => warn!("cannot write {}: {error}", places::KEEPER_REPORT),
        }
    }

    /// Rings where the charm has something to do.
    fn ring(&mut self, inputs: &Inputs, cluster: &Cluster) {
        let mut reasons = ring::reasons(inputs, cluster);
        if let Some(report) = self.report.as_ref().filter(|report| !report.missing.is_empty()) {
            reasons.insert(Reason::DataMissing(report.missing.clone()));
        }
        for reason in self.bell.due(&reasons, self.watch.now()) {
            match act::ring(&self.notices, reason.key(), &self.watch) {
                Ok(()) => info!("rang: {}", reason.key()),
                Err(error) => {
                    warn!("cannot ring: {error}");
                    self.bell.unheard(&reason);
                }
            }
        }
    }
}

/// The charm pushes them before it starts the keeper.
const WITHOUT_INPUTS: Duration = Duration::from_secs(1);
