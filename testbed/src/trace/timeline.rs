//! A trace as a reader's timeline: when, of what, what.

use std::fmt::Write;
use std::time::Duration;

use super::entry::Commit;
use super::entry::Entry;
use super::entry::Exit;
use super::entry::PodChange;
use super::entry::What;

/// The whole timeline, with the legend before it.
pub fn render(entries: &[Entry]) -> String {
    let width = entries.iter().map(|entry| subject(&entry.what).chars().count()).max();
    let width = width.unwrap_or_default().max(SUBJECT.len());
    let mut text = String::from(LEGEND);
    // Nothing fails that writes into a string.
    let _ = writeln!(text, "{TIME:>9}  {SUBJECT:width$}  what");
    for entry in entries {
        text.push_str(&line(entry, width));
        text.push('\n');
    }
    text
}

/// One line of it; `width` is that of the column of units.
pub fn line(entry: &Entry, width: usize) -> String {
    let seconds = entry.at.as_secs_f64();
    let told = shortened(&told(&entry.what));
    format!("{seconds:>9.3}  {:width$}  {told}", subject(&entry.what))
}

/// The unit or application that an entry is about; nothing for the model as a whole.
pub fn subject(what: &What) -> &str {
    match what {
        What::EventBegan { unit, .. }
        | What::EventEnded { unit, .. }
        | What::Tool { unit, .. }
        | What::Log { unit, .. }
        | What::Action { unit, .. }
        | What::Pod { unit, .. }
        | What::Container { unit, .. }
        | What::Service { unit, .. }
        | What::Sentinel { unit, .. } => unit,
        What::Databag { of, .. } | What::Status { of, .. } | What::Life { of, .. } => of,
        What::Leader { application, .. } | What::Api { application, .. } => application,
        What::Fault { .. } | What::Operator { .. } => "",
    }
}

fn told(what: &What) -> String {
    match what {
        What::EventBegan { event, about: None, .. } => format!("┌ {event}"),
        What::EventBegan { event, about: Some(about), .. } => format!("┌ {event} ({about})"),
        What::EventEnded { event, exit, commit, took, .. } => {
            format!(
                "└ {event}: {}, {}, {}",
                exit_text(*exit),
                commit_text(commit),
                time_text(*took)
            )
        }
        What::Tool { argv, exit, took, .. } => {
            let exit = match exit {
                Some(0) => String::new(),
                Some(code) => format!("exit {code}, "),
                None => return format!("│  {}  (never answered)", argv_text(argv)),
            };
            format!("│  {}  ({exit}{})", argv_text(argv), time_text(*took))
        }
        What::Log { level, message, .. } => format!("│  {level} {message}"),
        What::Databag { relation, endpoint, key, value, .. } => match value {
            Some(value) => format!("= {endpoint}:{relation} {key}: {value}"),
            None => format!("= {endpoint}:{relation} {key} deleted"),
        },
        What::Status { status, message, .. } if message.is_empty() => format!("~ {status}"),
        What::Status { status, message, .. } => format!("~ {status}: {message}"),
        What::Leader { unit: Some(unit), .. } => format!("* leader is {unit}"),
        What::Leader { unit: None, .. } => "* no leader".to_owned(),
        What::Action { action, status, message, .. } if message.is_empty() => {
            format!("> action {action} {status}")
        }
        What::Action { action, status, message, .. } => {
            format!("> action {action} {status}: {message}")
        }
        What::Life { life, .. } => format!("# {life}"),
        What::Pod { change, .. } => format!("# pod {}", pod_text(change)),
        What::Container { container, change, .. } => format!("# container {container} {change}"),
        What::Service { container, service, change, .. } => {
            format!("# service {service} of {container} {change}")
        }
        What::Sentinel { event, message, .. } => format!("@ {event} {}", named(message)),
        What::Api { asked, status, .. } => format!("% {asked}: {status}"),
        What::Fault { what } => format!("! {what}"),
        What::Operator { command } => format!("$ {command}"),
    }
}

/// A Sentinel's message with hosts by their first name, and ids by their first letters.
fn named(message: &str) -> String {
    let short = |word: &str| {
        let is_id = word.len() == ID && word.chars().all(|letter| letter.is_ascii_hexdigit());
        match word.split_once('.') {
            Some((name, rest)) if rest.contains(".svc.") => {
                let port = rest.split_once(':').map(|(_, port)| format!(":{port}"));
                name.to_owned() + &port.unwrap_or_default()
            }
            _ if is_id => word.chars().take(SHORT_ID).chain(['…']).collect(),
            _ => word.to_owned(),
        }
    };
    message.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

fn exit_text(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit {code}"),
        Exit::Signal(number) => format!("killed by signal {number}"),
    }
}

fn commit_text(commit: &Commit) -> String {
    match commit {
        Commit::Committed => "committed".to_owned(),
        Commit::Discarded => "nothing kept".to_owned(),
        Commit::Refused(text) => format!("commit refused ({text})"),
    }
}

fn pod_text(change: &PodChange) -> String {
    match change {
        PodChange::Created { address } => format!("created at {address}"),
        PodChange::Ready => "ready".to_owned(),
        PodChange::Unready => "no longer ready".to_owned(),
        PodChange::Terminating => "terminating".to_owned(),
        PodChange::Killed => "killed".to_owned(),
        PodChange::Gone => "gone".to_owned(),
    }
}

fn time_text(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds < 10.0 {
        format!("{milliseconds:.1} ms")
    } else if milliseconds < 1000.0 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

/// A command line as a shell would take it, so far as a reader needs that.
fn argv_text(argv: &[String]) -> String {
    let quoted = |word: &String| {
        if word.is_empty() || word.contains(char::is_whitespace) {
            format!("'{word}'")
        } else {
            word.clone()
        }
    };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// One line of bearable length; the JSON lines hold all of it.
fn shortened(text: &str) -> String {
    let text = text.replace('\n', "⏎");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
        None => text,
    }
}

const TIME: &str = "seconds";
const SUBJECT: &str = "unit";
const LEGEND: &str = "\
┌ a hook, an action or juju exec begins   │ its hook tools, its log   └ it ends
= databag   ~ status   * leadership   > action   # lives: units, pods, containers, services
@ Sentinel   % Kubernetes API   ! fault   $ operator   *** a secret

";

/// The letters of a Sentinel's id, and how many of them tell it from others.
const ID: usize = 40;
const SHORT_ID: usize = 8;

/// The longest text of a line, in characters.
const LONGEST: usize = 160;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::What;
    use super::render;
    use crate::trace::entry::Commit;
    use crate::trace::entry::Entry;
    use crate::trace::entry::Exit;
    use crate::trace::entry::PodChange;
    use crate::trace::sink::Sink;

    fn first_leader() -> Vec<What> {
        let unit = || "redis-k8s/0".to_owned();
        let argv = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let tool = |words: &[&str], exit| What::Tool {
            unit: unit(),
            argv: argv(words),
            exit,
            took: Duration::from_micros(2500),
        };
        vec![
            What::Operator { command: "deploy . redis-k8s -n 3".to_owned() },
            What::Pod {
                unit: unit(),
                change: PodChange::Created { address: "10.1.0.10".to_owned() },
            },
            What::Leader { application: "redis-k8s".to_owned(), unit: Some(unit()) },
            What::EventBegan { unit: unit(), event: "leader-elected".to_owned(), about: None },
            tool(&["is-leader", "--format=json"], Some(0)),
            tool(&["relation-set", "-r", "0", "--app", "sentinel-password=s3cret-word"], Some(0)),
            tool(&["status-set", "blocked", "no s3cret-word here"], Some(1)),
            What::Log { unit: unit(), level: "INFO".to_owned(), message: "two\nlines".to_owned() },
            tool(&["state-set", "x="], None),
            What::EventEnded {
                unit: unit(),
                event: "leader-elected".to_owned(),
                exit: Exit::Code(0),
                commit: Commit::Committed,
                took: Duration::from_millis(1234),
            },
            What::Databag {
                relation: 0,
                endpoint: "redis-peers".to_owned(),
                of: "redis-k8s".to_owned(),
                key: "sentinel-password".to_owned(),
                value: Some("s3cret-word".to_owned()),
            },
            What::Status { of: unit(), status: "active".to_owned(), message: String::new() },
            What::Fault { what: "kill redis-k8s/0 redis redis-server".to_owned() },
            What::Sentinel {
                unit: "redis-k8s/1".to_owned(),
                event: "+slave".to_owned(),
                message: "slave app-1.app-endpoints.lab.svc.cluster.local:6379 10.1.0.10 6379 @ \
                          0123456789abcdef0123456789abcdef01234567"
                    .to_owned(),
            },
            What::EventBegan {
                unit: unit(),
                event: "redis-peers-relation-changed".to_owned(),
                about: Some("redis-k8s/1".to_owned()),
            },
            What::EventEnded {
                unit: unit(),
                event: "redis-peers-relation-changed".to_owned(),
                exit: Exit::Signal(9),
                commit: Commit::Discarded,
                took: Duration::from_millis(21),
            },
        ]
    }

    #[test]
    fn a_timeline_shows_when_of_whom_and_what() {
        let sink = Sink::new();
        for what in first_leader() {
            sink.push(what);
        }
        let timed = |(entry, number): (Entry, u32)| Entry {
            at: Duration::from_millis(500) * number,
            what: entry.what,
        };
        let entries: Vec<Entry> = sink.entries().into_iter().zip(0..).map(timed).collect();
        let expected = "  seconds  unit         what
    0.000               $ deploy . redis-k8s -n 3
    0.500  redis-k8s/0  # pod created at 10.1.0.10
    1.000  redis-k8s    * leader is redis-k8s/0
    1.500  redis-k8s/0  ┌ leader-elected
    2.000  redis-k8s/0  │  is-leader --format=json  (2.5 ms)
    2.500  redis-k8s/0  │  relation-set -r 0 --app sentinel-password=***  (2.5 ms)
    3.000  redis-k8s/0  │  status-set blocked 'no *** here'  (exit 1, 2.5 ms)
    3.500  redis-k8s/0  │  INFO two⏎lines
    4.000  redis-k8s/0  │  state-set x=  (never answered)
    4.500  redis-k8s/0  └ leader-elected: exit 0, committed, 1.2 s
    5.000  redis-k8s    = redis-peers:0 sentinel-password: ***
    5.500  redis-k8s/0  ~ active
    6.000               ! kill redis-k8s/0 redis redis-server
    6.500  redis-k8s/1  @ +slave slave app-1:6379 10.1.0.10 6379 @ 01234567…
    7.000  redis-k8s/0  ┌ redis-peers-relation-changed (redis-k8s/1)
    7.500  redis-k8s/0  └ redis-peers-relation-changed: killed by signal 9, nothing kept, 21 ms
";
        assert_eq!(render(&entries), super::LEGEND.to_owned() + expected);
    }

    #[test]
    fn a_long_text_is_cut_in_the_timeline_and_whole_in_the_json_lines() {
        let sink = Sink::new();
        sink.push(What::Operator { command: "ä".repeat(1000) });
        assert!(render(&sink.entries()).ends_with(&("ä".repeat(158) + "…\n")));
        let mut written = Vec::new();
        sink.write_json_lines(&mut written).unwrap();
        let entry: Entry = serde_json::from_slice(&written).unwrap();
        assert_eq!(entry.what, What::Operator { command: "ä".repeat(1000) });
    }
}
