//! Connections to the daemon, as oneself or as another user, and what comes over them.

use nix::unistd::Uid;
use nix::unistd::seteuid;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;
use std::env;
use std::fmt::Write;
use std::io;
use std::io::BufRead;
use std::io::Read;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use testbed::pebble::client::http::Reply;

/// How long any single answer may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The word that makes this program a relay: `relay UID SOCKET`.
pub(crate) const RELAY: &str = "relay";

/// Connects. The daemon sees who connects: another user is another process, which passes bytes on.
pub(crate) fn dial(socket: &Path, uid: Option<u64>) -> io::Result<UnixStream> {
    let stream = match uid.filter(|&uid| uid != u64::from(nix::unistd::geteuid().as_raw())) {
        None => UnixStream::connect(socket)?,
        Some(uid) => {
            let (own, other) = UnixStream::pair()?;
            let mut child = Command::new(env::current_exe()?)
                .args([RELAY, &uid.to_string()])
                .arg(socket)
                .stdin(Stdio::from(OwnedFd::from(other)))
                .spawn()?;
            thread::spawn(move || child.wait());
            own
        }
    };
    stream.set_read_timeout(Some(PATIENCE + Duration::from_secs(5)))?;
    Ok(stream)
}

/// Passes bytes between standard input, which is a socket, and the daemon.
pub(crate) fn relay(words: &[String]) {
    let own = UnixStream::from(io::stdin().as_fd().try_clone_to_owned().unwrap());
    seteuid(Uid::from_raw(words[1].parse().unwrap())).unwrap();
    let Ok(daemon) = UnixStream::connect(&words[2]) else { return };
    let (mut from_own, mut to_daemon) = (own.try_clone().unwrap(), daemon.try_clone().unwrap());
    thread::spawn(move || {
        let _ = io::copy(&mut from_own, &mut to_daemon);
        let _ = to_daemon.shutdown(Shutdown::Write);
    });
    let (mut from_daemon, mut to_own) = (daemon, own);
    let _ = io::copy(&mut from_daemon, &mut to_own);
    let _ = to_own.shutdown(Shutdown::Both);
}

/// A reply as the table shows it.
pub(crate) fn shown(reply: &Reply) -> Value {
    let header = reply.header("content-type").unwrap_or_default();
    let (kind, boundary) = header.split_once("; boundary=").unwrap_or((header, ""));
    let text = || String::from_utf8_lossy(&reply.body).into_owned();
    let body: Value = match kind {
        "application/json" => {
            let body = if reply.body.is_empty() { "".into() } else { reply.json() };
            return json!({"status": reply.status, "body": body});
        }
        "application/x-ndjson" => {
            text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect()
        }
        "multipart/form-data" => {
            let parts = parts(&reply.body, boundary.trim_matches('"'));
            parts.iter().map(|part| shown_part(part)).collect()
        }
        _ => text().into(),
    };
    if reply.body.is_empty() {
        return json!({"status": reply.status, "body": body});
    }
    json!({"status": reply.status, "type": kind, "body": body})
}

fn parts(body: &[u8], boundary: &str) -> Vec<Vec<u8>> {
    let mark = format!("--{boundary}").into_bytes();
    let at: Vec<usize> = (0..body.len()).filter(|&at| body[at..].starts_with(&mark)).collect();
    at.windows(2).map(|pair| body[pair[0] + mark.len()..pair[1]].to_vec()).collect()
}

fn shown_part(part: &[u8]) -> Value {
    let part = part.strip_prefix(b"\r\n").unwrap_or(part);
    let part = part.strip_suffix(b"\r\n").unwrap_or(part);
    let at = part.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&part[..at]).into_owned();
    let data = &part[at + 4..];
    let mut lines: Vec<&str> = head.split("\r\n").collect();
    lines.sort_unstable();
    let content: Value = if head.contains("application/json") {
        serde_json::from_slice(data).unwrap()
    } else {
        shorten(data).into()
    };
    json!({"head": lines, "content": content})
}

/// Text as it is; much of it as its size and digest.
pub(crate) fn shorten(data: &[u8]) -> String {
    if data.len() <= 4000 {
        return String::from_utf8_lossy(data).into_owned();
    }
    let digest = Sha256::digest(data).iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("{} bytes, sha256 {digest}", data.len())
}

/// Reads the first lines of a body that may never end.
pub(crate) fn first_lines(stream: &mut impl BufRead, reply: &Reply, count: usize) -> Vec<Value> {
    let mut lines = Vec::new();
    let mut kept = Vec::new();
    let chunked = reply.header("transfer-encoding") == Some("chunked");
    while lines.len() < count {
        if chunked {
            let mut size = String::new();
            stream.read_line(&mut size).unwrap();
            let size = u64::from_str_radix(size.trim(), 16).unwrap();
            stream.take(size + 2).read_to_end(&mut kept).unwrap();
            kept.truncate(kept.len() - 2);
        } else {
            stream.read_until(b'\n', &mut kept).unwrap();
        }
        while let Some(end) = kept.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = kept.drain(..=end).collect();
            lines.push(serde_json::from_slice(&line).unwrap());
        }
    }
    lines.truncate(count);
    lines
}

/// Waits. Nothing can end it early: what is awaited lies outside this process.
pub(crate) fn pause(millis: u64) {
    thread::park_timeout(Duration::from_millis(millis));
}
