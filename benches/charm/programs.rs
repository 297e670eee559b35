//! The programs that are measured.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

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
    pub(crate) measure_run: PathBuf,
}

impl Programs {
    /// The folders that they lie in.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let programs = [&self.dispatch, &self.bare_hook, &self.measure_run];
        programs.iter().filter_map(|program| program.parent()).map(Path::to_owned).collect()
    }

    /// Static builds in a folder, or what cargo built for this bench.
    pub(crate) fn find(folder: Option<&OsStr>) -> Outcome<Self> {
        let measure_run = programs::own("measure-run")?;
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
        Ok(Self { dispatch: found(dispatch)?, bare_hook: found(bare_hook)?, measure_run })
    }
}

/// Writes down the hook tools of a run for `bare-hook`, in that folder. It holds passwords, so only
/// this user may read it, and it goes when it is dropped.
pub(crate) fn list_of_tools(run: &HookRun, folder: &Path) -> Outcome<NamedTempFile> {
    let mut bytes = Vec::new();
    for call in &run.calls {
        let input = call.stdin.as_deref().unwrap_or_default();
        let mut message = vec![input];
        message.extend(call.argv.iter().map(String::as_bytes));
        frame::send(&mut bytes, &message)?;
    }
    let file = NamedTempFile::new_in(folder)?;
    fs::write(file.path(), bytes)?;
    Ok(file)
}

/// What a run took by itself, as `measure-run` wrote it down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) time: Duration,
    /// The most memory at once, in bytes.
    pub(crate) memory: u64,
}

impl Took {
    pub(crate) fn read(file: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(file)?;
        let (time, memory) = text.trim().split_once(' ').ok_or("measure-run wrote nothing")?;
        Ok(Self {
            time: Duration::from_micros(time.parse()?),
            memory: memory.parse::<u64>()? * 1024,
        })
    }
}
