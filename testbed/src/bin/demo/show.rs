//! What is shown of a hook, of the databag and of a Sentinel.

use testbed::juju::model::Status;
use testbed::juju::run::Commit;
use testbed::juju::run::Exit;
use testbed::juju::run::HookRun;
use testbed::names::Names;
use testbed::redis::answers::Fields;
use testbed::redis::answers::SentinelView;

use crate::paint::Paint;
use crate::screen::Piece;
use crate::screen::Screen;
use crate::stage::Databag;
use crate::stage::PASSWORDS;

/// The event, how its process ended, and the hook tools that it ran.
pub(crate) fn hook(screen: &mut Screen, unit: &str, name: &str, run: &HookRun) {
    let end = match run.exit {
        Exit::Code(code) => format!("exit {code}"),
        Exit::Signal(number) => format!("signal {number}"),
    };
    let commit = match &run.commit {
        Commit::Committed => "",
        Commit::Discarded => " · changes dropped",
        Commit::Failed(_) => " · commit refused",
    };
    let took = milliseconds(run);
    screen.pieces(
        "dispatch",
        &[
            (Paint::Cyan, name.to_owned()),
            (Paint::Plain, format!(" on {unit}")),
            (Paint::Dim, format!(" · {end}{commit} · ")),
            (Paint::Bold, took),
            (Paint::Dim, format!(" · {} hook tools", run.calls.len())),
        ],
    );
    let tools: Vec<&str> =
        run.calls.iter().filter_map(|call| call.argv.first()).map(String::as_str).collect();
    screen.row("tools", Paint::Plain, &tools.join(" "));
}

/// How long a hook ran.
pub(crate) fn milliseconds(run: &HookRun) -> String {
    format!("{} ms", run.elapsed.as_millis())
}

/// The databag after a hook, each key with what became of it.
pub(crate) fn databag(screen: &mut Screen, names: &Names, before: &Databag, after: &Databag) {
    let shown = |key: &str, value: &str| {
        if PASSWORDS.contains(&key) { "********".to_owned() } else { short(names, value) }
    };
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        screen.pieces("databag", &[(Paint::Dim, "empty, before and after".to_owned())]);
    }
    for (at, key) in keys.into_iter().enumerate() {
        let old = before.get(key).map(|value| shown(key, value));
        let new = after.get(key).map(|value| shown(key, value));
        let name = |sign: &str| format!("{sign} {key:18}");
        let pieces: Vec<Piece> = match (old, new) {
            (None, Some(new)) => vec![(Paint::Green, name("+") + &new)],
            (Some(old), None) => vec![(Paint::Red, name("-") + &old)],
            (Some(old), Some(new)) if before.get(key) != after.get(key) => vec![
                (Paint::Yellow, name("~")),
                (Paint::Dim, format!("{old} → ")),
                (Paint::Yellow, new),
            ],
            (old, _) => vec![(Paint::Dim, name(" ") + &old.unwrap_or_default())],
        };
        screen.pieces(if at == 0 { "databag" } else { "" }, &pieces);
    }
}

/// What the hook logged through `juju-log`.
pub(crate) fn log(screen: &mut Screen, names: &Names, run: &HookRun) {
    let lines: Vec<(&str, &str)> = run
        .log
        .iter()
        .flat_map(|entry| entry.message.lines().map(|line| (entry.level.as_str(), line)))
        .collect();
    for (at, (level, line)) in lines.into_iter().enumerate() {
        let paint = if level == "INFO" { Paint::Plain } else { Paint::Yellow };
        let text = short(names, &format!("{level} {line}"));
        screen.row(if at == 0 { "log" } else { "" }, paint, &text);
    }
}

/// A unit's status, as `juju status` would show it.
pub(crate) fn status(screen: &mut Screen, unit: &str, status: Option<&Status>) {
    let Some(Status { status: word, message, .. }) = status else { return };
    let paint = if word == "active" { Paint::Green } else { Paint::Yellow };
    let text = if message.is_empty() {
        format!("{unit} {word}")
    } else {
        format!("{unit} {word}: {message}")
    };
    screen.row("status", paint, &text);
}

/// The heading over what Sentinels know.
pub(crate) fn sentinels_heading(screen: &mut Screen) {
    let heading = columns(["of unit", "names", "epoch", "quorum", "replicas", "Sentinels"]);
    screen.pieces("Sentinel", &[(Paint::Dim, heading)]);
}

/// What one Sentinel knows; units by their numbers, with an arrow where it holds one for down.
pub(crate) fn sentinel(screen: &mut Screen, names: &Names, unit: u32, view: Option<&SentinelView>) {
    let Some(view) = view else {
        screen.pieces("", &[(Paint::Red, format!("{unit:<9}does not answer"))]);
        return;
    };
    let master =
        view.master_host.as_deref().map_or("nobody".to_owned(), |host| number(names, host));
    let epoch = view.epoch().map_or("?".to_owned(), |epoch| epoch.to_string());
    let line = columns([
        &unit.to_string(),
        &master,
        &epoch,
        view.master.text("quorum"),
        &listed(names, &view.replicas),
        &listed(names, &view.sentinels),
    ]);
    screen.pieces("", &[(Paint::Plain, line)]);
}

fn columns([unit, names, epoch, quorum, replicas, sentinels]: [&str; 6]) -> String {
    format!("{unit:<9}{names:<8}{epoch:<8}{quorum:<9}{replicas:<12}{sentinels}")
}

fn listed(names: &Names, entries: &[Fields]) -> String {
    let mut found: Vec<String> = entries
        .iter()
        .map(|entry| {
            let down = if entry.has_flag("s_down") { "↓" } else { "" };
            number(names, entry.text("ip")) + down
        })
        .collect();
    found.sort_unstable();
    if found.is_empty() { "none".to_owned() } else { found.join(" ") }
}

fn number(names: &Names, host: &str) -> String {
    names.unit_of(host).map_or_else(|| host.to_owned(), |unit| unit.to_string())
}

/// A text in which the long part that all hosts share is left out.
pub(crate) fn short(names: &Names, text: &str) -> String {
    text.replace(&shared_part(names), "…")
}

/// The part that all hosts share.
pub(crate) fn shared_part(names: &Names) -> String {
    names.host(0).strip_prefix(&names.pod(0)).unwrap_or_default().to_owned()
}
