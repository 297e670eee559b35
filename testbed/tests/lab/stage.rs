//! What the tests of whole models have in common: the charm that records, and what it recorded.

use std::env;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use testbed::lab::Lab;
use testbed::lab::Options;

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Any error, shown as a reader wants it: with its causes, and line breaks as such.
pub(crate) struct Failure(String);

impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error: Box<dyn Error> = error.into();
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            text = format!("{text}: {source}");
            cause = source.source();
        }
        Self(text)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Long against what is waited for, on a machine that does much else.
pub(crate) const LIMIT: Duration = Duration::from_mins(2);

/// A model with Juju's own times, whose seed is printed: `LAB_SEED` sets it.
pub(crate) fn lab() -> Result<Lab> {
    lab_at(1.0)
}

/// A model whose periods pass that much faster.
pub(crate) fn lab_at(speed: f64) -> Result<Lab> {
    let mut options = Options { seed: 1, speed, ..Options::default() };
    if let Ok(text) = env::var("LAB_SEED") {
        options.seed = text.parse()?;
    }
    // Past the test runner's capture: it has to be seen when a test hangs, too.
    writeln!(io::stderr(), "seed of the lab: {}", options.seed)?;
    Ok(Lab::start_with(options)?)
}

/// The charms of these tests.
pub(crate) fn charms() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/charms")
}

/// The charm that records its events in the storage `records`, and is active.
pub(crate) fn recorder() -> PathBuf {
    charms().join("recorder")
}

/// A later revision of it.
pub(crate) fn recorder_of(revision: u32) -> Result<TempDir> {
    let folder = TempDir::new()?;
    for entry in fs::read_dir(recorder())? {
        let entry = entry?;
        fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
    }
    fs::write(folder.path().join("version"), revision.to_string())?;
    Ok(folder)
}

/// A line for each event of a unit since its volume is there: revision, event, what it is about.
pub(crate) fn records(lab: &Lab, unit: &str) -> Vec<String> {
    let file = lab.volume(unit, "records").folder().join("events");
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The names of a unit's events.
pub(crate) fn events(lab: &Lab, unit: &str) -> Vec<String> {
    let records = records(lab, unit);
    let names = records.iter().filter_map(|line| line.split(' ').nth(1));
    names.map(str::to_owned).collect()
}

/// Waits until a unit has recorded these events after the first `from`, in this order, others between.
pub(crate) fn wait_for_events(lab: &Lab, unit: &str, from: usize, wanted: &[&str]) -> Result {
    lab.wait_until(&format!("{unit} has run {wanted:?}"), LIMIT, |lab| {
        let events = events(lab, unit);
        let mut later = events.iter().skip(from);
        wanted.iter().all(|name| later.any(|event| event == name)).then_some(())
    })?;
    Ok(())
}

/// What a shell's text prints in a container.
pub(crate) fn shell(lab: &Lab, unit: &str, container: &str, text: &str) -> Result<String> {
    let output = lab.shell(unit, container, text)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Has a service in the workload of a unit, added and started as a charm does it.
pub(crate) fn serve(lab: &Lab, unit: &str, command: &str, kill_delay: &str) -> Result {
    let client = lab.pod(unit)?.wait_for_pebble("work", LIMIT)?;
    let service = json!({
        "override": "replace", "command": command, "startup": "enabled", "kill-delay": kill_delay,
    });
    let layer = json!({
        "action": "add", "combine": true, "label": "it", "format": "yaml",
        "layer": json!({"services": {"it": service}}).to_string(),
    });
    assert_eq!(client.post("/v1/layers", &layer)?.status, 200);
    assert_eq!(client.post("/v1/services", &json!({"action": "replan"}))?.status, 202);
    Ok(())
}
