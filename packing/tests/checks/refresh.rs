//! What a refresh from the Python charm needs unchanged.

use crate::sample::accepted;
use crate::sample::refused;
use crate::sample::replaced;

#[test]
fn what_users_and_juju_refer_to_by_name_stays() {
    for (from, to, message) in [
        ("name: redis-k8s", "name: redis", "name: is redis; the earlier charm has redis-k8s"),
        ("sentinel:", "watcher:", "no containers.sentinel.resource"),
        ("key-file:", "private-key:", "no resources.key-file.type"),
        ("redis.crt", "tls.crt", "cert-file.filename: is tls.crt; the earlier charm has redis.crt"),
        ("redis-peers: {", "peers: {", "no peers.redis-peers.interface"),
        ("  redis: {interface: redis}", "", "no provides.redis.interface"),
        ("prometheus_scrape", "metrics", "is metrics; the earlier charm has prometheus_scrape"),
        ("grafana_dashboard", "board", "is board; the earlier charm has grafana_dashboard"),
        ("loki_push_api", "logs", "is logs; the earlier charm has loki_push_api"),
    ] {
        refused(&replaced("metadata.yaml", from, to), message);
    }
    refused(
        &replaced("config.yaml", "enable-tls", "tls"),
        "config.yaml: no options.enable-tls.type, which the earlier charm has",
    );
    refused(
        &replaced("config.yaml", "default: false", "default: true"),
        "is true; the earlier charm has false",
    );
}

#[test]
fn storage_stays_as_it_is() {
    let kind = "    type: filesystem";
    let shared = format!("{kind}\n    shared: true");
    let many = format!("{kind}\n    multiple: {{range: 0-}}");
    let block = "    type: block";
    for (from, to, message) in [
        (kind, block, "is block; the earlier charm has filesystem"),
        (
            "    location: /var/lib/redis\npeers",
            "    location: /data\npeers",
            "is /data; the earlier",
        ),
        ("location: /var/lib/redis\n  sentinel", "location: /data\n  sentinel", "has no mount"),
        ("  database:\n", "  data:\n", "no storage.database.type"),
        (kind, &shared, "database.shared: is not in the earlier charm"),
        (kind, &many, "database.multiple: is not in the earlier charm"),
        ("storage:\n", "storage:\n  logs: {type: filesystem}\n", "each unit must have it"),
    ] {
        refused(&replaced("metadata.yaml", from, to), message);
    }
    let optional = "storage:\n  logs: {type: filesystem, multiple: {range: 0-1}}\n";
    accepted(&replaced("metadata.yaml", "storage:\n", optional));
}

#[test]
fn actions_stay_and_need_no_parameter() {
    refused(
        &replaced("actions.yaml", "get-sentinel-password", "get-password"),
        "actions.yaml: has no `get-sentinel-password`",
    );
    refused(
        &replaced(
            "actions.yaml",
            "get-initial-admin-password: {}",
            "get-initial-admin-password: {params: {user: {}}, required: [user]}",
        ),
        "needs a parameter, which the earlier charm's does not",
    );
}

#[test]
fn the_base_stays() {
    refused(
        &replaced("manifest.yaml", "22.04", "24.04"),
        "manifest.yaml: no base ubuntu 22.04, on which the earlier charm is deployed",
    );
}
