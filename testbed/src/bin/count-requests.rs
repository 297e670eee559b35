//! `count-requests FILE PROGRAM ARGUMENTS..`: runs a program in a charm container and writes into FILE
//! how many requests it made of the Pebbles of the other containers.
//!
//! For this program alone a socket of its own lies over each Pebble's, in a mount namespace of its own;
//! what comes in is passed on. So nobody else's requests are counted.

use std::env;
use std::fs;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::process;
use std::process::Command;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use nix::fcntl::OFlag;
use nix::fcntl::open;
use nix::mount::MsFlags;
use nix::mount::mount;
use nix::sched::CloneFlags;
use nix::sched::unshare;
use nix::sys::stat::Mode;

fn main() -> ExitCode {
    match count() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(io::stderr(), "count-requests: {error}");
            ExitCode::FAILURE
        }
    }
}

fn count() -> io::Result<u8> {
    let mut arguments = env::args_os().skip(1);
    let file = arguments.next().ok_or(io::ErrorKind::InvalidInput)?;
    let program = arguments.next().ok_or(io::ErrorKind::InvalidInput)?;
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none = None::<&Path>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    let requests = Arc::new(AtomicUsize::new(0));
    let mut own = Vec::new();
    for (number, pebble) in pebbles().into_iter().enumerate() {
        let socket = env::temp_dir().join(format!("requests-{}-{number}", process::id()));
        lay_over(&pebble, &socket, &requests)?;
        own.push(socket);
    }
    let status = Command::new(program).args(arguments).status()?;
    fs::write(file, requests.load(Ordering::Relaxed).to_string())?;
    for socket in own {
        fs::remove_file(socket)?;
    }
    // A program that a signal ended has no code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// The sockets of the Pebbles that are there.
fn pebbles() -> Vec<PathBuf> {
    let folders = fs::read_dir("/charm/containers").into_iter().flatten().flatten();
    let sockets = folders.map(|folder| folder.path().join("pebble.socket"));
    sockets.filter(|socket| socket.exists()).collect()
}

fn lay_over(pebble: &Path, socket: &Path, requests: &Arc<AtomicUsize>) -> io::Result<()> {
    // What is laid over cannot be reached by its name any more.
    let original = open(pebble, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
    let listener = UnixListener::bind(socket)?;
    let none = None::<&Path>;
    mount(Some(socket), pebble, none, MsFlags::MS_BIND, none)?;
    let requests = Arc::clone(requests);
    thread::spawn(move || {
        let original = PathBuf::from(format!("/proc/self/fd/{}", original.as_raw_fd()));
        for client in listener.incoming().flatten() {
            // A Pebble that is away hangs up.
            let _ = relay(client, &original, &requests);
        }
    });
    Ok(())
}

fn relay(client: UnixStream, pebble: &Path, requests: &Arc<AtomicUsize>) -> io::Result<()> {
    let server = UnixStream::connect(pebble)?;
    let (mut back, mut forth) = (server.try_clone()?, server);
    let (mut from, mut to) = (client.try_clone()?, client);
    let requests = Arc::clone(requests);
    thread::spawn(move || {
        pass(&mut from, &mut forth, |bytes| {
            // A client waits for an answer before it asks again, so a request begins a read.
            if METHODS.iter().any(|method| bytes.starts_with(method)) {
                requests.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    thread::spawn(move || pass(&mut back, &mut to, |_| ()));
    Ok(())
}

fn pass(from: &mut UnixStream, to: &mut UnixStream, each: impl Fn(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer)?;
        let bytes = buffer.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            return to.shutdown(Shutdown::Write);
        }
        each(bytes);
        to.write_all(bytes)?;
    }
}

const METHODS: [&[u8]; 3] = [b"GET /v1/", b"POST /v1/", b"PUT /v1/"];
