//! Notices and checks.

use std::collections::BTreeMap;
use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use redis_k8s::clients::pebble::checks::CheckStatus;
use redis_k8s::clients::pebble::error::PebbleError;
use redis_k8s::clients::pebble::services::Startup;
use serde_json::json;
use testbed::pebble::daemon::Daemon;

use crate::container::Container;
use crate::container::is_root;

const KEY: &str = "redis.example.com/master/changed";

fn data(word: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("word".to_owned(), word.to_owned())])
}

#[test]
fn a_notice_that_is_repeated_keeps_its_id_and_only_its_last_data() {
    let pebble = Container::start();
    let pebble = pebble.pebble();
    let id = pebble.notify(KEY, &data("one"), None).unwrap();
    let first = pebble.notice(&id).unwrap();
    assert_eq!((first.key.as_str(), first.kind.as_str(), first.occurrences), (KEY, "custom", 1));
    assert_eq!(first.last_data, data("one"));
    assert_eq!(pebble.notify(KEY, &data("two"), None).unwrap(), id);
    let second = pebble.notice(&id).unwrap();
    assert_eq!((second.occurrences, &second.last_data), (2, &data("two")));

    // Counted, and not repeated.
    pebble.notify(KEY, &data("three"), Some(Duration::from_hours(1))).unwrap();
    let third = pebble.notice(&id).unwrap();
    assert_eq!((third.occurrences, third.last_repeated), (3, second.last_repeated.clone()));

    let other = "redis.example.com/other";
    pebble.notify(other, &BTreeMap::new(), None).unwrap();
    let keys = |keys: &[&str], after: Option<&str>| -> Vec<String> {
        pebble.notices(keys, after).unwrap().into_iter().map(|notice| notice.key).collect()
    };
    assert_eq!(keys(&[], None), [KEY, other]);
    assert_eq!(keys(&[KEY, "redis.example.com/none"], None), [KEY]);
    assert_eq!(keys(&[], Some(&second.last_repeated)), [other]);
}

#[test]
fn a_notice_that_is_not_there_is_not_found_and_a_bad_key_is_refused() {
    let container = Container::start();
    let pebble = container.pebble();
    assert!(pebble.notice("77").unwrap_err().is_not_found());
    assert!(matches!(pebble.notice("../x").unwrap_err(), PebbleError::Garbage { .. }));
    let error = pebble.notify("no-domain", &BTreeMap::new(), None).unwrap_err();
    assert!(matches!(error, PebbleError::Refused { status: 400, .. }), "{error:?}");
    assert!(error.to_string().starts_with("cannot notify no-domain in container redis: "));
}

#[test]
fn notices_of_every_user_are_listed() {
    if !is_root() {
        return;
    }
    let container = Container::start();
    // The folders are root's alone, and nobody must get at the socket and the program.
    let program = container.path("pebble-program");
    fs::copy(Daemon::program().unwrap(), &program).unwrap();
    for path in [container.folder.path(), container.daemon.dir(), Path::new(&program)] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    let mut notify = Command::new(&program);
    notify.args(["notify", KEY]).env("PEBBLE_SOCKET", container.daemon.socket());
    let told = notify.uid(65534).gid(65534).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    let notices = container.pebble().notices(&[KEY], None).unwrap();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].user_id, Some(65534));
    assert_eq!(container.pebble().notice(&notices[0].id).unwrap(), notices[0]);
}

#[test]
fn a_check_is_up_before_it_has_looked_and_proven_once_it_has() {
    let container = Container::start();
    let pebble = container.pebble();
    let layer = |file: &str, period: &str| {
        json!({"checks": {"file": {
            "period": period, "threshold": 2, "level": "ready",
            "exec": {"command": format!("test -e {file}")},
        }}})
    };
    let file = container.path("file");
    pebble.add_layer("test", &layer(&file, "900s")).unwrap();
    let check = || pebble.checks(&["file"]).unwrap().remove(0);
    let new = check();
    assert_eq!((new.status, new.successes), (CheckStatus::Up, Some(0)));
    assert_eq!((new.level.as_deref(), new.startup), (Some("ready"), Some(Startup::Enabled)));
    assert!(!new.is_proven_up());

    pebble.add_layer("test", &layer(&file, "50ms")).unwrap();
    container.until("the check fails", || (check().status == CheckStatus::Down).then_some(()));
    let down = check();
    assert!(down.failures >= 2 && !down.is_proven_up(), "{down:?}");
    assert_eq!(down.threshold, 2);
    assert_eq!(pebble.change(&down.change().unwrap()).unwrap().kind, "recover-check");

    fs::write(&file, "").unwrap();
    container.until("the check is proven", || check().is_proven_up().then_some(()));

    assert_eq!(pebble.stop_checks(&["file"]).unwrap(), ["file"]);
    assert_eq!(check().status, CheckStatus::Inactive);
    assert_eq!(pebble.stop_checks(&["file"]).unwrap(), [""; 0]);
    assert_eq!(pebble.start_checks(&["file"]).unwrap(), ["file"]);
    assert_eq!(pebble.checks(&[]).unwrap().len(), 1);
    assert_eq!(pebble.checks(&["none"]).unwrap(), []);
}
