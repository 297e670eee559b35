//! The search for leaked passwords: what the secrets are, all that was ever said where others may
//! read it, and which lines of that hold a secret.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use testbed::bed::Bed;
use testbed::juju::controller::Controller;
use testbed::transcript::lines_that_leak;

/// Every password there was: the pods' own, those in databags, and those that a hook handed to a
/// tool, also where its commit never came.
pub(crate) fn secrets_of(controller: &Controller, bed: Option<&Bed>) -> Vec<String> {
    let mut secrets = BTreeSet::new();
    if let Some(bed) = bed {
        let layout = bed.layout();
        secrets.extend([&layout.redis_password, &layout.sentinel_password].into_iter().flatten());
    }
    let mut bags: Vec<BTreeMap<String, String>> =
        controller.inputs().iter().filter_map(|input| serde_json::from_str(input).ok()).collect();
    controller.read(|model| {
        bags.extend(model.relations.iter().flat_map(|it| it.application_data.values()).cloned());
    });
    let held = bags.iter().flatten().filter(|(key, _)| PASSWORDS.contains(&key.as_str()));
    secrets.extend(held.map(|(_, value)| value).filter(|value| !value.is_empty()));
    secrets.into_iter().cloned().collect()
}

/// All that was said where others may read it: command lines of hook tools, log lines, statuses,
/// action results, output of hooks, what units keep in their state and tell in their databags; and
/// of the pods every command line and the servers' logs.
pub(crate) fn said(controller: &Controller, bed: Option<&Bed>) -> String {
    let mut said = vec![controller.transcript()];
    controller.read(|model| {
        for unit in model.applications.values().flat_map(|it| it.units.values()) {
            said.extend(unit.state.iter().map(|(key, value)| format!("state {key}: {value}")));
        }
        for member in model.relations.iter().flat_map(|it| it.units.values()) {
            said.extend(member.data.iter().map(|(key, value)| format!("unit bag {key}: {value}")));
        }
    });
    if let Some(bed) = bed {
        said.push(bed.argv_transcript());
        said.extend(bed.pods().iter().flat_map(|pod| [pod.redis_log(), pod.sentinel_log()]));
    }
    said.join("\n")
}

/// The lines that hold a secret, which is masked in them. It first proves that it would find each,
/// by planting it.
pub(crate) fn leaks(secrets: &[String], said: &str) -> Vec<String> {
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    for secret in &secrets {
        let planted = format!("{said}\nplanted {secret}!");
        let found = lines_that_leak(&planted, &secrets);
        assert!(found.iter().any(|line| line == "planted ***!"), "the search finds nothing");
    }
    lines_that_leak(said, &secrets)
}

/// The keys of the passwords in a databag.
pub(crate) const PASSWORDS: [&str; 2] = ["redis-password", "sentinel-password"];
