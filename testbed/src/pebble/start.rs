//! The daemon's directory: what must be there before anything runs.

use std::fs;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use thiserror::Error;

use crate::pebble::process::reason;
use crate::pebble::quote::quoted;
use crate::pebble::state::identities::Identity;
use crate::pebble::state::identities::Wanted;
use crate::pebble::yaml::node::Node;

/// Why the daemon cannot run; the text is its last line.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error("directory {} must be absolute", quoted(.0))]
    Relative(String),
    #[error("cannot {deed}: mkdir {path}: {why}")]
    Directory { deed: &'static str, path: String, why: String },
    #[error("cannot load plan: {0}")]
    Plan(String),
    #[error("cannot read the state file: {0}")]
    State(io::Error),
    #[error("cannot start runtime: {0}")]
    Runtime(io::Error),
    #[error("cannot watch signals: {0}")]
    Signals(io::Error),
    #[error("cannot listen on {name}: socket {name} already in use", name = quoted(.address))]
    InUse { address: String },
    #[error("cannot listen on {}: {why}", quoted(.address))]
    Listen { address: String, why: String },
    #[error("cannot read identities: {0}")]
    Identities(String),
}

/// Makes the directory, if asked, and what Pebble keeps in it.
pub(crate) fn prepare(
    dir: &Path,
    create: bool,
    copy_from: Option<&Path>,
) -> Result<(), StartError> {
    if !dir.is_absolute() {
        return Err(StartError::Relative(dir.display().to_string()));
    }
    if create {
        DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE)
            .create(dir)
            .map_err(|error| told("create directory", dir, &error))?;
    }
    if let Some(from) = copy_from {
        copy_once(from, dir).map_err(|error| told("copy directory", from, &error))?;
    }
    let identity = dir.join("identity");
    match DirBuilder::new().mode(PRIVATE).create(&identity) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(told("create identity directory", &identity, &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn told(deed: &'static str, path: &Path, error: &io::Error) -> StartError {
    StartError::Directory { deed, path: path.display().to_string(), why: reason(error) }
}

/// Fills the directory from another one while it is empty.
fn copy_once(from: &Path, to: &Path) -> io::Result<()> {
    if fs::read_dir(to).is_ok_and(|mut listing| listing.next().is_some()) || !from.is_dir() {
        return Ok(());
    }
    copy_all(from, to)
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
            fs::set_permissions(&target, entry.metadata()?.permissions())?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The identities of a file, which take the place of those of the same names.
pub(crate) fn identities(path: &Path) -> Result<Wanted, StartError> {
    let text = fs::read_to_string(path).map_err(|error| {
        StartError::Identities(format!("open {}: {}", path.display(), reason(&error)))
    })?;
    let root = Node::parse(&text).map_err(|error| StartError::Identities(error.to_string()))?;
    let json = root.map(|node| node.to_json()).unwrap_or_default();
    let named = json.get("identities").and_then(|identities| identities.as_object());
    let mut wanted = Wanted::new();
    for (name, value) in named.into_iter().flatten() {
        let identity = Identity::decode(name, value);
        let identity = identity.map_err(|why| StartError::Identities(why.to_string()))?;
        wanted.insert(name.clone(), identity);
    }
    Ok(wanted)
}

const PRIVATE: u32 = 0o700;
