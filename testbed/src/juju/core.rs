//! What all handles and threads of one controller share.

use std::fmt;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::time::Instant;

use tempfile::TempDir;

use crate::programs;

use super::cloud::Cloud;
use super::error::Error;
use super::tools;
use super::world::SharedWorld;
use super::world::World;

/// A controller without the handle that ends it.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    pub(crate) world: SharedWorld,
    /// The controller's own folder, which goes with its last handle.
    pub(crate) directory: PathBuf,
    /// For who has to keep it longer. No thread does: the process may end before the thread.
    pub(crate) kept: Weak<TempDir>,
    /// None before there is one, and after the end.
    pub(crate) cloud: Arc<Mutex<Option<CloudHandle>>>,
}

/// The Kubernetes that applications are deployed to.
#[derive(Clone)]
pub(crate) struct CloudHandle(pub(crate) Arc<dyn Cloud>);

impl fmt::Debug for CloudHandle {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a cloud")
    }
}

impl Core {
    /// Waits for a change of the world, or until it is that late.
    pub(crate) fn wait(
        world: MutexGuard<'_, World>,
        until: Option<Instant>,
    ) -> MutexGuard<'_, World> {
        let changed = Arc::clone(&world.changed);
        let Some(until) = until else {
            return changed.wait(world).unwrap_or_else(PoisonError::into_inner);
        };
        let left = until.saturating_duration_since(Instant::now());
        changed.wait_timeout(world, left).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Puts the hook tools into a folder of the machine.
    pub(crate) fn install_tools(folder: &Path) -> Result<(), Error> {
        let file = |path: &Path, source| Error::File { path: path.to_owned(), source };
        fs::create_dir_all(folder).map_err(|source| file(folder, source))?;
        let program = programs::own("hook-tool").map_err(Error::Tools)?;
        let own = folder.join("hook-tool");
        if !own.exists() && fs::hard_link(&program, &own).is_err() {
            copy(&program, &own)?;
        }
        for (name, _) in tools::TOOLS {
            let tool = folder.join(name);
            if !tool.exists() {
                symlink("hook-tool", &tool).map_err(|source| file(&tool, source))?;
            }
        }
        Ok(())
    }
}

/// Copies a file, or a folder with all that is in it. The system's own program does: a program that
/// this process had written itself could be held open for writing by a child that another thread
/// starts at the moment, and would not start.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let file = |source| Error::File { path: to.to_owned(), source };
    let output = Command::new("cp")
        .args(["-a", "--reflink=auto", "-T", "--"])
        .args([from, to])
        .output()
        .map_err(file)?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(file(std::io::Error::other(text)))
}
