//! What a container is made of, as its first process is told.

use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;

/// A container: its root is the image with a layer of its own above, which is lost with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The image: a folder as `image.rs` makes it.
    pub image: PathBuf,
    /// An empty folder, to mount things on.
    pub scratch: PathBuf,
    /// What of the machine is seen inside, in the order of mounting.
    pub binds: Vec<Bind>,
    /// Text files, by their paths inside.
    pub files: Vec<(PathBuf, String)>,
    /// Folders inside that belong to the user `redis`.
    pub owned: Vec<PathBuf>,
    /// What becomes process 1, with its arguments; none is an idle one that only collects orphans.
    pub program: Vec<String>,
    /// The variables of process 1.
    pub environment: Vec<(String, String)>,
    /// Where its output goes, a file of the machine.
    pub log: PathBuf,
}

/// A file or folder of the machine that is seen inside too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bind {
    /// Its path on the machine.
    pub source: PathBuf,
    /// Its path inside.
    pub target: PathBuf,
    /// Whether it is there only to be read.
    pub is_read_only: bool,
}

/// The number of the user and the group `redis`, as in an image.
pub const REDIS: u32 = 999;
