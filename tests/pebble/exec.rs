//! Commands: exit codes, both streams, input, users, and commands that do not end.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use redis_k8s::clients::pebble::error::PebbleError;
use redis_k8s::clients::pebble::exec::Exec;
use redis_k8s::clients::pebble::exec::Finished;
use redis_k8s::clients::pebble::files::Owner;
use serde_json::json;
use signal_hook::consts::SIGTERM;
use signal_hook::low_level::raise;

use crate::container::Container;
use crate::container::FOR_EVER;
use crate::container::ends;
use crate::container::in_a_process_of_its_own;
use crate::container::is_root;
use crate::container::pebble;

const ENOUGH: Duration = Duration::from_secs(30);

fn shell(container: &Container, script: &str, input: &[u8]) -> Result<Finished, PebbleError> {
    let command = ["sh", "-c", script];
    container.pebble().exec(&Exec { input, ..Exec::new(&command, ENOUGH) })
}

#[test]
fn a_command_has_an_exit_code_and_two_streams() {
    let container = Container::start();
    let done = shell(&container, "echo out; echo err >&2; exit 7", b"").unwrap();
    assert_eq!(done.exit_code, 7);
    assert_eq!((done.stdout.as_slice(), done.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!(shell(&container, "true", b"").unwrap().exit_code, 0);
    assert_eq!(shell(&container, "kill -KILL $$", b"").unwrap().exit_code, 137);
}

#[test]
fn what_a_command_prints_is_not_shown_by_accident() {
    let container = Container::start();
    let done = shell(&container, "echo secret", b"").unwrap();
    assert_eq!(format!("{done:?}"), "exit code 0, 7 and 0 bytes");
}

#[test]
fn streams_longer_than_a_pipe_are_drained_at_the_same_time() {
    let container = Container::start();
    // Each by itself would stop the command, in either order.
    let script = "head -c 500000 /dev/zero >&2; head -c 500000 /dev/zero; \
                  head -c 500000 /dev/zero >&2; head -c 500000 /dev/zero";
    let done = shell(&container, script, b"").unwrap();
    assert_eq!((done.stdout.len(), done.stderr.len()), (1_000_000, 1_000_000));
}

#[test]
fn a_command_reads_its_input_to_the_end() {
    let container = Container::start();
    assert_eq!(shell(&container, "cat", b"").unwrap().stdout, b"");
    let input: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    // Input and output are longer than pipes: one waits for the other.
    assert!(shell(&container, "cat", &input).unwrap().stdout == input);
}

#[test]
fn a_command_may_end_without_reading_its_input() {
    let container = Container::start();
    let input = vec![b'x'; 10_000_000];
    assert_eq!(shell(&container, "exit 3", &input).unwrap().exit_code, 3);
}

#[test]
fn a_command_runs_where_and_with_what_it_is_told() {
    let container = Container::start();
    let command = ["sh", "-c", "pwd; echo $WORD"];
    let exec = Exec {
        working_dir: "/usr",
        environment: &[("WORD", "a \"b\" $c")],
        ..Exec::new(&command, ENOUGH)
    };
    assert_eq!(container.pebble().exec(&exec).unwrap().stdout, b"/usr\na \"b\" $c\n");
}

#[test]
fn a_user_whose_home_does_not_exist_runs_a_command() {
    if !is_root() {
        return;
    }
    let container = Container::start();
    let command = ["id", "-un"];
    let user = Some(Owner { user: "nobody", group: "nogroup" });
    let exec = Exec { user, ..Exec::new(&command, ENOUGH) };
    assert_eq!(container.pebble().exec(&exec).unwrap().stdout, b"nobody\n");
}

#[test]
fn what_cannot_be_run_is_refused_and_named() {
    let container = Container::start();
    let error = container.pebble().exec(&Exec::new(&["no-such", "x"], ENOUGH)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot run no-such in container redis: cannot find executable \"no-such\""
    );
    let exec = Exec { working_dir: "/no/such", ..Exec::new(&["true"], ENOUGH) };
    let error = container.pebble().exec(&exec).unwrap_err();
    assert!(matches!(error, PebbleError::Refused { status: 500, .. }), "{error:?}");
}

#[test]
fn what_is_no_program_fails_with_the_reason() {
    let container = Container::start();
    let path = container.path("text");
    fs::write(&path, "\u{1}\u{2}").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    let error = container.pebble().exec(&Exec::new(&[&path], ENOUGH)).unwrap_err();
    assert!(matches!(error, PebbleError::ChangeFailed { .. }), "{error:?}");
    assert!(error.to_string().contains("exec format error"), "{error}");
}

#[test]
fn a_command_that_takes_too_long_is_killed_and_told_so() {
    let container = Container::start();
    let command = ["sleep", "900"];
    let exec = Exec::new(&command, Duration::from_millis(200));
    let error = container.pebble().exec(&exec).unwrap_err();
    assert!(matches!(error, PebbleError::ChangeFailed { .. }), "{error:?}");
    assert!(error.to_string().contains("timed out after 200ms"), "{error}");
}

#[test]
fn a_command_whose_children_hold_its_streams_ends_with_the_clients_deadline() {
    let container = Container::start();
    let pid = container.path("pid");
    let script = format!("sleep 900 & echo $! > {pid}; exit 0");
    let command = ["sh", "-c", &script];
    let error = container.pebble().exec(&Exec::new(&command, Duration::from_secs(2))).unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let sleeper = fs::read_to_string(&pid).unwrap();
    Command::new("kill").arg(sleeper.trim()).status().unwrap();
}

#[test]
fn a_command_is_killed_when_a_sigterm_ends_the_call() {
    let test = "exec::a_command_is_killed_when_a_sigterm_ends_the_call";
    if !in_a_process_of_its_own(test, ("SIGNALS", "1")) {
        return;
    }
    let container = Container::start();
    let pebble = pebble(&container.daemon.socket(), FOR_EVER);
    let pid = container.path("pid");
    let script = format!("echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 900");
    let run = thread::spawn(move || {
        ends(move || pebble.exec(&Exec::new(&["sh", "-c", &script], FOR_EVER)))
    });
    container.until("the command runs", || fs::exists(&pid).unwrap().then_some(()));
    raise(SIGTERM).unwrap();
    let error = run.join().unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let process = format!("/proc/{}", fs::read_to_string(&pid).unwrap().trim());
    container.until("the command is gone", || (!fs::exists(&process).unwrap()).then_some(()));
}

#[test]
fn more_output_than_any_command_has_is_an_error_and_ends_the_command() {
    let container = Container::start();
    for stream in ["1", "2"] {
        let pid = container.path("pid");
        let script = format!("echo $$ > {pid}; exec cat /dev/zero >&{stream}");
        let pebble = pebble(&container.daemon.socket(), FOR_EVER);
        let run = move || pebble.exec(&Exec::new(&["sh", "-c", &script], FOR_EVER));
        let error = ends(run).unwrap_err();
        assert!(matches!(error, PebbleError::TooLong { .. }), "{error:?}");
        let process = format!("/proc/{}", fs::read_to_string(&pid).unwrap().trim());
        container.until("the command is gone", || (!fs::exists(&process).unwrap()).then_some(()));
    }
}

#[test]
fn a_command_takes_one_connection_and_three_for_its_streams() {
    let container = Container::start();
    let (pebble, relay) = container.by_way_of_relay();
    pebble.exec(&Exec::new(&["true"], ENOUGH)).unwrap();
    assert_eq!(relay.connections(), 4);
    assert_eq!(relay.requests().len(), 5);
    let sockets: Vec<String> =
        relay.requests().into_iter().filter(|line| line.contains("/websocket/")).collect();
    let names = sockets.iter().map(|line| line.split(['/', ' ']).nth(6).unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["control", "stdio", "stderr"]);
}

#[test]
fn a_task_that_pebble_fails_before_it_begins_says_why() {
    let Some(container) = Container::with_faults() else { return };
    container.fault(json!({"on": "task", "kind": "exec", "do": "fail", "message": "disk on fire"}));
    let error = shell(&container, "true", b"").unwrap_err();
    assert!(matches!(error, PebbleError::ChangeFailed { .. }), "{error:?}");
    assert!(error.to_string().contains("disk on fire"), "{error}");
}

#[test]
fn a_pebble_that_dies_under_a_command_is_not_connected() {
    let mut container = Container::start();
    let pebble = container.pebble();
    let begun = container.path("begun");
    let script = format!("touch {begun}; exec sleep 5");
    let error = thread::scope(|scope| {
        let run = scope.spawn(|| pebble.exec(&Exec::new(&["sh", "-c", &script], ENOUGH)));
        container.until("the command runs", || fs::exists(&begun).unwrap().then_some(()));
        container.daemon.kill().unwrap();
        run.join().unwrap().unwrap_err()
    });
    assert!(error.is_not_connected(), "{error:?}");
}
