//! A socket before Pebble's: counts the connections, and keeps what the client sends.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

use tempfile::TempDir;

use crate::container::folder;

/// It ends with the process.
pub(crate) struct Relay {
    socket: PathBuf,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
    _folder: TempDir,
}

impl Relay {
    pub(crate) fn to(pebble: &Path) -> Self {
        let folder = folder();
        let socket = folder.path().join("relay");
        let listener = UnixListener::bind(&socket).unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let (pebble, kept) = (pebble.to_owned(), Arc::clone(&sent));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(Vec::new());
                    kept.len() - 1
                };
                // A Pebble that is away hangs up.
                let Ok(server) = UnixStream::connect(&pebble) else { continue };
                let (mut back, mut forth) = (server.try_clone().unwrap(), server);
                let (mut from, mut to) = (client.try_clone().unwrap(), client);
                let kept = Arc::clone(&kept);
                thread::spawn(move || {
                    let _ = pass(&mut from, &mut forth, |bytes| {
                        kept.lock().unwrap()[number].extend_from_slice(bytes);
                    });
                });
                thread::spawn(move || pass(&mut back, &mut to, |_| ()));
            }
        });
        Self { socket, sent, _folder: folder }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn connections(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// The first lines of all requests, in the order of their connections.
    pub(crate) fn requests(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        let lines = sent.iter().flat_map(|bytes| {
            String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>()
        });
        lines.filter(|line| line.ends_with(" HTTP/1.1")).collect()
    }
}

fn pass(from: &mut UnixStream, to: &mut UnixStream, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return to.shutdown(Shutdown::Write);
        }
        each(&buffer[..length]);
        to.write_all(&buffer[..length])?;
    }
}
