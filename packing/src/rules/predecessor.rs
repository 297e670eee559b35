//! What the Python charm of the same name declares and a refresh from it needs unchanged.
//!
//! Juju refuses a refresh that drops the application's base, a storage or a related endpoint, or
//! that changes a storage; users refer to the rest by name.

use serde_yaml::Value;

use crate::place::Place;
use crate::place::Problems;
use crate::place::shown;
use crate::rules::manifest::Base;
use crate::rules::workload::fewest;

/// Compares the charm's files with what the earlier charm declares.
pub fn check(
    metadata: &Place<'_>,
    config: &Place<'_>,
    actions: &Place<'_>,
    bases: &[Base],
    problems: &mut Problems,
) {
    for (path, wanted) in METADATA {
        same(metadata, path, wanted, problems);
    }
    for (path, wanted) in CONFIG {
        same(config, path, wanted, problems);
    }
    storage(metadata, problems);
    mounts(metadata, problems);
    for name in ACTIONS {
        let Some(action) = actions.needed(name, problems) else { continue };
        if action.key("required").is_some() {
            action.wrong(problems, "needs a parameter, which the earlier charm's does not");
        }
    }
    if !bases.iter().any(|base| base.name == BASE.0 && base.release == BASE.1) {
        problems.add(format!(
            "manifest.yaml: no base {} {}, on which the earlier charm is deployed",
            BASE.0, BASE.1
        ));
    }
}

fn same(document: &Place<'_>, path: &str, wanted: &str, problems: &mut Problems) {
    let found = path.split('.').try_fold(document.clone(), |at, key| at.key(key));
    match found {
        None => document.wrong(problems, format!("no {path}, which the earlier charm has")),
        Some(at) => {
            let text = match at.value().as_str() {
                Some(text) => text.to_owned(),
                None => at.value().as_bool().map_or_else(|| shown(at.value()), |it| it.to_string()),
            };
            if text != wanted {
                at.wrong(problems, format!("is {text}; the earlier charm has {wanted}"));
            }
        }
    }
}

/// A storage may be added, but none that a unit must have; what is there may not change.
fn storage(metadata: &Place<'_>, problems: &mut Problems) {
    let Some(all) = metadata.key("storage") else { return };
    let Some(names) = all.value().as_mapping() else { return };
    for name in names.keys().filter_map(Value::as_str) {
        let Some(at) = all.key(name) else { continue };
        if name == "database" {
            for key in ["shared", "read-only", "multiple"] {
                if let Some(changed) = at.key(key) {
                    changed.wrong(problems, "is not in the earlier charm");
                }
            }
        } else {
            let least = at.key("multiple").and_then(|it| it.key("range")).map(|it| fewest(&it));
            if least != Some(Some(0)) {
                at.wrong(problems, "is not in the earlier charm, and each unit must have it");
            }
        }
    }
}

/// The database stays where it is in the container of Redis.
fn mounts(metadata: &Place<'_>, problems: &mut Problems) {
    let kept = metadata
        .value()
        .get("containers")
        .and_then(|it| it.get("redis")?.get("mounts")?.as_sequence())
        .is_some_and(|mounts| {
            mounts.iter().any(|mount| {
                mount.get("storage").and_then(Value::as_str) == Some("database")
                    && mount.get("location").and_then(Value::as_str) == Some(DATA)
            })
        });
    if !kept {
        metadata.wrong(
            problems,
            format!("container redis has no mount of database at {DATA}; the earlier charm has"),
        );
    }
}

/// The base that the earlier charm is deployed on.
const BASE: (&str, &str) = ("ubuntu", "22.04");

const DATA: &str = "/var/lib/redis";

const METADATA: &[(&str, &str)] = &[
    ("name", "redis-k8s"),
    ("containers.redis.resource", "redis-image"),
    ("containers.sentinel.resource", "redis-image"),
    ("storage.database.type", "filesystem"),
    ("storage.database.location", DATA),
    ("resources.redis-image.type", "oci-image"),
    ("resources.cert-file.type", "file"),
    ("resources.cert-file.filename", "redis.crt"),
    ("resources.key-file.type", "file"),
    ("resources.key-file.filename", "redis.key"),
    ("resources.ca-cert-file.type", "file"),
    ("resources.ca-cert-file.filename", "ca.crt"),
    ("peers.redis-peers.interface", "redis-peers"),
    ("provides.redis.interface", "redis"),
    ("provides.metrics-endpoint.interface", "prometheus_scrape"),
    ("provides.grafana-dashboard.interface", "grafana_dashboard"),
    ("requires.logging.interface", "loki_push_api"),
];

const CONFIG: &[(&str, &str)] =
    &[("options.enable-tls.type", "boolean"), ("options.enable-tls.default", "false")];

const ACTIONS: &[&str] = &["check-service", "get-initial-admin-password", "get-sentinel-password"];
