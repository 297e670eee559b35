//! The model's log, as `juju debug-log` prints it, from what a trace holds.

use jiff::Timestamp;

use crate::trace::entry::Commit;
use crate::trace::entry::Entry;
use crate::trace::entry::Exit;
use crate::trace::entry::What;

/// The line of an entry that belongs into the log; `began` is when the trace began.
pub fn line(entry: &Entry, began: Timestamp) -> Option<String> {
    let (unit, level, module, message) = match &entry.what {
        What::Log { unit, level, message } => {
            (unit, level.as_str(), format!("unit.{unit}.juju-log"), message.clone())
        }
        What::EventEnded { unit, event, exit, commit, .. } => {
            let (level, message) = ended(event, *exit, commit);
            (unit, level, "juju.worker.uniter.operation".to_owned(), message)
        }
        What::EventBegan { .. }
        | What::Tool { .. }
        | What::Databag { .. }
        | What::Status { .. }
        | What::Leader { .. }
        | What::Action { .. }
        | What::Life { .. }
        | What::Pod { .. }
        | What::Container { .. }
        | What::Service { .. }
        | What::Sentinel { .. }
        | What::Api { .. }
        | What::Fault { .. }
        | What::Operator { .. } => return None,
    };
    let time = began.checked_add(entry.at).unwrap_or(began).strftime("%H:%M:%S");
    Some(format!("unit-{}: {time} {level} {module} {message}", unit.replace('/', "-")))
}

fn ended(event: &str, exit: Exit, commit: &Commit) -> (&'static str, String) {
    let failure = match (exit, commit) {
        (Exit::Code(0), Commit::Refused(text)) => text.clone(),
        (Exit::Code(0), Commit::Committed | Commit::Discarded) => {
            return ("INFO", format!("ran \"{event}\" hook {VIA}"));
        }
        (Exit::Code(code), _) => format!("exit status {code}"),
        (Exit::Signal(number), _) => format!("signal: {number}"),
    };
    ("ERROR", format!("hook \"{event}\" {VIA} failed: {failure}"))
}

/// Whether an entry is of one of these units or applications; of any, if none is named.
pub fn is_of(entry: &Entry, names: &[String]) -> bool {
    let subject = crate::trace::timeline::subject(&entry.what);
    let application = crate::juju::model::application_of(subject);
    names.is_empty() || names.iter().any(|name| name == subject || name == application)
}

const VIA: &str = "(via hook dispatching script: dispatch)";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::Commit;
    use super::Entry;
    use super::Exit;
    use super::What;
    use super::is_of;
    use super::line;

    fn ended(exit: Exit, commit: Commit) -> What {
        let (unit, event) = ("redis-k8s/0".to_owned(), "start".to_owned());
        What::EventEnded { unit, event, exit, commit, took: Duration::ZERO }
    }

    #[test]
    fn a_line_of_the_log_is_that_of_juju() {
        let said = What::Log {
            unit: "redis-k8s/0".to_owned(),
            level: "WARNING".to_owned(),
            message: "redis-peers:0: careful".to_owned(),
        };
        let began = "2026-01-02T23:59:58Z".parse::<Timestamp>().unwrap();
        let operation = "juju.worker.uniter.operation";
        let via = "(via hook dispatching script: dispatch)";
        let table = [
            (said, "WARNING unit.redis-k8s/0.juju-log redis-peers:0: careful".to_owned()),
            (
                ended(Exit::Code(0), Commit::Committed),
                format!("INFO {operation} ran \"start\" hook {via}"),
            ),
            (
                ended(Exit::Code(1), Commit::Discarded),
                format!("ERROR {operation} hook \"start\" {via} failed: exit status 1"),
            ),
            (
                ended(Exit::Code(0), Commit::Refused("not leader".to_owned())),
                format!("ERROR {operation} hook \"start\" {via} failed: not leader"),
            ),
        ];
        for (what, expected) in table {
            let entry = Entry { at: Duration::from_secs(3), what };
            let expected = format!("unit-redis-k8s-0: 00:00:01 {expected}");
            assert_eq!(line(&entry, began), Some(expected));
        }
    }

    #[test]
    fn the_log_of_an_application_is_that_of_its_units() {
        let what = ended(Exit::Code(0), Commit::Committed);
        let entry = Entry { at: Duration::ZERO, what };
        let table = [("redis-k8s", true), ("redis-k8s/0", true), ("redis", false)];
        for (name, expected) in table {
            assert_eq!(is_of(&entry, &[name.to_owned()]), expected, "{name}");
        }
        assert!(is_of(&entry, &[]));
    }
}
