//! Files that tool arguments name: the agent opens them, inside the charm's container.

use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use nix::fcntl::OFlag;
use nix::fcntl::OpenHow;
use nix::fcntl::ResolveFlag;
use nix::fcntl::openat2;
use nix::sys::stat::Mode;

/// The charm's container as a folder of the machine.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The container's root: `/`, or `/proc/<pid>/root` of a process in it.
    pub(crate) root: PathBuf,
    /// Where the unit's resources lie, as a path in the container; the folder is there.
    pub(crate) resources: PathBuf,
}

impl Files {
    /// What is in the file.
    pub(crate) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path, OFlag::O_RDONLY)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Makes that the content of the file.
    pub(crate) fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC;
        self.open(path, flags)?.write_all(content)
    }

    /// Links are followed as a process in the container would: they do not lead out of it.
    fn open(&self, path: &Path, flags: OFlag) -> io::Result<File> {
        let flags_of_root = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = nix::fcntl::open(&self.root, flags_of_root, Mode::empty())?;
        let mut how =
            OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_IN_ROOT);
        if flags.contains(OFlag::O_CREAT) {
            how = how.mode(Mode::from_bits_truncate(0o644));
        }
        Ok(File::from(openat2(root, path, how)?))
    }
}
