//! The image of all containers of a bed: what an image of Redis holds, but for what lies in the
//! machine's own `/usr`, which every container has beneath it.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;

use crate::error::BedError;
use crate::error::at_file;
use crate::pod::plan::REDIS;
use crate::programs::Programs;

/// Makes it, with the programs that the pods run.
pub(crate) fn make(image: &Path, programs: &Programs) -> Result<(), BedError> {
    for folder in FOLDERS {
        let path = image.join(folder);
        fs::create_dir_all(&path).map_err(at_file(&path))?;
    }
    let tmp = image.join("tmp");
    fs::set_permissions(&tmp, Permissions::from_mode(0o1777)).map_err(at_file(&tmp))?;
    for file in EMPTY_FILES {
        write(&image.join(file), "")?;
    }
    for (name, target) in LINKS {
        link(target, &image.join(name))?;
    }
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        if let Ok(target) = fs::read_link(Path::new("/").join(name)) {
            link(target, &image.join(name))?;
        }
    }
    write_accounts(image)?;
    for name in MACHINE_FILES {
        let source = Path::new("/").join(name);
        if source.is_file() {
            fs::copy(&source, image.join(name)).map_err(at_file(&source))?;
        }
    }
    place_programs(image, programs)
}

fn write_accounts(image: &Path) -> Result<(), BedError> {
    let accounts = format!(
        "root:x:0:0:root:/root:/bin/sh\n\
         redis:x:{REDIS}:{REDIS}::/var/lib/redis:/usr/sbin/nologin\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    );
    write(&image.join("etc/passwd"), &accounts)?;
    let groups = format!("root:x:0:\nredis:x:{REDIS}:\nnogroup:x:65534:\n");
    write(&image.join("etc/group"), &groups)?;
    write(&image.join("etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n")
}

fn place_programs(image: &Path, programs: &Programs) -> Result<(), BedError> {
    let bin = image.join("usr/bin");
    place(&programs.redis_server, &bin.join("redis-server"))?;
    place(&programs.redis_cli, &bin.join("redis-cli"))?;
    // It tells what it is by its name.
    link("redis-server", &bin.join("redis-sentinel"))?;
    for library in &programs.redis_libraries {
        if let Some(name) = library.file_name() {
            place(library, &image.join("usr/lib").join(name))?;
        }
    }
    let exporter = bin.join("redis_exporter");
    if let Some(program) = &programs.redis_exporter {
        place(program, &exporter)?;
    } else {
        write(&exporter, EXPORTER_STAND_IN)?;
        fs::set_permissions(&exporter, Permissions::from_mode(0o755))
            .map_err(at_file(&exporter))?;
    }
    place(&programs.pebble, &image.join("charm/bin/pebble"))
}

/// Another name for the file, or a copy of it where that is not possible.
fn place(source: &Path, target: &Path) -> Result<(), BedError> {
    // A file behind a link, as a library often is.
    let source: PathBuf = fs::canonicalize(source).map_err(at_file(source))?;
    fs::hard_link(&source, target)
        .or_else(|_| fs::copy(&source, target).map(drop))
        .map_err(at_file(source))
}

fn link(target: impl AsRef<Path>, path: &Path) -> Result<(), BedError> {
    symlink(target, path).map_err(at_file(path))
}

fn write(path: &Path, text: &str) -> Result<(), BedError> {
    fs::write(path, text).map_err(at_file(path))
}

const FOLDERS: [&str; 21] = [
    "charm/bin",
    "charm/container",
    "charm/containers",
    "dev/shm",
    "etc/redis-server",
    "home",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "srv",
    "sys/fs/cgroup",
    "tmp",
    "usr/bin",
    "usr/lib",
    "var/cache",
    "var/lib/redis",
    "var/log/redis",
    "var/spool",
    "var/tmp",
];

/// The machine's own, or the pod's, are mounted on these.
const EMPTY_FILES: [&str; 9] = [
    "dev/null",
    "dev/zero",
    "dev/full",
    "dev/random",
    "dev/urandom",
    "dev/tty",
    "etc/hosts",
    "etc/hostname",
    "etc/resolv.conf",
];

const LINKS: [(&str, &str); 6] = [
    ("dev/fd", "/proc/self/fd"),
    ("dev/stdin", "/proc/self/fd/0"),
    ("dev/stdout", "/proc/self/fd/1"),
    ("dev/stderr", "/proc/self/fd/2"),
    ("etc/mtab", "/proc/self/mounts"),
    ("var/run", "/run"),
];

/// What programs of the machine's `/usr` need of its `/etc`.
const MACHINE_FILES: [&str; 5] = [
    "etc/ca-certificates.conf",
    "etc/ld.so.cache",
    "etc/ld.so.conf",
    "etc/localtime",
    "etc/services",
];

/// Folders of the same sort, shown where they are.
pub(crate) const MACHINE_FOLDERS: [&str; 4] =
    ["/etc/alternatives", "/etc/ca-certificates", "/etc/ld.so.conf.d", "/etc/ssl"];

const EXPORTER_STAND_IN: &str = "#!/bin/sh
echo 'the test bed has no redis_exporter on this machine: this is a stand-in, which exports nothing'
exec sleep infinity
";
