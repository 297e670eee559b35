//! A file of commands against a whole model: real pods, real hooks.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::process::Stdio;

#[test]
fn an_operators_day_is_played_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let charm = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/charms/recorder");
    let said = play(&format!(
        "deploy {charm} -n 2 --config word=first\n\
         wait-for application recorder --timeout 60s\n\
         status --relations\n\
         pods\n\
         config recorder word\n\
         config recorder word=second\n\
         wait-for unit recorder/0 --message 'revision 1'\n\
         actions recorder\n\
         run recorder/leader say word=hello-there\n\
         -run recorder/0 no-such-action\n\
         exec --unit recorder/0,recorder/1 -- 'echo \"I am $JUJU_UNIT_NAME\"'\n\
         ssh recorder/0 tail -n 1 /var/lib/records/events\n\
         -attach-resource recorder no-such=/etc/hostname\n\
         -ssh --container work recorder/1 'exit 3'\n\
         -logs recorder/1 no-such\n\
         -fault wipe recorder/1 no-such\n\
         show-unit recorder/1\n\
         add-unit recorder\n\
         wait-for application recorder --timeout 60s\n\
         fault kill recorder/1 work\n\
         switch departures lost\n\
         switch departures\n\
         debug-log -n 1 --include recorder/2\n\
         timeline {}\n\
         trace {}\n\
         remove-application recorder\n\
         wait-for removed recorder --timeout 60s\n\
         status\n",
        at("timeline"),
        at("trace"),
    ));
    let table = [
        "recorder           active      2  recorder    0  10.152.183.10  revision 1",
        "recorder:mates        recorder:mates  mates      peer",
        "recorder-0  2/2    Running         0  10.1.0.",
        "lab> config recorder word\nfirst\n",
        "say       Gives the word back.",
        "said: hello-there\n",
        "recorder/0:\nI am recorder/0\nrecorder/1:\nI am recorder/1\n",
        "ERROR application `recorder` has no resource `no-such`",
        "the command in work of recorder/1 ended with exit status: 3",
        "cannot find container no-such of recorder/1",
        "cannot find storage no-such of recorder/1: its charm has none of that name",
        "  provider-id: recorder-1\n",
        "departures  lost\n",
        "hook (via hook dispatching script: dispatch)",
        "Model \"lab\" is empty.",
    ];
    for expected in table {
        assert!(said.contains(expected), "missing: {expected}\n{said}");
    }
    let timeline = fs::read_to_string(at("timeline")).unwrap();
    for expected in ["* leader is recorder/", "┌ install", "└ start: exit 0, committed", "! kill"]
    {
        assert!(timeline.contains(expected), "missing: {expected}\n{timeline}");
    }
    // The result of an action is its caller's alone.
    assert!(timeline.contains("action-set said=***"), "{timeline}");
    let trace = fs::read_to_string(at("trace")).unwrap();
    assert!(trace.contains(r#""action-set","said=***""#), "{trace}");
}

#[test]
fn a_charm_without_workload_containers_has_no_row_among_the_servers() {
    let charm = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(charm.path().join(name), text).unwrap();
    write("metadata.yaml", "name: bare\nsummary: none\ndescription: none\n");
    write("dispatch", "#!/bin/sh\nexec status-set active\n");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(charm.path().join("dispatch"), mode).unwrap();
    let said = play(&format!(
        "deploy {} bare\nwait-for application bare --timeout 60s\nstatus\n",
        charm.path().display(),
    ));
    assert!(said.contains("bare/0*") && !said.contains("Redis"), "{said}");
}

fn play(lines: &str) -> String {
    let mut model = Command::new(env!("CARGO_BIN_EXE_model"));
    model.args(["--speed", "5"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut model = model.spawn().unwrap();
    model.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let done = model.wait_with_output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}");
    said
}
