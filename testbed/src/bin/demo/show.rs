//! What is shown of Sentinels, writers and hooks.

use testbed::names::Names;
use testbed::redis::answers::Fields;
use testbed::redis::answers::SentinelView;
use testbed::trace::entry::Entry;
use testbed::trace::entry::What;

use crate::paint::Paint;
use crate::screen::Screen;
use crate::stage::Written;

/// How many hooks ended, and how long they took.
pub(crate) fn hooks(screen: &mut Screen, entries: &[Entry]) {
    let hooks = entries.iter().filter_map(|entry| {
        let What::EventEnded { unit, event, took, .. } = &entry.what else { return None };
        Some((*took, event, unit))
    });
    let count = hooks.clone().count();
    if let Some((took, event, unit)) = hooks.max() {
        let text = format!("{count} ran; the longest {} ms ({event} on {unit})", took.as_millis());
        screen.row("hooks", Paint::Plain, &text);
    }
}

/// What became of the writers' writes.
pub(crate) fn written(screen: &mut Screen, written: &Written) {
    let Written { acknowledged, lost, gap } = written;
    let gap = gap.as_secs_f64();
    let text = format!(
        "{acknowledged} writes acknowledged, {lost} lost; nobody could write for {gap:.1} s"
    );
    let paint = if *lost == 0 { Paint::Plain } else { Paint::Red };
    screen.row("writers", paint, &text);
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
