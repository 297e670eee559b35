//! A plan: what is to be done, in order, each with its reason. Its `Display` is what tests and the
//! log print; it shows no password.

use std::fmt;

use serde_json::Value;

use crate::names::Naming;
use crate::names::SENTINEL_CONTAINER;
use crate::render::file::File;
use crate::world::juju::Application;
use crate::world::juju::Databag;
use crate::world::obstacle::Obstacle;
use crate::world::password::Password;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Set the quorum of the named units' Sentinels.
    SetQuorum {
        /// How many Sentinels must see the master down.
        quorum: usize,
        /// The units.
        sentinels: Vec<u32>,
    },
    /// Give the named units' Sentinels back the `info-period` that a killed run shortened.
    RestoreInfoPeriod {
        /// The units.
        sentinels: Vec<u32>,
    },
    /// Ask one unit's Sentinel for a failover.
    AskFailover {
        /// The unit.
        sentinel: u32,
    },
    /// Wait until the group is at rest, then look and decide once more: nothing stands behind it.
    AwaitFailover,
    /// Forget the units that are gone, one Sentinel at a time: a sequence of its own
    /// (`procedure/forget_units.rs`), which looks again before each step.
    ForgetUnits,
    /// Write files in a container of this pod, in this order.
    Push {
        /// The container.
        container: &'static str,
        /// The files.
        files: Vec<File>,
    },
    /// Give a container of this pod its layer.
    AddLayer {
        /// The container.
        container: &'static str,
        /// The layer.
        layer: Value,
    },
    /// Have the services of a container started, or restarted where their entries have changed.
    Replan {
        /// The container.
        container: &'static str,
    },
    /// Restart this pod's Sentinel, which forgets those who are not in its list of members.
    RestartSentinel,
    /// Remember that the Sentinel's file of this pod is this unit's own: it has been written.
    ClaimSentinel,
    /// Tell Juju the workload's version.
    SetVersion {
        /// The version.
        version: String,
    },
    /// Set the partition of the StatefulSet: the pods below it keep their version.
    SetPartition {
        /// What it was when this was decided.
        from: u32,
        /// What it is to be.
        to: u32,
    },
    /// Give the action a result.
    AnswerAction {
        /// Its name.
        key: &'static str,
        /// It may be a password.
        value: Password,
    },
    /// Fail the action with a message.
    FailAction {
        /// What the operator reads.
        message: String,
    },
}

impl Effect {
    /// The container of this pod that it is about, if it is about one.
    pub fn container(&self) -> Option<&'static str> {
        match self {
            Self::Push { container, .. }
            | Self::AddLayer { container, .. }
            | Self::Replan { container } => Some(container),
            Self::RestartSentinel | Self::ClaimSentinel => Some(SENTINEL_CONTAINER),
            Self::SetQuorum { .. }
            | Self::RestoreInfoPeriod { .. }
            | Self::AskFailover { .. }
            | Self::AwaitFailover
            | Self::ForgetUnits
            | Self::SetVersion { .. }
            | Self::SetPartition { .. }
            | Self::AnswerAction { .. }
            | Self::FailAction { .. } => None,
        }
    }
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The application databag as it is to be; written where it differs from what was loaded.
    pub application: Application,
    /// What is to be written into this unit's databag.
    pub unit: Databag,
    writes: Vec<(String, String)>,
    effects: Vec<(Effect, String)>,
    naming: Naming,
}

impl Plan {
    /// A plan that changes nothing.
    pub fn new(application: Application, naming: Naming) -> Self {
        let (unit, writes, effects) = (Databag::new(), Vec::new(), Vec::new());
        Self { application, unit, writes, effects, naming }
    }

    /// Plans one thing.
    pub fn push(&mut self, effect: Effect, reason: impl Into<String>) {
        self.effects.push((effect, reason.into()));
    }

    /// Plans a change of the application databag; `what` is for the log and holds no secret.
    pub fn write(
        &mut self,
        what: impl Into<String>,
        reason: impl Into<String>,
        change: impl FnOnce(&mut Application),
    ) {
        change(&mut self.application);
        self.writes.push((what.into(), reason.into()));
    }

    /// Plans to tell the peers something in this unit's databag.
    pub fn tell(&mut self, key: &str, value: &str, reason: impl Into<String>) {
        self.unit.insert(key.to_owned(), value.to_owned());
        self.writes.push((format!("tell {key}: {value}"), reason.into()));
    }

    /// The text of a file that this plan writes, if it does.
    pub fn pushed(&self, path: &str) -> Option<&str> {
        self.effects.iter().find_map(|(effect, _)| {
            let Effect::Push { files, .. } = effect else { return None };
            files.iter().find(|file| file.path == path)?.text()
        })
    }

    /// Plans to wait for the group to come to rest.
    pub fn wait(&mut self, obstacle: &Obstacle) {
        self.push(Effect::AwaitFailover, obstacle.to_string());
    }

    /// What is to be done, in order, each with its reason.
    pub fn effects(&self) -> impl Iterator<Item = (&Effect, &str)> {
        self.effects.iter().map(|(effect, reason)| (effect, reason.as_str()))
    }

    /// True when the plan ends in a wait.
    pub fn waits(&self) -> bool {
        self.effects.iter().any(|(effect, _)| *effect == Effect::AwaitFailover)
    }

    /// The changes of the databag, as text without secrets, each with its reason.
    pub fn writes(&self) -> impl Iterator<Item = String> {
        self.writes.iter().map(|(what, reason)| format!("{what} -- {reason}"))
    }

    /// What an effect does, in words.
    pub fn describe(&self, effect: &Effect) -> String {
        let of = |sentinels: &[u32]| {
            sentinels
                .iter()
                .map(|unit| self.naming.unit(*unit).to_string())
                .collect::<Vec<_>>()
                .join(", ")
        };
        match effect {
            Effect::SetQuorum { quorum, sentinels } => {
                format!("set quorum {quorum} on {}", of(sentinels))
            }
            Effect::RestoreInfoPeriod { sentinels } => {
                format!("restore the info period of {}", of(sentinels))
            }
            Effect::AskFailover { sentinel } => {
                format!("ask the Sentinel of {} for a failover", self.naming.unit(*sentinel))
            }
            Effect::AwaitFailover => "wait for the failover to finish".to_owned(),
            Effect::ForgetUnits => "forget the units that are gone".to_owned(),
            Effect::Push { container, files } => {
                let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
                format!("write {} in container {container}", paths.join(", "))
            }
            Effect::AddLayer { container, .. } => format!("add the layer of container {container}"),
            Effect::Replan { container } => {
                format!("start what is to run in container {container}")
            }
            Effect::RestartSentinel => "restart the own Sentinel".to_owned(),
            Effect::ClaimSentinel => "claim Sentinel's file in container sentinel".to_owned(),
            Effect::SetVersion { version } => format!("tell the version {version}"),
            Effect::SetPartition { from, to } if from < to => {
                format!("hold the roll at {}", self.naming.unit(*to))
            }
            Effect::SetPartition { to: 0, .. } => "let the roll go on freely".to_owned(),
            Effect::SetPartition { to, .. } => {
                format!("let the roll go on to {}", self.naming.unit(*to))
            }
            Effect::AnswerAction { key, .. } => format!("answer {key}"),
            Effect::FailAction { message } => format!("fail the action: {message}"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for write in self.writes() {
            writeln!(out, "{write}")?;
        }
        for (effect, reason) in self.effects() {
            writeln!(out, "{} -- {reason}", self.describe(effect))?;
        }
        Ok(())
    }
}
