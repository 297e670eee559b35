//! A whole model: a controller, Kubernetes, pods, and an operator's hands on all of it.
//!
//! ```no_run
//! # use std::path::Path;
//! # use std::time::Duration;
//! # use testbed::lab::Lab;
//! # fn main() -> Result<(), testbed::lab::error::LabError> {
//! let lab = Lab::start(7)?;
//! lab.deploy(Path::new("mycharm"), "mycharm", 3)?;
//! lab.wait_for_active("mycharm", Duration::from_secs(60))?;
//! lab.delete_pod("mycharm/1")?;
//! lab.cut("mycharm/0", "mycharm/2")?;
//! lab.run("mycharm/0", "show-something", &[("key", "value")])?;
//! # Ok(())
//! # }
//! ```
//!
//! Dropped, it leaves neither a process nor a file.

pub mod error;
pub mod faults;
pub mod operator;
pub mod records;
pub mod status;
pub mod waits;

use std::path::PathBuf;

use error::LabError;

use crate::trace::sink::Sink;

/// One Juju model on this machine, and everything below it.
#[derive(Debug)]
pub struct Lab {
    options: Options,
    trace: Sink,
}

/// What a lab is started with.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Drives every choice that Juju and Kubernetes leave to chance.
    pub seed: u64,
    /// The model's name, which is its Kubernetes namespace.
    pub model: String,
    /// How much faster than Juju's own all periods pass: leases, retries, polls, ticks.
    pub speed: f64,
    /// Folders of the machine that every container sees, read-only, at the same path: where an
    /// interpreter lies that the charm needs and that is not below `/usr`.
    pub shown: Vec<PathBuf>,
}

impl Default for Options {
    /// Juju's own times, model `lab`.
    fn default() -> Self {
        Self { seed: 0, model: "lab".into(), speed: 1.0, shown: Vec::new() }
    }
}

impl Lab {
    /// An empty model with Juju's own times.
    pub fn start(seed: u64) -> Result<Self, LabError> {
        Self::start_with(Options { seed, ..Options::default() })
    }

    /// An empty model.
    pub fn start_with(options: Options) -> Result<Self, LabError> {
        Ok(Self { options, trace: Sink::new() })
    }

    /// What it was started with.
    pub fn options(&self) -> &Options {
        &self.options
    }
}
