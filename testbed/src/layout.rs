//! What a bed consists of at its start.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::BedError;
use crate::names::Names;
use crate::programs;
use crate::redis::certificate;

/// What a bed consists of at its start. It holds passwords, so its Debug shows only the names.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Layout {
    /// Application and model.
    pub names: Names,
    /// How many pods, from 0 on.
    pub units: u32,
    /// The unit whose Redis is the master at first.
    pub master: u32,
    /// Whether the bed starts Redis and Sentinel, or leaves the pods empty.
    pub servers: bool,
    /// The password of Redis; none means none.
    pub redis_password: Option<String>,
    /// The password of Sentinel; none means none.
    pub sentinel_password: Option<String>,
    /// How long a Redis may be silent before Sentinel calls it down.
    pub down_after: Duration,
    /// Sentinel's failover-timeout.
    pub failover_timeout: Duration,
    /// Whether Redis keeps an append-only file.
    pub append_only: bool,
    /// Whether all ports speak TLS, with the bed's own certificate.
    pub tls: bool,
    /// Folders of the machine that the pods see at the same path, to read only. Those of the bed's own
    /// programs and of its certificate are always among them.
    pub shown: Vec<PathBuf>,
    /// Whether the disk of a workload container can be made slow (`Pod::slow_disk`).
    pub can_slow_disk: bool,
}

impl Layout {
    pub(crate) fn with_own_folders(mut self) -> Result<Self, BedError> {
        self.shown.extend([programs::own_folder()?, certificate::folder()]);
        Ok(self)
    }
}

impl Default for Layout {
    /// Three units of `redis-k8s` in model `lab`, unit 0 master, with passwords and the usual times.
    fn default() -> Self {
        Self {
            names: Names { application: "redis-k8s".into(), model: "lab".into() },
            units: 3,
            master: 0,
            servers: true,
            redis_password: Some("RedisPasswordOfTheBed".into()),
            sentinel_password: Some("SentinelPasswordOfTheBed".into()),
            down_after: Duration::from_secs(5),
            failover_timeout: Duration::from_secs(10),
            append_only: true,
            tls: false,
            shown: Vec::new(),
            can_slow_disk: false,
        }
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Layout").field("names", &self.names).finish_non_exhaustive()
    }
}
