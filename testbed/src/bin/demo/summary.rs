//! The last lines: what was seen, in a few figures, and the search for passwords.

use std::time::Duration;

use crate::Outcome;
use crate::paint::Paint;
use crate::screen::Screen;
use crate::stage::Stage;
use crate::stage::count;
use crate::stage::ensure;

/// What the steps found out.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// From the kill of the pod until all Sentinels named another master.
    pub(crate) failed_over_in: Duration,
    /// What the hooks that forgot a unit took together.
    pub(crate) forgot_in: Duration,
    /// How many RESETs there were in all.
    pub(crate) resets: usize,
}

/// Tells it; fails if a password was seen anywhere.
pub(crate) fn tell(
    screen: &mut Screen,
    stage: &Stage,
    findings: &Findings,
    took: Duration,
) -> Outcome<()> {
    screen.rule("Summary");
    let mut figures = Vec::new();
    let mut runs = stage.hooks.iter();
    if let Some((_, _, run)) = runs.next() {
        figures.push((
            "election",
            format!(
                "the first one: {} hook tools, {} relation-set, {} ms",
                run.calls.len(),
                count(run, "relation-set"),
                run.elapsed.as_millis()
            ),
        ));
    }
    figures.push((
        "failover",
        format!(
            "{:.1} s from the kill until every Sentinel named unit 1",
            findings.failed_over_in.as_secs_f64()
        ),
    ));
    if let Some((name, unit, run)) = runs.find(|(name, _, _)| name == "leader-elected") {
        figures.push((
            "record",
            format!(
                "follows with {name} on redis-k8s/{unit}: {} hook tools, {} ms",
                run.calls.len(),
                run.elapsed.as_millis()
            ),
        ));
    }
    figures.push((
        "forgetting",
        format!(
            "{:.1} s, {} RESETs, one Sentinel at a time; no other RESET",
            findings.forgot_in.as_secs_f64(),
            findings.resets
        ),
    ));
    let longest = stage.hooks.iter().max_by_key(|(_, _, run)| run.elapsed);
    if let Some((name, unit, run)) = longest {
        let seconds = run.elapsed.as_secs_f64();
        figures.push((
            "hooks",
            format!(
                "{}, all ended with 0; the longest {seconds:.1} s of 20 ({name} on redis-k8s/{unit})",
                stage.hooks.len()
            ),
        ));
    }
    let said = stage.said() + "\n" + screen.printed();
    let leaks = stage.leaks(&said)?;
    figures.push((
        "passwords",
        format!("{} in {} lines of argv, logs and statuses", leaks.len(), said.lines().count()),
    ));
    for (what, figure) in figures {
        screen.row(what, Paint::Plain, &figure);
    }
    ensure(leaks.is_empty(), &format!("a password was shown:\n{}", leaks.join("\n")))?;
    let steps = screen.steps();
    let whole =
        format!("all {steps} steps came out as they should, in {:.0} s", took.as_secs_f64());
    screen.done(&whole);
    Ok(())
}
