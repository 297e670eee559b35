//! A server that only pretends to be Pebble: what it answers is the test's.

use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use redis_k8s::clients::pebble::Pebble;
use tempfile::TempDir;
use tungstenite::handshake::derive_accept_key;

use crate::container::folder;
use crate::container::pebble;

/// It ends with the process.
pub(crate) struct Server {
    socket: PathBuf,
    requests: Arc<Mutex<Vec<String>>>,
    _folder: TempDir,
}

impl Server {
    /// Answers each connection in the same way, once it has heard a request: by its head. Then it hangs
    /// up.
    pub(crate) fn that(
        answers: impl Fn(&str, &mut UnixStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let folder = folder();
        let socket = folder.path().join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, answers) = (Arc::clone(&requests), Arc::new(answers));
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let (kept, answers) = (Arc::clone(&kept), Arc::clone(&answers));
                thread::spawn(move || {
                    // Whoever hangs up in the middle gets no answer.
                    let Ok(head) = hear(&mut client) else { return };
                    let line = head.lines().next().unwrap_or_default().to_owned();
                    kept.lock().unwrap().push(line);
                    drop(answers(&head, &mut client));
                });
            }
        });
        Self { socket, requests, _folder: folder }
    }

    /// Answers every request with these bytes.
    pub(crate) fn saying(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::that(move |_, client| client.write_all(bytes.as_ref()))
    }

    /// Answers every request with JSON.
    pub(crate) fn answering(json: &'static str) -> Self {
        Self::saying(answer(json))
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn pebble(&self, time: Duration) -> Pebble {
        pebble(&self.socket, time)
    }

    /// The first lines of what was heard.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A whole answer. It says that the connection ends with it, as it does.
pub(crate) fn answer(json: &str) -> Vec<u8> {
    answer_with("200 OK", json)
}

/// The same with another status.
pub(crate) fn answer_with(status: &str, json: &str) -> Vec<u8> {
    let length = json.len();
    let head = format!("Connection: close\r\nContent-Length: {length}");
    format!("HTTP/1.1 {status}\r\n{head}\r\n\r\n{json}").into_bytes()
}

/// Takes part in a websocket's handshake.
pub(crate) fn upgrade(head: &str, client: &mut UnixStream) -> io::Result<()> {
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let key = derive_accept_key(key.unwrap_or_default().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {key}\r\n\r\n"
    );
    client.write_all(answer.as_bytes())
}

/// One request with its body; returns its head.
fn hear(client: &mut UnixStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let fields = head.to_lowercase();
    let length = fields.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: u64 = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    // A body that is too long is left unheard: a server that refuses does not wait for it.
    if length < 100_000 {
        io::copy(&mut client.take(length), &mut io::sink())?;
    }
    Ok(head)
}
