//! The text of a redis.conf, as a test wants it. The bed plays the workload's part here: a charm that
//! runs its own workload writes its own file, and the two may differ.

use std::path::PathBuf;

use crate::redis::certificate;

/// What a Redis of the bed is configured with. It prints nothing by itself: it holds a password.
#[derive(Clone)]
pub struct RedisConfig {
    /// The name it announces to its master and to Sentinel.
    pub host: String,
    /// The port of clients, replication and Sentinel; with `tls` they all use TLS on it.
    pub port: u16,
    /// The folder of its data.
    pub directory: PathBuf,
    /// `requirepass` and `masterauth`; none means that AUTH is an error.
    pub password: Option<String>,
    /// The host it is a replica of; none makes it a master.
    pub replica_of: Option<String>,
    /// Whether it keeps an append-only file.
    pub append_only: bool,
    /// Whether it speaks TLS, with the bed's own certificate.
    pub tls: bool,
    /// Further lines, after all others.
    pub extra: Vec<String>,
}

impl RedisConfig {
    /// The text of the file.
    pub fn render(&self) -> String {
        let mut lines = vec![
            "bind 0.0.0.0".to_owned(),
            "protected-mode no".to_owned(),
            format!("dir \"{}\"", self.directory.display()),
            format!("replica-announce-ip {}", self.host),
            format!("appendonly {}", if self.append_only { "yes" } else { "no" }),
            "save \"\"".to_owned(),
            "repl-diskless-sync-delay 0".to_owned(),
        ];
        if self.tls {
            lines.extend(certificate::lines(self.port));
        } else {
            lines.push(format!("port {}", self.port));
        }
        if let Some(password) = &self.password {
            lines.push(format!("requirepass {}", quoted(password)));
            lines.push(format!("masterauth {}", quoted(password)));
        }
        if let Some(master) = &self.replica_of {
            lines.push(format!("replicaof {master} {}", self.port));
        }
        lines.extend(self.extra.iter().cloned());
        lines.join("\n") + "\n"
    }
}

/// A value in quotes as Redis reads them.
pub(crate) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
