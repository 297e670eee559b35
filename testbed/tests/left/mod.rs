//! What a bed or a lab may leave behind: processes, mounts, files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use testbed::wait;
use testbed::wait::TimedOut;

/// What was there while it lived.
#[derive(Debug)]
pub(crate) struct Left {
    /// All below the process that made it, each with the moment of its start.
    pub(crate) processes: BTreeSet<(u32, String)>,
    /// The folder in which its files are.
    pub(crate) folder: PathBuf,
}

impl Left {
    /// What there is of it now, made by that process in that folder.
    pub(crate) fn of(root: u32, folder: &Path) -> Self {
        let table = process_table();
        let mut parents = vec![root];
        let mut processes = BTreeSet::new();
        while let Some(parent) = parents.pop() {
            for (process, _, start) in table.iter().filter(|(_, of, _)| *of == parent) {
                processes.insert((*process, start.clone()));
                parents.push(*process);
            }
        }
        Self { processes, folder: folder.to_owned() }
    }

    /// Mounts of anything in its folder, in whatever namespace.
    pub(crate) fn mounts(&self) -> Vec<String> {
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let lists = all.map(|entry| fs::read_to_string(entry.path().join("mounts")));
        let text: String = lists.filter_map(Result::ok).collect();
        let folder = self.folder.display().to_string();
        text.lines().filter(|line| line.contains(&folder)).map(str::to_owned).collect()
    }

    /// Waits until nothing of it is left; the folder may be there, empty.
    pub(crate) fn is_gone(&self) -> Result<(), TimedOut> {
        let files = || self.folder.read_dir().map_or(0, Iterator::count);
        wait::until("nothing is left", LIMIT, || {
            let now: BTreeSet<_> =
                process_table().into_iter().map(|(it, _, start)| (it, start)).collect();
            let gone = self.processes.is_disjoint(&now) && self.mounts().is_empty() && files() == 0;
            gone.then_some(())
        })
        .map_err(|error| {
            error.with("left", &format!("{:?} {}", self.mounts(), self.folder.display()))
        })
    }
}

/// Number, parent and start of every process; of one that has ended and that nobody has waited for, too.
fn process_table() -> Vec<(u32, u32, String)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stat = entries.filter_map(|entry| {
        let process: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name before may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some((process, fields.get(1)?.parse().ok()?, (*fields.get(19)?).to_owned()))
    });
    stat.collect()
}

const LIMIT: Duration = Duration::from_mins(1);
