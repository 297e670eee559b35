//! The root of a container: the image, the machine's `/usr` beneath the image's own, and what the plan
//! shows of the machine. Everything written is in memory and lost with the container.

use std::env;
use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use nix::mount::MntFlags;
use nix::mount::MsFlags;
use nix::mount::mount;
use nix::mount::umount2;
use nix::sys::statvfs::FsFlags;
use nix::sys::statvfs::statvfs;
use nix::unistd::Gid;
use nix::unistd::Uid;
use nix::unistd::chown;
use nix::unistd::pivot_root;
use testbed::pod::plan::Bind;
use testbed::pod::plan::Plan;
use testbed::pod::plan::REDIS;

/// Makes the root, and makes it this process's own.
pub(crate) fn make(plan: &Plan) -> io::Result<()> {
    let scratch = &plan.scratch;
    at(scratch, attach("tmpfs", scratch, "mode=755"))?;
    let root = scratch.join("root");
    fs::create_dir(&root)?;
    let image = plan.image.display().to_string();
    overlay(scratch, "all", &image, &root)?;
    overlay(scratch, "usr", &format!("{image}/usr:/usr"), &root.join("usr"))?;
    at(&root, attach("proc", &root.join("proc"), ""))?;
    at(&root, attach("tmpfs", &root.join("dev/shm"), ""))?;
    for device in DEVICES {
        let source = Path::new("/dev").join(device);
        if source.exists() {
            let target = source.clone();
            bind(&root, &Bind { source, target, is_read_only: false })?;
        }
    }
    for each in &plan.binds {
        bind(&root, each)?;
    }
    for (path, text) in &plan.files {
        let path = within(&root, path);
        at(&path, fs::write(&path, text))?;
    }
    for path in &plan.owned {
        let path = within(&root, path);
        let (user, group) = (Uid::from_raw(REDIS), Gid::from_raw(REDIS));
        at(&path, chown(&path, Some(user), Some(group)).map_err(io::Error::from))?;
    }
    env::set_current_dir(&root)?;
    // The old root comes to lie on the new one, and goes.
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    env::set_current_dir("/")
}

fn overlay(scratch: &Path, name: &str, lower: &str, target: &Path) -> io::Result<()> {
    let upper = scratch.join(name);
    let work = scratch.join(format!("{name}-work"));
    fs::create_dir(&upper)?;
    fs::create_dir(&work)?;
    let (upper, work) = (upper.display(), work.display());
    let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
    at(target, attach("overlay", target, &options))
}

fn attach(kind: &str, target: &Path, options: &str) -> io::Result<()> {
    Ok(mount(Some(kind), target, Some(kind), MsFlags::empty(), Some(options))?)
}

fn bind(root: &Path, bind: &Bind) -> io::Result<()> {
    let target = within(root, &bind.target);
    if bind.source.is_dir() {
        at(&target, fs::create_dir_all(&target))?;
    } else if !target.exists() {
        if let Some(folder) = target.parent() {
            at(folder, fs::create_dir_all(folder))?;
        }
        at(&target, File::create(&target))?;
    }
    let none: Option<&str> = None;
    // With what is mounted below: parts of a view may not be taken apart without root.
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    let bound = mount(Some(&bind.source), &target, none, flags, none);
    at(&bind.source, bound.map_err(io::Error::from))?;
    if bind.is_read_only {
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | kept(&target)?;
        at(&target, mount(none, &target, none, flags, none).map_err(io::Error::from))?;
    }
    Ok(())
}

/// The restrictions of a mount, which may not be dropped without root.
fn kept(target: &Path) -> io::Result<MsFlags> {
    let flags = statvfs(target)?.flags();
    let restrictions = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
    ];
    let set = restrictions.into_iter().filter(|(flag, _)| flags.contains(*flag));
    Ok(set.map(|(_, restriction)| restriction).collect())
}

fn within(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Names the path in the error of an operation on it.
fn at<T>(path: &Path, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
