//! The last lines: what was seen, in a few figures, and the search for passwords.

use std::time::Duration;

use testbed::trace::entry::Entry;
use testbed::trace::entry::What;

use crate::Outcome;
use crate::paint::Paint;
use crate::screen::Screen;
use crate::show;
use crate::stage::Stage;
use crate::stage::ensure;

/// What the steps found out.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// For how long nobody could write, at each occasion.
    pub(crate) gaps: Vec<(&'static str, Duration)>,
}

/// Tells it; fails if a password was seen anywhere.
pub(crate) fn tell(
    screen: &mut Screen,
    stage: &Stage,
    findings: &Findings,
    took: Duration,
) -> Outcome<()> {
    screen.rule("Summary");
    let entries = stage.lab.trace().entries();
    if let Some((tools, milliseconds)) = first_record(&entries) {
        let text =
            format!("the first record of a master took {tools} hook tools, {milliseconds} ms");
        screen.row("election", Paint::Plain, &text);
    }
    for (at, (occasion, gap)) in findings.gaps.iter().enumerate() {
        let text = format!("{:4.1} s  {occasion}", gap.as_secs_f64());
        screen.row(if at == 0 { "no writes" } else { "" }, Paint::Plain, &text);
    }
    screen.row("lost", Paint::Plain, "0 acknowledged writes");
    show::hooks(screen, &entries);
    screen.row("RESETs", Paint::Plain, &stage.resets().to_string());
    let said = stage.said() + "\n" + screen.printed();
    let leaks = stage.leaks(&said)?;
    let lines = said.lines().count();
    let text = format!("{} in {lines} lines of argv, logs and statuses", leaks.len());
    screen.row("passwords", Paint::Plain, &text);
    ensure(leaks.is_empty(), &format!("a password was shown:\n{}", leaks.join("\n")))?;
    let steps = screen.steps();
    let whole =
        format!("all {steps} steps came out as they should, in {:.0} s", took.as_secs_f64());
    screen.done(&whole);
    Ok(())
}

/// Hook tools and milliseconds of the first hook that ran `relation-set` for its application.
fn first_record(entries: &[Entry]) -> Option<(usize, u128)> {
    let is_record = |entry: &Entry| {
        matches!(&entry.what, What::Tool { argv, .. }
            if argv.first().is_some_and(|name| name == "relation-set")
                && argv.iter().any(|word| word == "--app"))
    };
    let at = entries.iter().position(is_record)?;
    let What::Tool { unit: who, .. } = &entries.get(at)?.what else { return None };
    let begun = entries
        .get(..at)?
        .iter()
        .rposition(|entry| matches!(&entry.what, What::EventBegan { unit, .. } if unit == who))?;
    let rest = entries.get(begun..)?;
    let took = rest.iter().find_map(|entry| {
        let What::EventEnded { unit, took, .. } = &entry.what else { return None };
        (unit == who).then_some((entry.at, took.as_millis()))
    })?;
    let is_tool = |entry: &&Entry| {
        entry.at <= took.0 && matches!(&entry.what, What::Tool { unit, .. } if unit == who)
    };
    Some((rest.iter().filter(is_tool).count(), took.1))
}
