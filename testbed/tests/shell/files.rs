//! Files of commands, played by the program itself.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

#[test]
fn a_file_is_played_up_to_the_first_command_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("commands");
    let text = "# nothing is there yet\nstatus\n\n- scale shop 3\nscale shop 3\nhistory\n";
    std::fs::write(&file, text).unwrap();
    let done = model().arg(&file).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    let name = file.display();
    let missing = |line: u32| format!("{name}:{line}: ERROR there is no application `shop`");
    assert!(said.contains("Model \"lab\" is empty."), "{said}");
    assert!(said.contains(&missing(4)) && said.contains(&missing(5)), "{said}");
    assert!(!said.contains("lab> history"), "{said}");
}

#[test]
fn commands_at_standard_input_are_played_and_leave_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let (lines, timeline) = (folder.path().join("lines"), folder.path().join("timeline"));
    let done = play(&format!(
        "juju status --format json\n-fault heal\ntrace {}\ntimeline {}\nexit\nno command\n",
        lines.display(),
        timeline.display()
    ));
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    for line in read(&lines).lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(entry["at"].is_number() && entry["kind"].is_string(), "{line}");
    }
    assert!(read(&lines).contains(r#""kind":"fault","what":"heal""#), "{}", read(&lines));
    assert!(read(&timeline).contains("! heal"), "{}", read(&timeline));
}

#[test]
fn a_line_that_is_no_command_ends_a_file_with_what_is_expected() {
    let done = play("fault cut\nstatus\n");
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("standard input:1: ERROR"), "{said}");
    assert!(said.contains("fault cut"), "{said}");
}

#[test]
fn a_line_that_may_fail_may_also_be_no_command() {
    let done = play("-fault cut\n-nonsense\n-status 'open\nstatus\n");
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}");
    for line in 1..=3 {
        assert!(said.contains(&format!("standard input:{line}: ERROR")), "{said}");
    }
    assert!(said.contains("is empty"), "{said}");
}

fn model() -> Command {
    Command::new(env!("CARGO_BIN_EXE_model"))
}

fn play(lines: &str) -> Output {
    let mut model = model().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    model.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    model.wait_with_output().unwrap()
}
