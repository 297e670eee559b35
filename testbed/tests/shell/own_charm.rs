//! This project's own charm: who is master is shown beside the status, and no password is.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use testbed::lab::Lab;
use testbed::shell::line;
use testbed::shell::session::Session;
use testbed::trace::timeline;
use testbed::wait;

#[test]
fn the_roles_are_shown_beside_the_status_and_passwords_nowhere() {
    let lab = Arc::new(Lab::start(3).unwrap());
    let mut session = Session::new(Arc::clone(&lab), Arc::new(AtomicBool::new(false)));
    perform(&mut session, "deploy -n 3");

    let mut status = String::new();
    let all_follow = wait::until("two replicas follow one master", LIMIT, || {
        status = perform(&mut session, "status");
        let count = |text: &str| status.lines().filter(|line| line.contains(text)).count();
        let whole =
            count("  master ") == 1 && count("  up ") == 2 && count("2 replicas, 3 sentinels") == 3;
        whole.then_some(())
    });
    all_follow.unwrap_or_else(|error| panic!("{error}\n{status}"));

    let shown = perform(&mut session, "show-unit redis-k8s/0");
    let secrets: Vec<&str> = shown
        .lines()
        .filter_map(|line| line.trim().split_once("-password: "))
        .map(|(_, secret)| secret)
        .filter(|secret| secret.len() > 8)
        .collect();
    assert!(secrets.len() >= 2, "an operator may read them: {shown}");
    let mut lines = Vec::new();
    lab.trace().write_json_lines(&mut lines).unwrap();
    let told = timeline::render(&lab.trace().entries())
        + &String::from_utf8(lines).unwrap()
        + &perform(&mut session, "debug-log --replay");
    assert!(told.contains("redis-password: ***"), "{told}");
    for secret in secrets {
        assert!(!told.contains(secret), "a password is in the trace");
    }
}

fn perform(session: &mut Session, text: &str) -> String {
    let order = line::parse(text).unwrap().unwrap();
    let mut out = Vec::new();
    session.perform(text, &order.command, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Long against everything that a loaded machine does.
const LIMIT: Duration = Duration::from_mins(2);
