//! Files: those that the charm reads of its own pod, and those that the keeper and the starter of
//! Sentinel read and write in theirs.
#![expect(clippy::disallowed_methods, reason = "files are read and written here")]

use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::Permissions;
use std::fs::TryLockError;
use std::io;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::fchown;
use std::os::unix::fs::lchown;
use std::path::Path;
use std::time::SystemTime;

use crate::clients::accounts::Account;

/// The resolver's configuration, or nothing where it cannot be read.
pub fn resolver_configuration() -> String {
    fs::read_to_string("/etc/resolv.conf").unwrap_or_default()
}

/// The text of a file.
pub fn read(path: &str) -> io::Result<String> {
    fs::read_to_string(path)
}

/// When a file was last written; `None` where there is none.
pub fn modified(path: &str) -> io::Result<Option<SystemTime>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found?.modified().map(Some),
    }
}

/// The bytes of the program that runs.
pub fn own_program() -> io::Result<Vec<u8>> {
    fs::read(OWN_PROGRAM)
}

/// What tells the program that runs from another: its size, and when it was written.
pub fn own_program_mark() -> io::Result<String> {
    let program = fs::metadata(OWN_PROGRAM)?;
    Ok(format!("{} {}.{:09}", program.len(), program.mtime(), program.mtime_nsec()))
}

/// What the container may use of memory, in bytes, by its control group (version 2, then 1); `None`
/// without a limit, or where none can be read.
pub fn memory_limit() -> Option<u64> {
    let read = |path| fs::read_to_string(path).ok();
    let text = read("/sys/fs/cgroup/memory.max")
        .or_else(|| read("/sys/fs/cgroup/memory/memory.limit_in_bytes"))?;
    text.trim().parse().ok().filter(|limit| *limit < NO_LIMIT)
}

/// Writes a file that others find whole or not at all: beside it, then in its place. It has `mode`
/// from its beginning.
pub fn replace(path: &Path, text: &str, mode: u32, owner: Option<Account>) -> io::Result<()> {
    let beside = path.with_extension("new");
    // One that was left behind may have another mode.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    file.write_all(text.as_bytes())?;
    if let Some(Account { uid, gid }) = owner {
        fchown(&file, Some(uid), Some(gid))?;
    }
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Sees to it that what was written, renamed or removed in a folder stays so, whatever happens.
pub fn settle_folder(path: &str) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a folder, where there is none, and gives it this mode and owner.
pub fn make_folder(path: &str, mode: u32, owner: Option<Account>) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(path)?;
    if let Some(account) = owner {
        own(Path::new(path), account)?;
    }
    if fs::metadata(path)?.permissions().mode() & 0o7777 != mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Gives a folder and all in it to an account: a volume may have been another user's. Links are not
/// followed.
pub fn own_all(path: &Path, account: Account) -> io::Result<()> {
    own(path, account)?;
    if path.symlink_metadata()?.is_dir() {
        for entry in path.read_dir()? {
            own_all(&entry?.path(), account)?;
        }
    }
    Ok(())
}

fn own(path: &Path, Account { uid, gid }: Account) -> io::Result<()> {
    let now = path.symlink_metadata()?;
    if (now.uid(), now.gid()) == (uid, gid) {
        return Ok(());
    }
    lchown(path, Some(uid), Some(gid))
}

/// Takes a lock that ends with the process; `None` when another has it.
pub fn lock(path: &str) -> io::Result<Option<File>> {
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

const OWN_PROGRAM: &str = "/proc/self/exe";

/// Version 1 says `no limit` with a number near 2^63.
const NO_LIMIT: u64 = 1 << 60;
