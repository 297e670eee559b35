//! What a step can do. A request (`get put post delete head patch`) has `json`, `text` or `parts`
//! (multipart), `headers`, `as` UID, `lines` N (of a stream, then hang up). `raw` sends bytes as they
//! are; `exec` runs a command over websockets; `upgrade` is only a handshake; `poll` looks until the
//! subset `until` matches: a path of the API, <file:PATH>, count:RE (processes), exit:, served:. `cli` is
//! the daemon's own command line; `write read sh` are about files; `kill start stop` about the daemon
//! and its processes; `serve` is an HTTP server on $PORT; `join` waits for a step with `background`.

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use regex::Regex;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::fs::OpenOptions;
use std::fs::Permissions;
use std::io::BufReader;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;
use testbed::pebble::bound;
use testbed::pebble::client::http;
use testbed::pebble::client::http::ClientError;
use testbed::pebble::client::http::Reply;
use testbed::wait::until;

use crate::exec;
use crate::server::Server;
use crate::stage::Stage;
use crate::streams;
use crate::streams::PATIENCE;
use crate::streams::pause;

impl Stage {
    /// Plays a step whose values are filled in.
    pub(crate) fn play(&mut self, step: &Value) -> Value {
        let text = |verb: &str| step[verb].as_str().map(str::to_owned);
        for verb in ["get", "put", "post", "delete", "head", "patch"] {
            if let Some(path) = text(verb) {
                return self.request(&verb.to_uppercase(), &path, step);
            }
        }
        if step.get("raw").is_some() {
            self.raw(&step["raw"])
        } else if step.get("exec").is_some() {
            self.exec(step)
        } else if let Some(path) = text("upgrade") {
            match exec::upgrade(&self.socket, &path) {
                Ok(_) => json!({"status": 101}),
                Err(refusal) => json!({"refused": refusal}),
            }
        } else if step.get("cli").is_some() {
            self.cli(step)
        } else if step.get("write").is_some() {
            write(step)
        } else if let Some(path) = text("read") {
            read(Path::new(&path))
        } else if let Some(line) = text("sh") {
            let done =
                Command::new("sh").args(["-c", &line]).current_dir(&self.dir).output().unwrap();
            let out = [done.stdout, done.stderr].concat();
            json!({"exit": code(done.status), "out": String::from_utf8_lossy(&out)})
        } else if step.get("kill").is_some() {
            self.kill(step)
        } else if step.get("start").is_some() {
            self.start(step)
        } else if let Some(signal) = text("stop") {
            self.stop(&signal)
        } else if let Some(answer) = step.get("serve") {
            match (&self.server, answer.is_null()) {
                (_, true) => self.server = None,
                (Some(server), false) => server.answer(answer.clone()),
                (None, false) => self.server = Some(Server::start(self.port, answer.clone())),
            }
            json!({})
        } else {
            panic!("no verb in {step}")
        }
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        step: &Value,
    ) -> Result<(Reply, Vec<Value>), ClientError> {
        let mut headers: Vec<(String, String)> = step["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        let mut body = step["text"].as_str().map(str::to_owned);
        if let Some(json) = step.get("json") {
            body = Some(json.to_string());
        }
        let mut kind = "application/json".to_owned();
        if let Some(parts) = step["parts"].as_array() {
            let boundary =
                step["boundary"].as_str().unwrap_or("player-0123456789-0123456789-0123456789");
            kind = format!("multipart/form-data; boundary=\"{boundary}\"");
            let parts: String = parts.iter().map(|part| as_part(part, boundary)).collect();
            body = Some(format!("{parts}--{boundary}--\r\n"));
        }
        if body.is_some() && !headers.iter().any(|(name, _)| name == "Content-Type") {
            headers.push(("Content-Type".to_owned(), kind));
        }
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let stream = streams::dial(&self.socket, step["as"].as_u64())?;
        http::send(&stream, method, path, &headers, body.as_deref().map(str::as_bytes))?;
        let mut stream = BufReader::new(stream);
        match step["lines"].as_u64() {
            None => Ok((http::read_reply(&mut stream, method)?, vec![])),
            Some(count) => {
                let head = http::read_head(&mut stream)?;
                let lines =
                    streams::first_lines(&mut stream, &head, usize::try_from(count).unwrap());
                Ok((head, lines))
            }
        }
    }

    fn request(&mut self, method: &str, path: &str, step: &Value) -> Value {
        let (reply, lines) = self.ask(method, path, step).unwrap();
        if step.get("lines").is_some() {
            return json!({"status": reply.status, "body": lines});
        }
        let shown = streams::shown(&reply);
        self.keep(step, &shown["body"]);
        shown
    }

    fn raw(&self, texts: &Value) -> Value {
        let texts = texts.as_array().cloned().unwrap_or_else(|| vec![texts.clone()]);
        let stream = streams::dial(&self.socket, None).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut answers = Vec::new();
        for text in &texts {
            let text = text.as_str().unwrap();
            (&stream).write_all(text.as_bytes()).unwrap();
            let method = text.split(' ').next().unwrap();
            answers.push(streams::shown(&http::read_reply(&mut reader, method).unwrap()));
        }
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let closed = matches!(reader.read(&mut [0]), Ok(0));
        json!({"answers": answers, "closed": closed})
    }

    fn exec(&mut self, step: &Value) -> Value {
        let (reply, _) = self.ask("POST", "/v1/exec", &json!({"json": step["exec"]})).unwrap();
        let reply = streams::shown(&reply);
        self.keep(step, &reply["body"]);
        let mut got = Map::new();
        got.insert("reply".to_owned(), reply.clone());
        if reply["status"] == 202 {
            // Its ids come first: what is said later refers to them.
            self.names.lock().unwrap().tidy(&reply, "", &[]);
            let (change, task) = (self.values["change"].clone(), self.values["task"].clone());
            got.extend(exec::converse(self, step, &change, &task));
        }
        got.into()
    }

    /// What a poll looks at.
    pub(crate) fn look(&mut self, target: &str) -> Value {
        if target.starts_with('/') {
            return match self.ask("GET", target, &Value::Null) {
                Ok((reply, _)) => streams::shown(&reply)["body"].clone(),
                Err(error) => error.to_string().into(),
            };
        }
        let (kind, rest) = target.split_once(':').unwrap();
        match kind {
            "file" => fs::read(rest).map_or(Value::Null, |b| String::from_utf8_lossy(&b).into()),
            "count" => self.processes(rest).len().into(),
            "exit" => {
                let ended = self.daemon.as_mut().unwrap().try_wait().unwrap();
                ended.map_or(Value::Null, |status| code(status).into())
            }
            _ => self.server.as_ref().unwrap().last(),
        }
    }

    /// Starts the daemon.
    pub(crate) fn start(&mut self, step: &Value) -> Value {
        let options = &step["start"];
        let default = self.fill(&self.scenario["args"].clone());
        let args = options["args"].as_array().or(default.as_array()).cloned();
        let args = args.unwrap_or_else(|| vec!["--create-dirs".into(), "--hold".into()]);
        let log =
            OpenOptions::new().create(true).append(true).open(self.dir.join("daemon.log")).unwrap();
        let mut command = if self.scenario["pid1"] == true {
            let mut unshare = bound::command(Path::new("/usr/bin/unshare"), Signal::SIGKILL);
            unshare.args(["--pid", "--fork", "--mount-proc", "--kill-child"]).arg(&self.pebble);
            unshare
        } else {
            bound::command(&self.pebble, Signal::SIGTERM)
        };
        command.arg("run").args(args.iter().map(|word| word.as_str().unwrap()));
        command.current_dir(&self.dir).env_clear().envs(&self.env);
        for (name, value) in options["env"].as_object().into_iter().flatten() {
            command.env(name, value.as_str().unwrap());
        }
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.daemon = Some(bound::spawn(command).unwrap());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && self.look("exit:").is_null() {
            if self.ask("GET", "/v1/system-info", &Value::Null).is_ok() {
                return json!({"ready": true});
            }
            pause(10);
        }
        let log = fs::read(self.dir.join("daemon.log")).unwrap();
        let log = String::from_utf8_lossy(&log);
        json!({"exit": self.look("exit:"), "last-line": log.lines().last().unwrap_or_default()})
    }

    fn wait_for_end(&mut self) -> Value {
        let deadline = Instant::now() + PATIENCE;
        while self.look("exit:").is_null() {
            assert!(Instant::now() < deadline, "the daemon does not end");
            pause(5);
        }
        json!({"exit": self.look("exit:"), "socket": self.socket.symlink_metadata().is_ok()})
    }

    fn stop(&mut self, signal: &str) -> Value {
        if self.look("exit:").is_null() {
            let mut pid = self.daemon.as_ref().unwrap().id();
            if self.scenario["pid1"] == true {
                let children =
                    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
                pid = children.split(' ').next().unwrap().parse().unwrap();
            }
            kill(Pid::from_raw(pid.cast_signed()), number(signal)).unwrap();
        }
        self.wait_for_end()
    }

    /// Kills the daemon, or signals what has the pattern on its command line.
    pub(crate) fn kill(&mut self, step: &Value) -> Value {
        let pattern = step["kill"].as_str().unwrap();
        if pattern == "daemon" {
            self.daemon.as_mut().unwrap().kill().unwrap();
            return self.wait_for_end();
        }
        let victims = self.processes(pattern);
        for &victim in &victims {
            let _ = kill(Pid::from_raw(victim), number(step["signal"].as_str().unwrap_or("KILL")));
        }
        json!({"killed": victims.len()})
    }

    /// This scenario's processes whose command line matches: its directory is in their environment.
    pub(crate) fn processes(&self, pattern: &str) -> Vec<i32> {
        let pattern = Regex::new(pattern).unwrap();
        let mark = format!("PEBBLE={}/", self.dir.display()).into_bytes();
        let own = std::process::id().to_string();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(pid) = name.parse().ok().filter(|_| name != own) else { continue };
            let facts = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
            let line = String::from_utf8_lossy(&facts("cmdline")).replace('\0', " ");
            if facts("environ").windows(mark.len()).any(|window| window == mark)
                && pattern.is_match(&line)
            {
                found.push(pid);
            }
        }
        found
    }

    fn cli(&self, step: &Value) -> Value {
        let words = step["cli"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
        let mut command = Command::new(&self.pebble);
        command.args(words).current_dir(&self.dir).env_clear().envs(&self.env).stdin(Stdio::null());
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            command.env(name, value.as_str().unwrap());
        }
        if let Some(uid) = step["as"].as_u64() {
            // The program may lie where only its builder can look.
            let copy = self.dir.join("pebble-copy");
            fs::copy(&self.pebble, &copy).unwrap();
            let mut copied = Command::new(copy);
            copied.args(command.get_args()).current_dir(&self.dir).env_clear().stdin(Stdio::null());
            copied.envs(
                command.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))),
            );
            let uid = u32::try_from(uid).unwrap();
            copied.uid(uid).gid(uid);
            command = copied;
        }
        // A copy that another thread's child still holds open for writing cannot be run yet.
        let limit = Duration::from_secs(10);
        let done = until("the program can be run", limit, || match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
            done => Some(done.unwrap()),
        })
        .unwrap();
        let spaces = Regex::new("  +").unwrap();
        let words = |text: &[u8]| -> Vec<String> {
            let text = String::from_utf8_lossy(text);
            text.lines().map(|line| spaces.replace_all(line, "  ").trim().to_owned()).collect()
        };
        json!({"exit": code(done.status), "stdout": words(&done.stdout), "stderr": words(&done.stderr)})
    }
}

/// Writes a file.
pub(crate) fn write(step: &Value) -> Value {
    let path = Path::new(step["write"].as_str().unwrap());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, step["text"].as_str().unwrap_or_default()).unwrap();
    let mode = u32::from_str_radix(step["mode"].as_str().unwrap_or("644"), 8).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    json!({})
}

fn read(path: &Path) -> Value {
    if !path.exists() {
        return json!({"missing": true});
    }
    let facts = path.symlink_metadata().unwrap();
    let mut got = json!({
        "mode": format!("{:o}", facts.mode() & 0o7777), "user-id": facts.uid(), "group-id": facts.gid(),
    });
    if facts.is_symlink() {
        got["to"] = fs::read_link(path).unwrap().display().to_string().into();
    } else if facts.is_file() {
        got["text"] = streams::shorten(&fs::read(path).unwrap()).into();
    }
    got
}

/// The exit code; below zero for a signal.
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().unwrap())
}

fn number(signal: &str) -> Signal {
    format!("SIG{signal}").parse().unwrap()
}

fn as_part(part: &Value, boundary: &str) -> String {
    let mut place = format!("form-data; name=\"{}\"", part["name"].as_str().unwrap());
    if let Some(name) = part["filename"].as_str() {
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        place.extend(["; filename=\"", &name, "\""]);
    }
    let (kind, data) = if let Some(json) = part.get("json") {
        ("application/json", json.to_string())
    } else {
        let times = usize::try_from(part["times"].as_u64().unwrap_or(1)).unwrap();
        ("application/octet-stream", part["text"].as_str().unwrap_or_default().repeat(times))
    };
    format!(
        "--{boundary}\r\nContent-Type: {kind}\r\nContent-Disposition: {place}\r\n\r\n{data}\r\n"
    )
}
