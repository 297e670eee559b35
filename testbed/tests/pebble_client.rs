//! The client commands of `pebble`, as a script in a container calls them.

use serde_json::json;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use testbed::pebble::daemon::Daemon;

const PATIENCE: Duration = Duration::from_secs(10);

const LAYER: &str = "\
services:
    talker:
        override: replace
        command: sh -c 'echo one; echo two; while read line; do echo $line; done <fifo; exec sleep 900'
        working-dir: WORKING
checks:
    up:
        override: replace
        level: ready
        exec: {command: 'true'}
";

/// A daemon with a service that says what is written into `fifo`, and its folder.
#[cfg(test)]
fn talking() -> (TempDir, Daemon) {
    let folder = tempfile::Builder::new().prefix("pc").tempdir_in("/tmp").unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("fifo")).status().unwrap().success());
    let daemon = Daemon::start(folder.path()).unwrap();
    let layer = LAYER.replace("WORKING", &folder.path().display().to_string());
    let add = json!({"action": "add", "label": "l", "format": "yaml", "layer": layer});
    assert_eq!(daemon.client().post("/v1/layers", &add).unwrap().status, 200);
    assert_eq!(command(&daemon, &["start", "talker"]).output().unwrap().status.code(), Some(0));
    (folder, daemon)
}

#[cfg(test)]
fn command(daemon: &Daemon, words: &[&str]) -> Command {
    let mut command = Command::new(Daemon::program().unwrap());
    command.env("PEBBLE", daemon.dir()).env("PEBBLE_SOCKET", daemon.socket()).args(words);
    command
}

#[cfg(test)]
fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The messages of log lines: what is after the service's name.
#[cfg(test)]
fn messages(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.split_once("[talker] ")).map(|(_, text)| text).collect()
}

#[cfg(test)]
struct KilledOnDrop(Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn logs_follow_prints_what_comes_until_the_daemon_ends() {
    let (folder, mut daemon) = talking();
    let child = command(&daemon, &["logs", "--follow", "talker"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut follower = KilledOnDrop(child.unwrap());
    let stdout = BufReader::new(follower.0.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|l| sender.send(l)));
    let next = || lines.recv_timeout(PATIENCE).unwrap();
    assert!(next().ends_with("[talker] one"));
    assert!(next().ends_with("[talker] two"));
    std::fs::write(folder.path().join("fifo"), "three\n").unwrap();
    assert!(next().ends_with("[talker] three"));
    daemon.stop().unwrap();
    assert!(lines.recv_timeout(PATIENCE).is_err(), "nothing comes after the end");
}

#[test]
fn logs_takes_a_number_of_lines_and_a_format() {
    let (_folder, daemon) = talking();
    let logs =
        |words: &[&str]| said(&command(&daemon, &[&["logs"], words].concat()).output().unwrap());
    testbed::wait::until("both lines are logged", PATIENCE, || {
        (messages(&logs(&[]).1) == ["one", "two"]).then_some(())
    })
    .unwrap();
    for words in [&["-n", "1"][..], &["-n1"], &["-n=1", "--", "talker"]] {
        assert_eq!(messages(&logs(words).1), ["two"], "{words:?}");
    }
    let (code, json, _) = logs(&["--format", "json", "-n1"]);
    let line: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &line["message"]), (Some(0), &json!("two")));
    let (code, _, error) = logs(&["-n", "x"]);
    assert_eq!(code, Some(1));
    assert!(
        error.contains("expected n to be a non-negative integer or \"all\", not \"x\""),
        "{error}"
    );
    let (code, _, error) = logs(&["--format=yaml"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("invalid output format"), "{error}");
}

#[test]
fn replan_without_waiting_names_its_change_and_takes_no_unknown_flag() {
    let (_folder, daemon) = talking();
    let run = |words: &[&str]| said(&command(&daemon, words).output().unwrap());
    let (code, change, _) = run(&["replan", "--no-wait"]);
    assert_eq!(code, Some(0));
    assert!(change.parse::<u32>().is_ok(), "{change}");
    let (code, _, error) = run(&["replan", "--bogus"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("unknown flag `bogus'"), "{error}");
}

#[test]
fn checks_leaves_the_level_to_the_daemon_and_plan_takes_no_words() {
    let (_folder, daemon) = talking();
    let run = |words: &[&str]| said(&command(&daemon, words).output().unwrap());
    let (code, ready, _) = run(&["checks", "--level", "ready"]);
    assert_eq!(code, Some(0));
    assert!(ready.contains("up"), "{ready}");
    let (code, _, error) = run(&["checks", "--level", "foo"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("level must be \"alive\" or \"ready\""), "{error}");
    assert_eq!(run(&["plan"]).0, Some(0));
    assert_eq!(run(&["plan", "x"]).0, Some(1));
}
