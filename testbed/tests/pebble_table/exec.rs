//! Runs a command over its websockets, as a client does.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use testbed::pebble::client::http;

use crate::stage::Stage;
use crate::streams;
use crate::streams::PATIENCE;

/// The client's side of a websocket.
struct End(UnixStream);

/// A frame, and where it came from; the connection's end is one too.
struct Heard {
    name: String,
    opcode: u8,
    data: Vec<u8>,
}

/// Asks for a websocket. Answers the refusal if there is one.
pub(crate) fn upgrade(socket: &Path, path: &str) -> Result<UnixStream, Value> {
    let stream = streams::dial(socket, None).unwrap();
    let headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];
    http::send(&stream, "GET", path, &headers, None).unwrap();
    // Nothing may be read ahead: what follows the head belongs to the websocket.
    let reply = http::read_reply(&mut BufReader::with_capacity(1, &stream), "GET").unwrap();
    if reply.status == 101 {
        assert_eq!(reply.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        return Ok(stream);
    }
    let body = if reply.body.is_empty() { "".into() } else { reply.json() };
    Err(json!({"status": reply.status, "body": body}))
}

impl End {
    fn send(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            size @ 0..126 => frame.push(0x80 | u8::try_from(size).unwrap()),
            size => {
                frame.push(0xff);
                frame.extend((size as u64).to_be_bytes());
            }
        }
        let mask = [7, 21, 63, 189];
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        // A command that has ended does not listen any more.
        let _ = self.0.write_all(&frame);
    }

    fn listen(&self, name: &str, tell: mpsc::Sender<Heard>) {
        let mut stream = self.0.try_clone().unwrap();
        stream.set_read_timeout(None).unwrap();
        let name = name.to_owned();
        thread::spawn(move || {
            while let Ok((opcode, data)) = frame(&mut stream) {
                let heard = Heard { name: name.clone(), opcode, data };
                if tell.send(heard).is_err() || opcode == 8 {
                    return;
                }
            }
            let _ = tell.send(Heard { name, opcode: 8, data: vec![] });
        });
    }
}

fn frame(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let mut wide = [0; 8];
    let size = match head[1] {
        126 => {
            stream.read_exact(&mut wide[6..])?;
            u64::from_be_bytes(wide)
        }
        127 => {
            stream.read_exact(&mut wide)?;
            u64::from_be_bytes(wide)
        }
        size => size.into(),
    };
    let mut data = vec![0; usize::try_from(size).unwrap()];
    stream.read_exact(&mut data)?;
    // A frame that continues another is binary here: texts are short.
    let opcode = head[0] & 15;
    Ok((if opcode == 0 { 2 } else { opcode }, data))
}

/// Connects the websockets of an exec, feeds and drains them, and waits for its change.
pub(crate) fn converse(
    stage: &mut Stage,
    step: &Value,
    change: &str,
    task: &str,
) -> Map<String, Value> {
    let mut got = Map::new();
    let mut ends: BTreeMap<String, End> = BTreeMap::new();
    let split = step["exec"]["split-stderr"] == true;
    let wanted: Vec<String> = match step["connect"].as_array() {
        Some(names) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        None => ["control", "stdio", "stderr"][..2 + usize::from(split)]
            .iter()
            .map(|&n| n.to_owned())
            .collect(),
    };
    let mut refused = Map::new();
    for name in wanted {
        match upgrade(&stage.socket, &format!("/v1/tasks/{task}/websocket/{name}")) {
            Ok(stream) => {
                ends.insert(name, End(stream));
            }
            Err(refusal) => {
                refused.insert(name, refusal);
            }
        }
    }
    if !refused.is_empty() {
        got.insert("refused".to_owned(), refused.into());
    }
    let mut actions: Vec<Value> = step["then"].as_array().cloned().unwrap_or_default();
    actions.reverse();
    if let Some(stdio) = ends.get_mut("stdio") {
        if let Some(text) = step["stdin"].as_str().filter(|text| !text.is_empty()) {
            stdio.send(2, text.as_bytes());
        }
        let later = actions.iter().any(|a| a.get("end").is_some() || a.get("send").is_some());
        if step["end"] != false && !later {
            stdio.send(1, br#"{"command":"end"}"#);
        }
    }
    let (tell, heard) = mpsc::channel();
    let mut output: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for name in ["stdio", "stderr"] {
        if let Some(end) = ends.get(name) {
            output.insert(name.to_owned(), vec![]);
            end.listen(name, tell.clone());
        }
    }
    let mut reading: BTreeSet<String> = output.keys().cloned().collect();
    let deadline = Instant::now() + PATIENCE;
    let path = format!("/v1/changes/{change}");
    while !reading.is_empty() || !actions.is_empty() {
        while let Some(action) = actions.last() {
            let after = action["after"].as_str().unwrap_or_default().as_bytes().to_vec();
            let said = output.get("stdio").cloned().unwrap_or_default();
            if !after.is_empty() && !said.windows(after.len()).any(|window| window == after) {
                break;
            }
            act(&actions.pop().unwrap(), &mut ends, &mut reading);
        }
        // Asked before the last look at what was said.
        let over = Instant::now() > deadline || stage.look(&path)["result"]["ready"] == true;
        match heard.recv_timeout(Duration::from_millis(300)) {
            Ok(Heard { name, opcode: 2, data }) => output.get_mut(&name).unwrap().extend(data),
            Ok(Heard { name, .. }) => {
                reading.remove(&name);
            }
            Err(_) if over => {
                if !reading.is_empty() {
                    got.insert("never-ended".to_owned(), json!(reading));
                }
                break;
            }
            Err(_) => {}
        }
    }
    let change = stage.look(&format!("{path}/wait?timeout=20s"))["result"].clone();
    for (name, data) in output {
        let name = if name == "stdio" { "stdout".to_owned() } else { name };
        got.insert(name, streams::shorten(&data).into());
    }
    got.insert("status".to_owned(), change["status"].clone());
    got.insert("exit-code".to_owned(), change["tasks"][0]["data"]["exit-code"].clone());
    if let Some(error) = change.get("err") {
        got.insert("err".to_owned(), error.clone());
    }
    got
}

/// One thing done to a running exec.
fn act(action: &Value, ends: &mut BTreeMap<String, End>, reading: &mut BTreeSet<String>) {
    if let Some(name) = action["drop"].as_str() {
        let end = ends.remove(name).unwrap();
        let _ = end.0.shutdown(std::net::Shutdown::Both);
        reading.remove(name);
    } else if let Some(text) = action["send"].as_str() {
        ends.get_mut("stdio").unwrap().send(2, text.as_bytes());
    } else if action.get("end").is_some() {
        ends.get_mut("stdio").unwrap().send(1, br#"{"command":"end"}"#);
    } else {
        let order = match action["signal"].as_str() {
            Some(signal) => json!({"command": "signal", "signal": {"name": signal}}),
            None => json!({"command": "resize", "resize": action["resize"]}),
        };
        ends.get_mut("control").unwrap().send(1, order.to_string().as_bytes());
    }
}
