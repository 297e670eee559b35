//! A command in a container, as its starter and as the program itself see it.

use std::error::Error;
use std::io::Read;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Child;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use testbed::names::Names;
use testbed::network::Network;
use testbed::pod::CHARM;
use testbed::pod::Pod;
use testbed::pod::spec::PodSpec;
use testbed::wait;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const LIMIT: Duration = Duration::from_secs(20);

fn empty_pod() -> PodSpec {
    PodSpec::new(Names { application: "shop".into(), model: "town".into() }, 0, &[])
}

/// Starts a shell script in the charm container, its stdin and stdout at hand.
fn begin(pod: &Pod, script: &str) -> Result<Child> {
    let mut command = pod.command(CHARM, "sh");
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(pod.spawn(&mut command)?)
}

/// Reads one line of what it says.
fn line(child: &mut Child) -> Result<String> {
    let mut line = String::new();
    let stdout = child.stdout.as_mut().ok_or("it is piped")?;
    let mut byte = [0];
    loop {
        stdout.read_exact(&mut byte)?;
        match byte {
            [b'\n'] => return Ok(line),
            [byte] => line.push(char::from(byte)),
        }
    }
}

fn group(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

#[test]
fn it_ends_as_the_program_ends() -> Result {
    let network = Network::start()?;
    let pod = network.add(empty_pod())?;
    for (script, code, signal) in [
        ("exit 0", Some(0), None),
        ("exit 7", Some(7), None),
        ("exit 255", Some(255), None),
        ("kill -KILL $$", None, Some(Signal::SIGKILL)),
        ("kill -TERM $$", None, Some(Signal::SIGTERM)),
        ("kill -SEGV $$", None, Some(Signal::SIGSEGV)),
        ("kill -PIPE $$", None, Some(Signal::SIGPIPE)),
    ] {
        let status = begin(&pod, script)?.wait()?;
        let expected = (code, signal.map(|signal| signal as i32));
        assert_eq!((status.code(), status.signal()), expected, "{script}");
    }
    let output = pod.run(&mut pod.command(CHARM, "no-such-program"), "")?;
    assert_eq!(output.status.code(), Some(126));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-program: No such file"));
    Ok(())
}

#[test]
fn it_has_its_own_streams_directory_and_variables_and_none_of_the_machines() -> Result {
    let network = Network::start()?;
    let pod = network.add(empty_pod())?;
    let mut command = pod.command_in(CHARM, Path::new("/var/lib"), "sh");
    command.args(["-c", "cat; pwd; env; echo to stderr >&2"]).env("GREETING", "good day");
    let output = pod.run(&mut command, "to stdin\n")?;
    assert_eq!(String::from_utf8_lossy(&output.stderr), "to stderr\n");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines: Vec<_> = stdout.lines().filter(|line| !line.starts_with("PATH=")).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["/var/lib", "GREETING=good day", "PWD=/var/lib", "to stdin"]);
    let missing = pod.command_in(CHARM, Path::new("/no/such"), "true").output()?;
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/no/such: No such file"));
    Ok(())
}

#[test]
fn a_signal_to_its_group_reaches_the_program_which_may_handle_it() -> Result {
    let network = Network::start()?;
    let pod = network.add(empty_pod())?;
    let mut child = begin(&pod, "trap 'echo heard; exit 3' TERM; echo ready; read -r never")?;
    assert_eq!(line(&mut child)?, "ready");
    killpg(group(&child), Signal::SIGTERM)?;
    assert_eq!(line(&mut child)?, "heard");
    assert_eq!(child.wait()?.code(), Some(3));

    let mut child = begin(&pod, "trap '' TERM; echo ready; read -r word; echo $word; sleep 0.01")?;
    assert_eq!(line(&mut child)?, "ready");
    killpg(group(&child), Signal::SIGTERM)?;
    writeln!(child.stdin.as_mut().ok_or("it is piped")?, "still here")?;
    assert_eq!(line(&mut child)?, "still here");
    assert_eq!(child.wait()?.code(), Some(0));

    let mut child = begin(&pod, "echo ready; read -r never")?;
    assert_eq!(line(&mut child)?, "ready");
    killpg(group(&child), Signal::SIGTERM)?;
    assert_eq!(child.wait()?.signal(), Some(Signal::SIGTERM as i32));
    Ok(())
}

#[test]
fn a_program_dies_with_what_stands_for_it_and_orphans_are_collected() -> Result {
    let network = Network::start()?;
    let pod = network.add(empty_pod())?;
    let mut child = begin(&pod, "echo ready; exec sleep 1000")?;
    assert_eq!(line(&mut child)?, "ready");
    assert_eq!(pod.processes(CHARM).len(), 1);
    child.kill()?;
    child.wait()?;
    wait::until("the program is gone", LIMIT, || pod.processes(CHARM).is_empty().then_some(()))?;

    // Of the orphans one ends at once, which leaves a process that somebody has to wait for.
    let mut child = begin(&pod, "setsid true & setsid sleep 1000 & exit")?;
    child.wait()?;
    let mut command = pod.command(CHARM, "sh");
    command.args(["-c", "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l"]);
    wait::until("no dead process is left", LIMIT, || {
        let output = pod.run(&mut pod.command(CHARM, "true"), "").ok()?;
        let dead = pod.run(&mut command, "").ok()?.stdout;
        (output.status.success() && dead == b"0\n").then_some(())
    })?;
    assert_eq!(pod.processes(CHARM).len(), 1, "the other lives on");
    pod.kill_processes()?;
    assert_eq!(pod.processes(CHARM), [0; 0]);
    assert!(pod.is_running(CHARM));
    Ok(())
}

#[test]
fn the_end_of_what_a_program_says_is_seen_when_the_program_closes_it() -> Result {
    let network = Network::start()?;
    let pod = network.add(empty_pod())?;
    let mut child = begin(&pod, "echo last; exec >&-; read -r never")?;
    let mut said = String::new();
    child.stdout.as_mut().ok_or("it is piped")?.read_to_string(&mut said)?;
    assert_eq!(said, "last\n");
    assert!(child.try_wait()?.is_none(), "it runs on");
    Ok(())
}
