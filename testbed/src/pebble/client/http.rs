//! Plain HTTP over a Unix socket, one connection a request.

use serde_json::Value;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

use crate::pebble::quote::quoted;

/// Asks one daemon.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    patience: Duration,
}

/// What it answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// All of it, chunks joined.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("socket {} not found", quoted(&.0.display().to_string()))]
    NoSocket(PathBuf),
    /// The connection failed, or ended early.
    #[error("cannot talk to daemon")]
    Connection(#[from] io::Error),
    /// The answer is no HTTP.
    #[error("cannot understand answer {0:?}")]
    Nonsense(String),
}

impl Client {
    /// A client of the daemon at this socket, which waits for at most 30 seconds for anything.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), patience: Duration::from_secs(30) }
    }

    /// The same client, which waits for at most that long for anything.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// GET.
    pub fn get(&self, path: &str) -> Result<Reply, ClientError> {
        self.request("GET", path, &[], None)
    }

    /// POST of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Result<Reply, ClientError> {
        let kind = [("Content-Type", "application/json")];
        self.request("POST", path, &kind, Some(body.to_string().as_bytes()))
    }

    /// Any request.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Reply, ClientError> {
        let stream = self.connect()?;
        send(&stream, method, path, headers, body)?;
        read_reply(&mut BufReader::new(stream), method)
    }

    /// GET of what may have no end: hands on each line as it comes, until the daemon hangs up or `each`
    /// fails. An answer that is no success comes back whole.
    pub fn follow(
        &self,
        path: &str,
        mut each: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<Reply, ClientError> {
        let stream = self.connect()?;
        send(&stream, "GET", path, &[], None)?;
        let mut stream = BufReader::new(stream);
        let head = read_head(&mut stream)?;
        if head.status != 200 || head.header("transfer-encoding") != Some("chunked") {
            let whole = read_body(&mut stream, head)?;
            if whole.status == 200 {
                String::from_utf8_lossy(&whole.body).lines().try_for_each(each)?;
            }
            return Ok(whole);
        }
        stream.get_ref().set_read_timeout(None)?;
        let mut begun = Vec::new();
        loop {
            let more = read_chunk(&mut stream, &mut begun)?;
            while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = begun.drain(..=end).collect();
                each(String::from_utf8_lossy(&line).trim_end())?;
            }
            if !more {
                return Ok(head);
            }
        }
    }

    /// A connection.
    pub fn connect(&self) -> Result<UnixStream, ClientError> {
        let stream = UnixStream::connect(&self.socket).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                ClientError::NoSocket(self.socket.clone())
            } else {
                error.into()
            }
        })?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_write_timeout(Some(self.patience))?;
        Ok(stream)
    }
}

/// Sends a request over a connection.
pub fn send(
    mut stream: impl Write,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Result<(), ClientError> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    if let Some(body) = body {
        head.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
    }
    head.push_str("\r\n");
    let mut all = head.into_bytes();
    all.extend_from_slice(body.unwrap_or_default());
    // A daemon that refuses early may not read all of it, and answers nevertheless.
    match stream.write_all(&all) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Reads the head of an answer: status and headers.
pub fn read_head(stream: &mut impl BufRead) -> Result<Reply, ClientError> {
    let first = line(stream)?;
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or(ClientError::Nonsense(first))?;
    let mut headers = Vec::new();
    loop {
        let text = line(stream)?;
        if text.is_empty() {
            return Ok(Reply { status, headers, body: vec![] });
        }
        let (name, value) = text.split_once(':').unwrap_or((&text, ""));
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
}

/// Reads an answer with its body.
pub fn read_reply(stream: &mut impl BufRead, method: &str) -> Result<Reply, ClientError> {
    let reply = read_head(stream)?;
    if method == "HEAD" || reply.status == 204 || reply.status == 101 {
        return Ok(reply);
    }
    read_body(stream, reply)
}

fn read_body(stream: &mut impl BufRead, mut reply: Reply) -> Result<Reply, ClientError> {
    if reply.header("transfer-encoding") == Some("chunked") {
        while read_chunk(stream, &mut reply.body)? {}
        return Ok(reply);
    }
    match reply.header("content-length").and_then(|length| length.parse::<u64>().ok()) {
        Some(length) => {
            let read = stream.take(length).read_to_end(&mut reply.body)?;
            if (read as u64) < length {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        None => {
            stream.read_to_end(&mut reply.body)?;
        }
    }
    Ok(reply)
}

/// Reads one chunk of a body; false for the one that ends it.
fn read_chunk(stream: &mut impl BufRead, body: &mut Vec<u8>) -> Result<bool, ClientError> {
    let size = line(stream)?;
    let length = usize::from_str_radix(size.trim(), 16);
    let length = length.map_err(|_| ClientError::Nonsense(size))?;
    if stream.by_ref().take(length as u64).read_to_end(body)? < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    line(stream)?;
    Ok(length > 0)
}

fn line(stream: &mut impl BufRead) -> Result<String, ClientError> {
    let mut bytes = Vec::new();
    if stream.read_until(b'\n', &mut bytes)? == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

impl Reply {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
