//! Pebbles that refuse or hang in the middle of a hook.
#![expect(
    clippy::disallowed_methods,
    reason = "a test changes a volume, and orders faults of Pebble"
)]

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::net::UnixStream;

use serde_json::Value;
use serde_json::json;

use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::host;
use crate::stage::name;

/// Orders a fault of a container's Pebble; `None` while it is not there.
fn order(story: &Story, unit: u32, container: &str, fault: &Value) -> Option<()> {
    let pod = story.lab.pod(&name(unit)).ok()?;
    let mut stream = UnixStream::connect(pod.faults_socket(container)).ok()?;
    stream.write_all(format!("{fault}\n").as_bytes()).ok()?;
    let mut told = String::new();
    BufReader::new(stream).read_line(&mut told).ok()?;
    assert_eq!(told.trim(), "ok");
    Some(())
}

#[test]
fn an_old_sentinel_file_is_not_believed_although_the_first_write_of_a_new_one_failed() {
    let story = Story::of(2);
    story.lab.scale(APPLICATION, 1).unwrap();
    story.whole(1);
    assert_eq!(story.redis(0, "SET newer 2"), Ok("OK".to_owned()));
    // The earlier unit 1 watched a master that nobody knows any more, at an epoch that would win.
    let file = story.lab.volume(&name(1), "database").folder().join("sentinel/sentinel.conf");
    let old: String = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .filter(|line| !line.contains("-epoch"))
        .map(|line| {
            line.replace(
                &format!("monitor {APPLICATION} {}", host(0)),
                &format!("monitor {APPLICATION} {}", host(1)),
            )
        })
        .map(|line| line + "\n")
        .collect();
    assert!(old.contains(&format!("monitor {APPLICATION} {}", host(1))), "{old}");
    let epochs = format!("sentinel config-epoch {APPLICATION} 99\nsentinel current-epoch 99\n");
    fs::write(&file, old + &epochs).unwrap();
    story.lab.scale(APPLICATION, 2).unwrap();
    let refusal = json!({
        "on": "request", "method": "POST", "path": "/v1/files",
        "do": "refuse", "status": 500, "message": "no space left on device",
    });
    story.until("the fault is ordered", || order(&story, 1, "sentinel", &refusal));
    assert_eq!(story.whole(2), 0);
    assert_eq!(story.redis(1, "GET newer"), Ok("2".to_owned()));
}
