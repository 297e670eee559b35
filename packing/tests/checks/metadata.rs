//! `metadata.yaml`, broken in each way that Juju refuses.

use crate::sample::METADATA;
use crate::sample::accepted;
use crate::sample::refused;
use crate::sample::replaced;

#[test]
fn names_and_texts() {
    let long = format!("summary: {}", "x".repeat(201));
    all_refused(&[
        ("", "", "metadata.yaml: is empty"),
        ("name: redis-k8s", "x: 1", "metadata.yaml: has no `name`"),
        ("name: redis-k8s", "name: Redis", "`Redis` is no name"),
        ("name: redis-k8s", "name: redis-8", "`redis-8` is no name"),
        ("name: redis-k8s", "name: redis--k8s", "`redis--k8s` is no name"),
        ("name: redis-k8s", "name: yes", "`yes` is a boolean to Juju, not a string"),
        ("summary: Redis.", "", "has no `summary`"),
        ("summary: Redis.", "summary: 7", "summary: is the number 7, not a string"),
        ("summary: Redis.", &long, "longer than 200 characters"),
        ("description: Redis with Sentinel.", "description:", "description: is empty"),
        ("https:", "http:", "website: is no https:// link"),
        ("website:", "tags: database\nwebsite:", "tags: is not a list"),
        ("website:", "charm-user: admin\nwebsite:", "`admin` is none of root, sudoer and non-root"),
        ("website:", "title: Redis\nwebsite:", "title: is no key that is known here"),
        ("website:", "summary: Twice.\nwebsite:", "duplicate"),
        ("website:", "on: 1\nwebsite:", "not a string to Juju"),
    ]);
    for user in ["root", "sudoer", "non-root"] {
        let to = format!("charm-user: {user}\nwebsite:");
        accepted(&replaced("metadata.yaml", "website:", &to));
    }
}

#[test]
fn the_old_format() {
    for key in ["series", "min-juju-version", "deployment"] {
        let to = format!("{key}: x\nwebsite:");
        let message = format!("metadata.yaml: {key}: belongs to the old format");
        refused(&replaced("metadata.yaml", "website:", &to), &message);
    }
}

#[test]
fn assumes() {
    all_refused(&[
        ("juju >= 3.6", "juju > 3.6", "`juju > 3.6` is no feature"),
        ("juju >= 3.6", "juju = 3.6", "`juju = 3.6` is no feature"),
        ("juju >= 3.6", "juju >= new", "has no version such as 3.6"),
        ("juju >= 3.6", "juju >=", "has no version such as 3.6"),
        ("juju >= 3.6", "docker", "`docker` is no feature"),
        ("juju >= 3.6", "juju: 3.6", "but not of one key, `any-of` or `all-of`"),
        ("juju >= 3.6", "3.6", "assumes.0: is the number 3.6"),
        ("any-of:", "one-of:", "but not of one key, `any-of` or `all-of`"),
        ("    - k8s-api", "    - banana", "assumes.1.any-of.0: `banana` is no feature"),
        ("any-of:\n    - k8s-api", "any-of: k8s-api", "assumes.1.any-of: is not a list"),
    ]);
    accepted(&replaced("metadata.yaml", "juju >= 3.6", "juju < 4.0.1"));
}

#[test]
fn containers() {
    let named = "sentinel:\n    resource: redis-image";
    all_refused(&[
        (named, "sentinel:\n    resource: other", "`other` is no resource of this charm"),
        (named, "sentinel:\n    resource: key-file", "`key-file` is no oci-image"),
        (named, "sentinel: {}", "containers.sentinel: has no `resource`"),
        (named, "sentinel:\n    resource: redis-image\n    uid: 1000", "1000 is refused"),
        (named, "sentinel:\n    resource: redis-image\n    gid: 9999", "9999 is refused"),
        (
            named,
            "sentinel:\n    resource: redis-image\n    uid: a",
            "is the string `a`, not a whole",
        ),
        ("- storage: database", "- storage: other", "`other` is no storage of this charm"),
        ("- storage: database", "- x: database", "mounts.0: has no `storage`"),
        ("        location: /var/lib/redis", "", "mounts.0: has no `location`"),
        (
            "        location: /var",
            "        location: var",
            "mounts.0.location: is no absolute path",
        ),
    ]);
    let other = "sentinel:\n    resource: redis-image\n    uid: 999\n    gid: 10000";
    accepted(&replaced("metadata.yaml", named, other));
}

#[test]
fn resources() {
    all_refused(&[
        ("{type: oci-image}", "{type: docker}", "neither file nor oci-image"),
        (", filename: ca.crt", "", "resources.ca-cert-file: is a file, and needs a `filename`"),
        ("ca.crt", "certs/ca.crt", "resources.ca-cert-file: is a file, and needs a `filename`"),
    ]);
}

#[test]
fn storage() {
    let kind = "type: filesystem";
    all_refused(&[
        (kind, "", "storage.database: has no `type`"),
        (kind, "type: tape", "neither filesystem nor block"),
        (kind, "type: block", "storage.database: is a block device, which has no location"),
        (kind, "type: filesystem\n    minimum-size: 1", "minimum-size: is the number 1"),
        (kind, "type: filesystem\n    minimum-size: big", "is no size such as 1G"),
        (kind, "type: filesystem\n    shared: 1", "shared: is the number 1, not a boolean"),
        (kind, "type: filesystem\n    multiple: {range: 0}", "is no range"),
        (kind, "type: filesystem\n    multiple: {range: 3-1}", "is no range"),
        (kind, "type: filesystem\n    multiple: {}", "multiple: has no `range`"),
    ]);
    accepted(&replaced("metadata.yaml", kind, "type: filesystem\n    minimum-size: 1.5G"));
}

#[test]
fn endpoints() {
    let peer = "redis-peers: {interface: redis-peers}";
    let redis = "redis: {interface: redis}";
    all_refused(&[
        (redis, "redis: {}", "provides.redis: has no `interface`"),
        (redis, "redis: {interface: 1}", "provides.redis.interface: is the number 1"),
        (redis, "redis: {interface: redis, scope: local}", "`local` is neither global nor"),
        (redis, "redis: {interface: redis, optional: no}", "optional: is the string `no`"),
        (redis, "redis: {interface: redis, limit: many}", "limit: is the string `many`"),
        (redis, "logging: {interface: redis}", "requires.logging: is the name of another endpoint"),
        (redis, "juju: {interface: redis}", "provides.juju: `juju` and names that start so"),
        (peer, "juju-peers: {interface: x}", "peers.juju-peers: `juju` and names that start so"),
        (peer, "redis-peers: {interface: juju-x}", "`juju-x` is an interface of Juju's own"),
        (redis, "redis: juju-info", "`juju-info` is an interface of Juju's own"),
    ]);
    let required = "requires:\n  info: juju-info";
    accepted(&replaced("metadata.yaml", "requires:", required));
}

#[track_caller]
fn all_refused(cases: &[(&str, &str, &str)]) {
    for (from, to, message) in cases {
        assert!(METADATA.contains(from), "{from:?}");
        refused(&replaced("metadata.yaml", from, to), message);
    }
}
