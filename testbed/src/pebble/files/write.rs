//! Writing, making and removing: files appear whole or not at all.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::Permissions;
use std::io;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::pebble::accounts::Ids;
use crate::pebble::files::FileError;
use crate::pebble::files::GENERIC;
use crate::pebble::files::absolute;
use crate::pebble::process::reason;

/// A file that is being written beside its place.
pub(crate) struct Draft {
    file: File,
    beside: String,
    path: String,
    mode: u32,
    ids: Option<Ids>,
    finished: bool,
}

impl Draft {
    /// Opens the file beside its place, and makes the directories above if asked.
    pub(crate) fn begin(
        path: &str,
        mode: u32,
        ids: Option<Ids>,
        make_dirs: bool,
    ) -> Result<Self, FileError> {
        absolute(path)?;
        if make_dirs && let Some(parent) = Path::new(path).parent().and_then(Path::to_str) {
            make_parents(parent, 0o755, ids)
                .map_err(|error| error.with_prefix("cannot create directory"))?;
        }
        let beside = format!("{path}.{}~", random_word());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&beside)
            .map_err(|error| FileError::system("open", &beside, &error))?;
        let path = path.to_owned();
        Ok(Self { file, beside, path, mode, ids, finished: false })
    }

    /// Adds some content.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(|error| FileError::system("write", &self.beside, &error))
    }

    /// Puts the file in its place.
    pub(crate) fn finish(mut self) -> Result<(), FileError> {
        let beside = self.beside.clone();
        let failed = |deed: &str, error: &io::Error| FileError::system(deed, &beside, error);
        if let Some(ids) = self.ids {
            chown(&beside, Some(ids.user), Some(ids.group))
                .map_err(|error| failed("chown", &error))?;
        }
        // Exact, whatever the umask; after the owner, whose change takes special bits away.
        self.file
            .set_permissions(Permissions::from_mode(self.mode))
            .map_err(|error| failed("chmod", &error))?;
        self.file.sync_all().map_err(|error| failed("sync", &error))?;
        let is_dir = fs::symlink_metadata(&self.path).is_ok_and(|facts| facts.is_dir());
        let renamed = if is_dir {
            Err("file exists".to_owned())
        } else {
            fs::rename(&beside, &self.path).map_err(|error| reason(&error))
        };
        match renamed {
            Ok(()) => {
                self.finished = true;
                Ok(())
            }
            Err(why) => {
                let message = format!("rename {beside} {}: {why}", self.path);
                Err(FileError { message, kind: GENERIC })
            }
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            // What is left of a failed write is nobody's.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// Makes a directory; with `parents`, as `mkdir -p` does, all with the same mode and owner.
pub(crate) fn make_dir(
    path: &str,
    parents: bool,
    mode: u32,
    ids: Option<Ids>,
) -> Result<(), FileError> {
    absolute(path)?;
    if parents {
        return make_parents(path, mode, ids);
    }
    match fs::metadata(path) {
        Ok(facts) => {
            let why = if facts.is_dir() { "file exists" } else { "not a directory" };
            Err(FileError::generic(format!("mkdir {path}: {why}")))
        }
        Err(_) => make_one(path, mode, ids),
    }
}

fn make_parents(path: &str, mode: u32, ids: Option<Ids>) -> Result<(), FileError> {
    match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => return Ok(()),
        Ok(_) => return Err(FileError::generic(format!("mkdir {path}: not a directory"))),
        Err(_) => {}
    }
    if let Some(parent) = Path::new(path).parent().and_then(Path::to_str) {
        make_parents(parent, mode, ids)?;
    }
    make_one(path, mode, ids)
}

/// Under another name first, so that nobody sees it with the wrong mode or owner.
fn make_one(path: &str, mode: u32, ids: Option<Ids>) -> Result<(), FileError> {
    let path = path.trim_end_matches('/');
    let beside = format!("{path}.mkdir-new");
    let finish = || -> io::Result<()> {
        fs::set_permissions(&beside, Permissions::from_mode(mode))?;
        if let Some(ids) = ids {
            chown(&beside, Some(ids.user), Some(ids.group))?;
        }
        fs::rename(&beside, path)
    };
    fs::create_dir(&beside).map_err(|error| FileError::system("mkdir", &beside, &error))?;
    finish().map_err(|error| {
        // The error that is told is the one that counts.
        let _ = fs::remove_dir(&beside);
        FileError::system("mkdir", path, &error)
    })
}

/// Removes a file or an empty directory; with `recursive`, whatever is there, if anything is.
pub(crate) fn remove(path: &str, recursive: bool) -> Result<(), FileError> {
    absolute(path)?;
    let is_dir = fs::symlink_metadata(path).is_ok_and(|facts| facts.is_dir());
    let removed = match (is_dir, recursive) {
        (true, true) => fs::remove_dir_all(path),
        (true, false) => fs::remove_dir(path),
        (false, _) => fs::remove_file(path),
    };
    match removed {
        Err(error) if !(recursive && error.kind() == io::ErrorKind::NotFound) => {
            let deed = if recursive { "unlinkat" } else { "remove" };
            Err(FileError::system(deed, path, &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Twelve letters and digits that nobody else has at this moment.
fn random_word() -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut seed = now.as_nanos() ^ (u128::from(std::process::id()) << 64);
    let mut word = String::new();
    while word.len() < 12 {
        seed =
            seed.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(0x9E37_79B9);
        let at = usize::try_from((seed >> 64) % LETTERS.len() as u128).unwrap_or_default();
        word.extend(LETTERS.get(at).map(|&letter| char::from(letter)));
    }
    word
}
