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
    /// What is in the file, up to a limit.
    pub(crate) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path, OFlag::O_RDONLY)?.take(LIMIT).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Makes that the content of the file.
    pub(crate) fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC;
        self.open(path, flags)?.write_all(content)
    }

    /// Links are followed as a process in the container would: they do not lead out of it. A pipe
    /// that nobody holds at the other end is no reason to wait, as the whole controller would.
    fn open(&self, path: &Path, flags: OFlag) -> io::Result<File> {
        let flags_of_root = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = nix::fcntl::open(&self.root, flags_of_root, Mode::empty())?;
        let mut how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT);
        if flags.contains(OFlag::O_CREAT) {
            how = how.mode(Mode::from_bits_truncate(0o644));
        }
        Ok(File::from(openat2(root, path, how)?))
    }
}

/// The most that is read of a file, in bytes: more than any tool takes.
const LIMIT: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use tempfile::TempDir;

    use super::Files;
    use super::LIMIT;

    #[test]
    fn paths_and_links_lead_to_files_of_the_container_alone() {
        let machine = TempDir::new().unwrap();
        let root = machine.path().join("root");
        fs::create_dir_all(root.join("var/run")).unwrap();
        fs::write(root.join("etc"), "inside").unwrap();
        fs::write(machine.path().join("secret"), "outside").unwrap();
        symlink("/etc", root.join("absolute")).unwrap();
        symlink("../../secret", root.join("upwards")).unwrap();
        symlink(machine.path().join("secret"), root.join("outwards")).unwrap();
        symlink("/var/run", root.join("run")).unwrap();
        let files = Files { root: root.clone(), resources: "/".into() };
        let read = |path: &str| files.read(Path::new(path)).map_err(|error| error.kind());
        for path in ["/etc", "/absolute", "/../etc", "/run/../../etc"] {
            assert_eq!(read(path).unwrap(), b"inside", "{path}");
        }
        for path in ["/missing", "/upwards", "/outwards", "/../secret"] {
            assert_eq!(read(path), Err(ErrorKind::NotFound), "{path}");
        }
        files.write(Path::new("/run/new"), b"longer").unwrap();
        files.write(Path::new("/run/new"), b"short").unwrap();
        assert_eq!(fs::read(root.join("var/run/new")).unwrap(), b"short");
    }

    #[test]
    fn no_file_keeps_the_controller_waiting() {
        let root = TempDir::new().unwrap();
        mkfifo(&root.path().join("pipe"), Mode::S_IRWXU).unwrap();
        let files = Files { root: root.path().to_owned(), resources: "/".into() };
        assert_eq!(files.read(Path::new("/pipe")).unwrap(), b"");
        assert!(files.write(Path::new("/pipe"), b"text").is_err());
        let machine = Files { root: "/".into(), ..files };
        let endless = machine.read(Path::new("/dev/zero")).unwrap();
        assert_eq!(u64::try_from(endless.len()).unwrap(), LIMIT);
    }
}
