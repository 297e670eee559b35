//! The programs that are measured.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use tempfile::NamedTempFile;
use testbed::juju::frame;
use testbed::juju::run::HookRun;
use testbed::programs;

use crate::Outcome;

/// Where they are.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) dispatch: PathBuf,
    pub(crate) bare_hook: PathBuf,
    pub(crate) peak_memory: PathBuf,
}

impl Programs {
    /// Static builds in a folder, or what cargo built for this bench.
    pub(crate) fn find(folder: Option<&OsStr>) -> Outcome<Self> {
        let peak_memory = programs::own("peak-memory")?;
        let (dispatch, bare_hook) = match folder {
            Some(folder) => {
                let folder = Path::new(folder);
                (folder.join("dispatch"), folder.join("bare-hook"))
            }
            None => (PathBuf::from(env!("CARGO_BIN_EXE_dispatch")), programs::own("bare-hook")?),
        };
        let found = |path: PathBuf| {
            let shown = path.display().to_string();
            path.canonicalize().map_err(|error| format!("cannot find {shown}: {error}"))
        };
        Ok(Self { dispatch: found(dispatch)?, bare_hook: found(bare_hook)?, peak_memory })
    }
}

/// Writes down the hook tools of a run for `bare-hook`. It holds passwords, so only this user may read
/// it, and it goes when it is dropped.
pub(crate) fn list_of_tools(run: &HookRun) -> Outcome<NamedTempFile> {
    let mut bytes = Vec::new();
    for call in &run.calls {
        let input = call.stdin.as_deref().unwrap_or_default();
        let mut message = vec![input];
        message.extend(call.argv.iter().map(String::as_bytes));
        frame::send(&mut bytes, &message)?;
    }
    let file = NamedTempFile::new()?;
    fs::write(file.path(), bytes)?;
    Ok(file)
}
