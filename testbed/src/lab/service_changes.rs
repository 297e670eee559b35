//! What becomes of the services of a model's Pebbles, written into its trace.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Lab;
use super::watcher::Watcher;
use crate::pebble::client::http::Client;
use crate::pod::CHARM;
use crate::pod::Pod;
use crate::trace::entry::What;

/// Watches every service of every Pebble in a lab's pods; dropped, it stops. What comes and goes between
/// two looks is not seen.
#[derive(Debug)]
pub struct ServiceChanges {
    _watcher: Watcher,
}

/// States of services by unit, container and service.
type States = BTreeMap<(String, String, String), String>;

impl ServiceChanges {
    /// Watches the services of a lab for as long as both last.
    pub fn follow(lab: &Arc<Lab>) -> Self {
        let mut known = States::new();
        Self {
            _watcher: Watcher::start(lab, PAUSE, move |lab| {
                let seen = states(lab);
                for change in changes(&known, &seen) {
                    lab.trace().push(change);
                }
                known = seen;
            }),
        }
    }
}

fn states(lab: &Lab) -> States {
    let mut states = States::new();
    for status in lab.pods() {
        let Ok(pod) = lab.pod(&status.unit) else { continue };
        for container in pod.containers().filter(|name| *name != CHARM) {
            for (service, state) in services(&pod, container) {
                states.insert((status.unit.clone(), container.to_owned(), service), state);
            }
        }
    }
    states
}

/// None where no Pebble answers.
fn services(pod: &Pod, container: &str) -> Vec<(String, String)> {
    if !pod.is_running(container) {
        return Vec::new();
    }
    let client = Client::new(&pod.pebble_socket(container)).with_patience(PATIENCE);
    let answer = client.get("/v1/services").map(|answer| answer.json());
    let Some(Value::Array(services)) = answer.ok().and_then(|answer| answer.get("result").cloned())
    else {
        return Vec::new();
    };
    let text = |service: &Value, key| service.get(key)?.as_str().map(str::to_owned);
    let state = |service: &Value| Some((text(service, "name")?, text(service, "current")?));
    services.iter().filter_map(state).collect()
}

/// A service that nobody has told of before is worth a word once it runs.
fn changes(known: &States, seen: &States) -> Vec<What> {
    let change = |(unit, container, service): &(String, String, String), change: &str| {
        let (unit, container, service) = (unit.clone(), container.clone(), service.clone());
        What::Service { unit, container, service, change: change.to_owned() }
    };
    let new = seen.iter().filter(|(key, state)| match known.get(*key) {
        Some(known) => known != *state,
        None => *state != "inactive",
    });
    let gone = known.iter().filter(|(key, state)| !seen.contains_key(*key) && *state != "inactive");
    let new = new.map(|(key, state)| change(key, state));
    new.chain(gone.map(|(key, _)| change(key, "gone"))).collect()
}

/// How long a change may go unseen.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a Pebble may take to answer; a frozen one must not hold the others up.
const PATIENCE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::States;
    use super::changes;
    use crate::trace::entry::What;

    #[test]
    fn what_has_changed_between_two_looks_is_told_once() {
        let states = |entries: &[(&str, &str)]| -> States {
            let key = |service: &str| ("app/0".to_owned(), "work".to_owned(), service.to_owned());
            entries.iter().map(|(service, state)| (key(service), (*state).to_owned())).collect()
        };
        let known = states(&[("same", "active"), ("worse", "active"), ("lost", "active")]);
        let seen = states(&[
            ("same", "active"),
            ("worse", "backoff"),
            ("new", "active"),
            ("idle", "inactive"),
        ]);
        let told = changes(&known, &seen).into_iter().filter_map(|what| {
            let What::Service { service, change, .. } = what else { return None };
            Some(format!("{service} {change}"))
        });
        assert_eq!(told.collect::<Vec<_>>(), ["new active", "worse backoff", "lost gone"]);
    }
}
