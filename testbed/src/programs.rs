//! Where the programs are that a bed starts, and whether it runs as root or in a user namespace.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::SystemTime;

use crate::error::BedError;
use crate::error::at_file;
use crate::lock::lock;

/// The programs of a bed, found once.
#[derive(Debug)]
pub struct Programs {
    pub(crate) redis_server: PathBuf,
    pub(crate) redis_cli: PathBuf,
    /// The libraries that these need and the machine may lack.
    pub(crate) redis_libraries: Vec<PathBuf>,
    pub(crate) redis_exporter: Option<PathBuf>,
    /// The own Pebble, or the one that the variable `PEBBLE` names.
    pub(crate) pebble: PathBuf,
    pub(crate) ip: PathBuf,
    pub(crate) unshare: PathBuf,
    /// Runs a program in the namespaces of a process.
    pub(crate) enter: PathBuf,
    /// The first process of a container.
    pub(crate) container: PathBuf,
    /// Whether the namespaces belong to a user namespace, made without root.
    pub(crate) rootless: bool,
}

impl Programs {
    /// Looks for all of them; the error says how to get the one that is missing.
    pub fn find() -> Result<Self, BedError> {
        let unshare = find("unshare")?;
        let exporter = find("redis_exporter").or_else(|_| find("prometheus-redis-exporter"));
        Ok(Self {
            redis_server: behind_launcher(find("redis-server")?),
            redis_cli: behind_launcher(find("redis-cli")?),
            redis_libraries: unpacked_libraries(),
            redis_exporter: exporter.ok().map(behind_launcher),
            pebble: env::var_os("PEBBLE")
                .map_or_else(|| own("pebble"), |named| Ok(named.into()))?,
            ip: find("ip")?,
            enter: own("enter")?,
            container: own("container")?,
            rootless: needs_user_namespace(&unshare)?,
            unshare,
        })
    }

    /// The search path inside a pod: what `scripts/install-servers` unpacked, then this process's own.
    pub fn path() -> OsString {
        env::join_paths(folders()).unwrap_or_default()
    }
}

/// The redis-server that every bed starts.
pub fn redis_server() -> Result<PathBuf, BedError> {
    find("redis-server")
}

/// One of this package's own programs (`src/bin/`); all of them are built at the first call if one is
/// missing or older than its source.
///
/// Cargo builds them for this package's tests only; another package's tests need them too.
pub fn own(name: &str) -> Result<PathBuf, BedError> {
    static BUILT: Mutex<bool> = Mutex::new(false);
    let folder = own_folder()?;
    // Held while building: a program must not be replaced while another test starts it.
    let mut built = lock(&BUILT);
    if !*built {
        let current = own_names()?.iter().all(|name| is_current(&folder.join(name)));
        if !current {
            build(&folder, &["--bins"])?;
        }
        *built = true;
    }
    let program = folder.join(name);
    if program.exists() { Ok(program) } else { Err(BedError::Missing { program: name.into() }) }
}

/// The library that makes a disk slow (`examples/slow_disk.rs`), built if it is missing or older than its
/// source.
pub(crate) fn slow_disk() -> Result<PathBuf, BedError> {
    static BUILDING: Mutex<()> = Mutex::new(());
    let folder = own_folder()?;
    let library = folder.join("examples/libslow_disk.so");
    let _building = lock(&BUILDING);
    if !is_newer(&library, &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")) {
        build(&folder, &["--example", "slow_disk"])?;
    }
    Ok(library)
}

/// A test lies in `target/<profile>/deps`, the programs one above.
pub(crate) fn own_folder() -> Result<PathBuf, BedError> {
    let test = env::current_exe().map_err(at_file("the running program"))?;
    let folder = test
        .ancestors()
        .find(|folder| folder.file_name().is_some_and(|name| name == "deps"))
        .and_then(Path::parent)
        .or(test.parent())
        .unwrap_or(Path::new("."));
    Ok(folder.to_owned())
}

fn own_names() -> Result<Vec<OsString>, BedError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    let entries = folder.read_dir().map_err(at_file(&folder.display().to_string()))?;
    Ok(entries.flatten().filter_map(|entry| Some(entry.path().file_stem()?.to_owned())).collect())
}

fn is_current(program: &Path) -> bool {
    is_newer(program, &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

fn is_newer(program: &Path, source: &Path) -> bool {
    let built = program.metadata().and_then(|data| data.modified());
    built.is_ok_and(|built| newest(source).is_none_or(|changed| changed <= built))
}

fn build(folder: &Path, what: &[&str]) -> Result<(), BedError> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "testbed"]).args(what).arg("--manifest-path");
    cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    if folder.file_name().is_some_and(|profile| profile == "release") {
        // Its programs lie in the same folder, and are built in less time.
        cargo.args(["--profile", "bench"]);
    }
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    let done = cargo
        .output()
        .map_err(|source| BedError::NotStarted { program: "cargo".into(), source })?;
    if done.status.success() {
        return Ok(());
    }
    Err(BedError::Failed {
        program: "cargo build of the test bed's programs".into(),
        status: done.status,
        stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
    })
}

fn newest(folder: &Path) -> Option<SystemTime> {
    let mut latest = None;
    for entry in folder.read_dir().ok()?.flatten() {
        let path = entry.path();
        let changed = if path.is_dir() {
            newest(&path)
        } else {
            entry.metadata().and_then(|data| data.modified()).ok()
        };
        latest = latest.max(changed);
    }
    latest
}

fn find(program: &str) -> Result<PathBuf, BedError> {
    folders()
        .into_iter()
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .ok_or_else(|| BedError::Missing { program: program.to_owned() })
}

/// Where `scripts/install-servers` unpacks.
fn servers() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join("servers")
}

/// An unpacked program has a launcher that names its libraries; in a container they lie where every
/// program finds them.
fn behind_launcher(program: PathBuf) -> PathBuf {
    let (folder, servers) = (program.parent(), servers());
    match program.file_name() {
        Some(name) if folder == Some(&servers.join("bin")) => servers.join("programs").join(name),
        _ => program,
    }
}

fn unpacked_libraries() -> Vec<PathBuf> {
    let entries = servers().join("lib").read_dir();
    entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The unpacked servers first, then PATH, then where `ip` and `unshare` lie when PATH is a plain user's.
fn folders() -> Vec<PathBuf> {
    let mut folders = vec![servers().join("bin")];
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    folders.extend(["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from));
    folders
}

/// Tries which of the two ways to make namespaces works here.
fn needs_user_namespace(unshare: &Path) -> Result<bool, BedError> {
    let attempt = |arguments: &[&str]| {
        let kinds = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "true"];
        Command::new(unshare).args(arguments).args(kinds).output().map_err(|source| {
            BedError::NotStarted { program: unshare.display().to_string(), source }
        })
    };
    if attempt(&[])?.status.success() {
        return Ok(false);
    }
    let done = attempt(&USER_NAMESPACE)?;
    if done.status.success() {
        return Ok(true);
    }
    let reason = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(BedError::NoNamespaces { reason })
}

/// What makes a user namespace that knows more users than one, as a container has them.
pub(crate) const USER_NAMESPACE: [&str; 3] = ["--user", "--map-root-user", "--map-auto"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_an_error_that_says_how_to_get_it() {
        assert_eq!(
            find("no-such-server").expect_err("it is not there").to_string(),
            "cannot find no-such-server: run make test (or scripts/install-servers)"
        );
    }
}
