//! A session: one model, and an operator's commands to it one after another.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::command::Command;
use super::error::ShellError;
use super::own_charm::OwnCharm;
use super::perform;
use super::stand_in::StandIn;
use super::value::UnitName;
use crate::lab::Lab;
use crate::lab::sentinel_events::SentinelEvents;
use crate::lab::service_changes::ServiceChanges;
use crate::lab::status::ApplicationStatus;
use crate::lab::status::ModelStatus;
use crate::wait;

/// A model with its operator.
#[derive(Debug)]
pub struct Session {
    pub(crate) lab: Arc<Lab>,
    /// When the model's trace began.
    pub(crate) began: Timestamp,
    own_charm: OwnCharm,
    /// Set when the operator has had enough of the present command.
    pub(crate) interrupt: Arc<AtomicBool>,
    /// The lines so far.
    pub(crate) history: Vec<String>,
    /// Plays the workload's part for applications of the own charm.
    pub(crate) stand_in: StandIn,
    /// Write into the trace what nobody else does.
    _followed: (SentinelEvents, ServiceChanges),
}

/// Whether the session goes on after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// With the next one.
    On,
    /// The operator leaves.
    Over,
}

impl Session {
    /// A session with that model; `interrupt` ends what waits, as ctrl-C does.
    pub fn new(lab: Arc<Lab>, interrupt: Arc<AtomicBool>) -> Self {
        let now = Timestamp::now();
        let began = now.checked_sub(lab.trace().age()).unwrap_or(now);
        let (own_charm, history) = (OwnCharm::default(), Vec::new());
        let stand_in = StandIn::of(&lab);
        let followed = (SentinelEvents::follow(&lab), ServiceChanges::follow(&lab));
        Self { lab, began, own_charm, interrupt, history, stand_in, _followed: followed }
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.lab.options().model
    }

    /// Carries out a command that was given by that line.
    pub fn perform(
        &mut self,
        line: &str,
        command: &Command,
        out: &mut dyn Write,
    ) -> Result<Flow, ShellError> {
        self.interrupt.store(false, Ordering::Relaxed);
        self.history.push(line.to_owned());
        perform::perform(self, command, out)
    }

    /// This project's charm as it is now, in a folder that ends with the model.
    pub(crate) fn unpack_own_charm(&mut self) -> Result<PathBuf, ShellError> {
        self.own_charm.folder(self.lab.cluster().network().directory())
    }

    /// Whether the operator has had enough.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    /// Waits until the model's status is as wished.
    pub(crate) fn wait(
        &self,
        what: &str,
        limit: Duration,
        mut is_so: impl FnMut(&Lab, &ModelStatus) -> bool,
    ) -> Result<(), ShellError> {
        let waited = wait::until(what, limit, || {
            let so = is_so(&self.lab, &self.lab.status());
            (so || self.is_interrupted()).then_some(so)
        });
        match waited {
            Ok(true) => Ok(()),
            Ok(false) => Err(ShellError::Interrupted),
            Err(late) => Err(ShellError::Late { what: late.what, limit }),
        }
    }

    /// An application's status.
    pub(crate) fn application(&self, name: &str) -> Result<ApplicationStatus, ShellError> {
        let found = self.lab.status().applications.into_iter().find(|it| it.name == name);
        found.ok_or_else(|| ShellError::NoApplication(name.to_owned()))
    }

    /// The name of a unit that is there.
    pub(crate) fn unit(&self, name: &UnitName) -> Result<String, ShellError> {
        let application = self.application(&name.application)?;
        let wanted = name.to_string();
        let is_wanted = |unit: &str, is_leader: bool| match name.number {
            Some(_) => unit == wanted,
            None => is_leader,
        };
        let found = application.units.into_iter().find(|it| is_wanted(&it.name, it.is_leader));
        found.map(|unit| unit.name).ok_or(ShellError::NoUnit(wanted))
    }
}
