//! A good charm made on the fly, to be broken in one place.

use packing::charm;
use packing::charm::Charm;
use packing::charm::Member;
use packing::charm::PLAIN_FILE;
use packing::charm::PROGRAM;
use packing::check::check;

pub(crate) const MANIFEST: &str = r#"
bases:
  - name: ubuntu
    channel: "22.04"
    architectures: [amd64]
"#;

pub(crate) const METADATA: &str = r"
name: redis-k8s
summary: Redis.
description: Redis with Sentinel.
website: https://example.com
assumes:
  - juju >= 3.6
  - any-of:
    - k8s-api
containers:
  redis:
    resource: redis-image
    mounts:
      - storage: database
        location: /var/lib/redis
  sentinel:
    resource: redis-image
resources:
  redis-image: {type: oci-image}
  cert-file: {type: file, filename: redis.crt}
  key-file: {type: file, filename: redis.key}
  ca-cert-file: {type: file, filename: ca.crt}
storage:
  database:
    type: filesystem
    location: /var/lib/redis
peers:
  redis-peers: {interface: redis-peers}
provides:
  redis: {interface: redis}
  metrics-endpoint: {interface: prometheus_scrape}
  grafana-dashboard: {interface: grafana_dashboard}
requires:
  logging: {interface: loki_push_api, optional: true, scope: global, limit: 1}
";

pub(crate) const CONFIG: &str = r"
options:
  enable-tls: {type: boolean, default: false}
";

pub(crate) const ACTIONS: &str = r"
check-service:
  description: Tell whether Redis answers.
get-initial-admin-password: {}
get-sentinel-password:
";

/// A charm that every check accepts.
pub(crate) fn good() -> Charm {
    let plain = |name: &str, text: &str| Member {
        name: name.to_owned(),
        mode: Some(PLAIN_FILE),
        content: text.as_bytes().to_vec(),
    };
    let dispatch =
        Member { name: "dispatch".to_owned(), mode: Some(PROGRAM), content: elf(AMD64, false) };
    let members = vec![
        dispatch,
        plain("manifest.yaml", MANIFEST),
        plain("metadata.yaml", METADATA),
        plain("config.yaml", CONFIG),
        plain("actions.yaml", ACTIONS),
        plain("LICENSE", "Apache-2.0"),
    ];
    packed(&members)
}

/// The members written to a charm file and read back.
pub(crate) fn packed(members: &[Member]) -> Charm {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redis-k8s_amd64.charm");
    charm::write(&path, members).unwrap();
    Charm::read(&path).unwrap()
}

/// The good charm with one member changed.
pub(crate) fn with(name: &str, change: impl FnOnce(&mut Member)) -> Charm {
    let mut members = good().members;
    change(members.iter_mut().find(|member| member.name == name).unwrap());
    packed(&members)
}

/// The good charm with a text of one file replaced. An empty `from` replaces the whole file.
pub(crate) fn replaced(name: &str, from: &str, to: &str) -> Charm {
    with(name, |member| {
        let text = String::from_utf8(member.content.clone()).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        let text = if from.is_empty() { to.to_owned() } else { text.replacen(from, to, 1) };
        member.content = text.into_bytes();
    })
}

/// Asserts that a charm is refused, and that one of the messages holds this text.
#[track_caller]
pub(crate) fn refused(charm: &Charm, message: &str) {
    let report = check(charm);
    let problems = report.problems.all();
    assert!(
        problems.iter().any(|problem| problem.contains(message)),
        "no message with {message:?} in {problems:#?}"
    );
}

/// Asserts that a charm is accepted.
#[track_caller]
pub(crate) fn accepted(charm: &Charm) {
    let report = check(charm);
    assert!(report.problems.all().is_empty(), "{:#?}", report.problems.all());
}

pub(crate) const AMD64: u16 = 62;
pub(crate) const ARM64: u16 = 183;

/// The headers of an ELF program of 64 bits, static or with an interpreter.
pub(crate) fn elf(machine: u16, interpreter: bool) -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend(3_u16.to_le_bytes()); // a position-independent program
    file.extend(machine.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file.extend(0_u64.to_le_bytes()); // entry
    file.extend(64_u64.to_le_bytes()); // program headers
    file.extend(0_u64.to_le_bytes()); // no section headers
    file.extend(0_u32.to_le_bytes());
    for number in [64_u16, 56, u16::from(interpreter), 64, 0, 0] {
        file.extend(number.to_le_bytes());
    }
    if interpreter {
        file.extend(3_u32.to_le_bytes()); // PT_INTERP
        file.extend(4_u32.to_le_bytes());
        for number in [120_u64, 0, 0, 8, 8, 1] {
            file.extend(number.to_le_bytes());
        }
        file.extend(b"/lib/ld\0");
    }
    file
}
