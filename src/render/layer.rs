//! The layers of the containers' Pebbles. There is no secret in them: every user of the container may
//! read a plan. Each entry replaces what was there: a merge makes lists longer at every call.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;

use crate::names::REDIS_PORT;
use crate::names::SENTINEL_PORT;
use crate::render::places;

/// The label of both containers' layer.
pub const LABEL: &str = "redis-k8s";

/// Names of services and of their checks.
pub const REDIS: &str = "redis";
/// Of the container `sentinel`.
pub const SENTINEL: &str = "sentinel";
/// The Python charm's name.
pub const EXPORTER: &str = "redis_exporter";

/// The layer of container `redis`: the keeper, which starts Redis, and the exporter.
pub fn redis() -> Value {
    json!({
        "summary": "Redis with its keeper",
        "services": {
            // As root: it starts Redis as another user, and before Juju 3.6.25 only root's notices
            // reach the charm.
            REDIS: {
                "override": "replace",
                "summary": "Redis, started and watched by its keeper",
                "command": places::KEEPER,
                "startup": "enabled",
                "kill-delay": KEEPER_KILL_DELAY,
                "on-success": "restart",
                "on-failure": "restart",
                "backoff-delay": KEEPER_BACKOFF,
                "backoff-limit": "5s",
                // The keeper has 5 MB: one arena, whatever the number of its threads.
                "environment": { "MALLOC_ARENA_MAX": "1" },
            },
            EXPORTER: {
                "override": "replace",
                "summary": "Redis' metrics for Prometheus",
                "command": "/bin/redis_exporter",
                "startup": "enabled",
                "user": places::USER,
                "group": places::USER,
                "on-failure": "restart",
                "environment": {
                    "REDIS_ADDR": EXPORTED,
                    "REDIS_PASSWORD_FILE": places::EXPORTER_PASSWORD,
                },
            },
        },
        "checks": { REDIS: readiness(REDIS_PORT) },
    })
}

/// The layer of container `sentinel`.
pub fn sentinel() -> Value {
    json!({
        "summary": "Redis Sentinel",
        "services": {
            SENTINEL: {
                "override": "replace",
                "summary": "Redis Sentinel",
                "command": places::SENTINEL_STARTER,
                "startup": "enabled",
                "user": places::USER,
                "group": places::USER,
                "on-success": "restart",
                "on-failure": "restart",
                "backoff-delay": "500ms",
                "backoff-limit": "5s",
            },
        },
        "checks": { SENTINEL: readiness(SENTINEL_PORT) },
    })
}

/// A layer's entries, as those of a plan are told: `services/redis/startup` and its value. What is said
/// of the layer itself is in no plan.
pub fn entries(layer: &Value) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    collect(layer, "", &mut entries);
    entries.retain(|path, _| path.contains('/'));
    entries
}

fn collect(value: &Value, path: &str, entries: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                collect(field, &path, entries);
            }
        }
        Value::String(text) => drop(entries.insert(path.to_owned(), text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            entries.insert(path.to_owned(), value.to_string());
        }
    }
}

/// The exporter's password file: `redis://host:port` and its password.
pub fn exporter_password(password: Option<&str>) -> String {
    json!({ EXPORTED: password.unwrap_or_default() }).to_string()
}

/// Never `alive`: Kubernetes would restart the container, in which a Redis may still hold data that
/// are nowhere else.
fn readiness(port: u16) -> Value {
    json!({
        "override": "replace",
        "level": "ready",
        "startup": "enabled",
        "period": "5s",
        "timeout": "1s",
        "threshold": 3,
        "tcp": { "port": port },
    })
}

const EXPORTED: &str = "redis://localhost:6379";

/// Once the pod is told to end Pebble starts nothing any more, and a Redis whose keeper was killed just
/// before would end with nobody to hand over to. So a killed keeper is back as soon as may be; one
/// that ends again and again waits twice as long each time.
const KEEPER_BACKOFF: &str = "10ms";

/// A pod has 30 s to end.
const KEEPER_KILL_DELAY: &str = "25s";
