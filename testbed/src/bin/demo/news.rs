//! What happens in a model, told as it happens: from its trace, and from what the keepers say.

use std::collections::BTreeMap;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use testbed::lab::Lab;
use testbed::names::Names;
use testbed::trace::entry::Commit;
use testbed::trace::entry::Entry;
use testbed::trace::entry::Exit;
use testbed::trace::entry::PodChange;
use testbed::trace::entry::What;

use crate::Outcome;
use crate::keepers::Keepers;
use crate::paint::Paint;
use crate::screen::Screen;
use crate::show::short;
use crate::stage::PASSWORDS;

/// What has been told, and what is needed to tell the rest.
#[derive(Debug)]
pub(crate) struct News {
    names: Names,
    begun: Duration,
    /// How many entries there were when the step began, and how many were told.
    first: usize,
    read: usize,
    keepers: Keepers,
    hooks: BTreeMap<String, Hook>,
    statuses: BTreeMap<String, (String, String)>,
    leader: Option<String>,
    databag: BTreeMap<String, String>,
    changes: Vec<(Paint, String)>,
    last: Line,
}

/// A hook that runs.
#[derive(Debug, Default)]
struct Hook {
    about: Option<String>,
    tools: usize,
    log: Vec<String>,
}

/// One line: of whom, from where, what.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) at: Duration,
    /// Whether it belongs to the line before.
    pub(crate) is_more: bool,
    pub(crate) who: String,
    pub(crate) source: &'static str,
    pub(crate) paint: Paint,
    pub(crate) text: String,
}

impl News {
    pub(crate) fn new(names: Names) -> Self {
        Self {
            names,
            begun: Duration::ZERO,
            first: 0,
            read: 0,
            keepers: Keepers::default(),
            hooks: BTreeMap::new(),
            statuses: BTreeMap::new(),
            leader: None,
            databag: BTreeMap::new(),
            changes: Vec::new(),
            last: Line::default(),
        }
    }

    /// Times are told from now on; what was not told before is not told any more.
    pub(crate) fn begin(&mut self, lab: &Lab) {
        let entries = lab.trace().entries_from(self.read);
        self.read += entries.len();
        for entry in entries {
            self.line_of(entry);
        }
        drop(self.keepers.news(lab, &self.names));
        self.first = self.read;
        self.begun = lab.trace().age();
    }

    /// All that has happened since then.
    pub(crate) fn since(&self, lab: &Lab) -> Vec<Entry> {
        lab.trace().entries_from(self.first)
    }

    /// Tells what is new. A hook that fails ends the story.
    pub(crate) fn tell(&mut self, screen: &mut Screen, lab: &Lab) -> Outcome<()> {
        let entries = lab.trace().entries_from(self.read);
        self.read += entries.len();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = since_1970.saturating_sub(lab.trace().age());
        let mut lines: Vec<Line> = self.keepers.news(lab, &self.names);
        for line in &mut lines {
            line.at = line.at.saturating_sub(start);
        }
        let mut failed = Ok(());
        for entry in entries {
            if let What::EventEnded { unit, event, exit, commit, .. } = &entry.what
                && (*exit != Exit::Code(0) || *commit != Commit::Committed)
                && !is_stopped(*exit)
            {
                failed = Err(format!("{event} on {unit} ended with {exit:?}, {commit:?}").into());
            }
            lines.extend(self.line_of(entry));
        }
        lines.sort_by_key(|line| line.at);
        for line in lines {
            self.print(screen, line);
        }
        failed
    }

    /// A block's lines go without what they have in common with the one above; one that repeats itself
    /// is there once.
    fn print(&mut self, screen: &mut Screen, line: Line) {
        let seconds = line.at.saturating_sub(self.begun).as_secs_f64();
        let at = format!("{seconds:.1} s");
        let source = if line.source == self.last.source { "" } else { line.source };
        if line.is_more {
            screen.told("", "", source, line.paint, &line.text);
        } else if (&line.who, &line.text) != (&self.last.who, &self.last.text) {
            screen.told(&at, &line.who, line.source, line.paint, &line.text);
        }
        self.last = line;
    }

    fn line_of(&mut self, entry: Entry) -> Vec<Line> {
        let at = entry.at;
        let line = |who: &str, source, paint, text: String| {
            vec![Line { at, is_more: false, who: number(who), source, paint, text }]
        };
        match entry.what {
            What::EventBegan { unit, about, .. } => {
                self.hooks.insert(unit, Hook { about, ..Hook::default() });
                Vec::new()
            }
            What::Tool { unit, .. } => {
                self.hooks.entry(unit).or_default().tools += 1;
                Vec::new()
            }
            What::Log { unit, level, message } => {
                if level == "INFO" {
                    let lines = message.lines().map(|it| without_relation(it).to_owned());
                    self.hooks.entry(unit).or_default().log.extend(lines);
                }
                Vec::new()
            }
            What::Databag { of, key, value, .. } if of == self.names.application => {
                self.change(&key, value);
                Vec::new()
            }
            What::EventEnded { unit, event, exit, took, .. } => {
                let hook = self.hooks.remove(&unit).unwrap_or_default();
                self.hook_lines(at, &unit, &event, exit, took, &hook)
            }
            What::Status { of, status, message } => {
                let told = (status.clone(), message.clone());
                let before = self.statuses.insert(of.clone(), told.clone());
                let is_news = before.as_ref() != Some(&told)
                    && ["active", "blocked", "error"].contains(&status.as_str())
                    && of.contains('/');
                if !is_news {
                    return Vec::new();
                }
                let paint = if message.is_empty() { Paint::Green } else { Paint::Yellow };
                let colon = if message.is_empty() { "" } else { ": " };
                let text = short(&self.names, &format!("{status}{colon}{message}"));
                line(&of, "status", paint, text)
            }
            What::Leader { unit, .. } => {
                self.leader.clone_from(&unit);
                let text = if unit.is_some() { "is made leader" } else { "nobody leads" };
                line(&unit.unwrap_or_default(), "Juju", Paint::Plain, text.to_owned())
            }
            What::Life { of, life } if life == "dying" => {
                line(&of, "Juju", Paint::Plain, "is to leave".to_owned())
            }
            What::Pod { unit, change } => {
                let (paint, text) = match change {
                    PodChange::Created { address } => (Paint::Plain, format!("comes at {address}")),
                    PodChange::Ready => (Paint::Plain, "is ready".to_owned()),
                    PodChange::Terminating => (Paint::Red, "is told to end".to_owned()),
                    PodChange::Killed => (Paint::Red, "is killed".to_owned()),
                    PodChange::Gone => (Paint::Red, "is gone, with its address".to_owned()),
                    PodChange::Unready => return Vec::new(),
                };
                line(&unit, "pod", paint, text)
            }
            What::Sentinel { unit, event, message } => {
                let meaning = meaning(&event, &message);
                meaning.map_or_else(Vec::new, |meaning| {
                    line(&unit, "Sentinel", Paint::Plain, format!("{event}: {meaning}"))
                })
            }
            What::Fault { what } => line("", "fault", Paint::Red, what),
            What::Operator { command } => {
                let juju = if command.starts_with("kubectl") { "" } else { "juju " };
                line("", "operator", Paint::Bold, format!("{juju}{command}"))
            }
            What::Databag { .. }
            | What::Life { .. }
            | What::Action { .. }
            | What::Container { .. }
            | What::Service { .. }
            | What::Api { .. } => Vec::new(),
        }
    }

    fn change(&mut self, key: &str, value: Option<String>) {
        let shown = |value: &str| {
            if PASSWORDS.contains(&key) { "********".to_owned() } else { short(&self.names, value) }
        };
        let new = value.as_deref().map(shown);
        let old = self.databag.get(key).cloned();
        let change = match (&old, &new) {
            (None, Some(new)) => (Paint::Green, format!("+ {key:17} {new}")),
            (Some(old), None) => (Paint::Red, format!("- {key:17} {old}")),
            (Some(old), Some(new)) => (Paint::Yellow, format!("~ {key:17} {old} → {new}")),
            (None, None) => return,
        };
        match new {
            Some(new) => self.databag.insert(key.to_owned(), new),
            None => self.databag.remove(key),
        };
        self.changes.push(change);
    }

    /// A hook is told of if it wrote the application databag or restarted its own Sentinel.
    fn hook_lines(
        &mut self,
        at: Duration,
        unit: &str,
        event: &str,
        exit: Exit,
        took: Duration,
        hook: &Hook,
    ) -> Vec<Line> {
        let is_leader = self.leader.as_deref() == Some(unit);
        let changes = if is_leader { std::mem::take(&mut self.changes) } else { Vec::new() };
        let restarts = hook.log.iter().any(|line| line.starts_with(RESTARTS));
        if changes.is_empty() && !restarts && exit == Exit::Code(0) {
            return Vec::new();
        }
        let who = number(unit);
        let line = |source, paint, text| Line {
            at,
            is_more: source != "hook",
            who: who.clone(),
            source,
            paint,
            text,
        };
        let about = hook.about.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        let mut lines = vec![
            line("hook", Paint::Bold, format!("{event}{about}")),
            line(
                "",
                Paint::Dim,
                format!("{} · {} ms · {} hook tools", text(exit), took.as_millis(), hook.tools),
            ),
        ];
        lines.extend(hook.log.iter().map(|it| line("log", Paint::Plain, short(&self.names, it))));
        lines.extend(changes.into_iter().map(|(paint, text)| line("databag", paint, text)));
        lines
    }
}

/// SIGTERM took it away with its pod, or the kill of the pod did.
fn is_stopped(exit: Exit) -> bool {
    matches!(exit, Exit::Signal(9 | 15))
}

fn text(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit {code}"),
        Exit::Signal(number) => format!("killed by signal {number}"),
    }
}

/// Juju puts the relation before what a relation's hook logs.
fn without_relation(line: &str) -> &str {
    line.strip_prefix("redis-peers:0: ").unwrap_or(line)
}

/// `unit 0` of `redis-k8s/0`.
pub(crate) fn number(unit: &str) -> String {
    unit.rsplit_once('/').map_or_else(|| unit.to_owned(), |(_, number)| format!("unit {number}"))
}

/// What an event of Sentinel means to a reader of the story; nothing where it means nothing to him.
fn meaning(event: &str, message: &str) -> Option<&'static str> {
    let of_master = message.starts_with("master ");
    TOLD.into_iter()
        .find(|(told, needs_master, _)| *told == event && (of_master || !needs_master))
        .map(|(_, _, meaning)| meaning)
}

const TOLD: [(&str, bool, &str); 7] = [
    ("+sdown", true, "misses the master"),
    ("+odown", true, "enough Sentinels miss it"),
    ("+try-failover", true, "begins a failover"),
    ("+elected-leader", true, "elected to lead it"),
    ("+promoted-slave", false, "a replica is made master"),
    ("+switch-master", false, "follows the new master"),
    ("+reset-master", true, "was RESET"),
];

/// How the log tells of a restart of the own Sentinel, which prunes its file.
const RESTARTS: &str = "restart the own Sentinel";

#[cfg(test)]
mod tests {
    use super::meaning;

    #[test]
    fn events_of_a_failover_are_told_and_others_are_not() {
        assert_eq!(meaning("+sdown", "master redis-k8s h 6379"), Some("misses the master"));
        assert_eq!(meaning("+sdown", "slave h:6379 h 6379 @ redis-k8s h 6379"), None);
        assert_eq!(meaning("+switch-master", "redis-k8s a 1 b 1"), Some("follows the new master"));
        assert_eq!(meaning("+new-epoch", "1"), None);
    }
}
