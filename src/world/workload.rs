//! What the own pod's workload containers have: the files that were pushed, the plan, the services.

use std::collections::BTreeMap;

use crate::world::image::Image;
use crate::world::password::Password;

/// The two containers.
#[derive(Clone, Debug)]
pub struct Workload {
    /// What tells the charm's own program from another one.
    pub program: String,
    /// Container `redis`.
    pub redis: Container,
    /// Container `sentinel`.
    pub sentinel: Container,
}

/// One container.
#[derive(Clone, Debug)]
pub enum Container {
    /// Its Pebble cannot be reached: it has not started, or is stopping.
    Away,
    /// Its Pebble answers, but not so that it could be looked at.
    Failing(String),
    /// It was looked at.
    Open(Contents),
}

/// What is in a container.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// What was pushed as the charm's program.
    pub program: Option<String>,
    /// The image, looked at only where the charm's program is not there.
    pub image: Option<Image>,
    /// The texts of pushed files, by path, as they are there. They may hold passwords.
    pub files: BTreeMap<String, Password>,
    /// The plan's entries: `services/redis/startup` and its value.
    pub plan: BTreeMap<String, String>,
    /// What the plan's services do.
    pub services: BTreeMap<String, Service>,
}

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// It runs.
    Running,
    /// It ended, and Pebble is about to start it again.
    Retrying,
    /// It does not run.
    Stopped,
}

impl Workload {
    /// What went wrong when the containers were looked at.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        [&self.redis, &self.sentinel].into_iter().filter_map(|container| match container {
            Container::Failing(what) => Some(what.as_str()),
            Container::Away | Container::Open(_) => None,
        })
    }
}

impl Container {
    /// What is in it, where it could be looked at.
    pub fn open(&self) -> Option<&Contents> {
        match self {
            Self::Open(contents) => Some(contents),
            Self::Away | Self::Failing(_) => None,
        }
    }
}

impl Contents {
    /// What a service does; one that the plan does not have does not run.
    pub fn service(&self, name: &str) -> Service {
        self.services.get(name).copied().unwrap_or(Service::Stopped)
    }

    /// A pushed file, as it is there.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(Password::reveal)
    }
}
