//! The text of a sentinel.conf, as a test wants it: any master, any epoch, any peers, so that also the
//! file of an old volume or of a careless charm can be made.

use std::path::PathBuf;
use std::time::Duration;

use crate::redis::certificate;
use crate::redis::redis_config::quoted;

/// What a Sentinel of the bed is configured with. It prints nothing by itself: it holds passwords.
#[derive(Clone)]
pub struct SentinelConfig {
    /// The name of the master's group: the application's.
    pub application: String,
    /// The name it announces to the other Sentinels.
    pub host: String,
    /// Its port; with `tls` it uses TLS on it.
    pub port: u16,
    /// The folder it works in.
    pub directory: PathBuf,
    /// The master's host.
    pub master: String,
    /// The port of the master and of all replicas.
    pub redis_port: u16,
    /// How many Sentinels have to miss a master.
    pub quorum: u32,
    /// `down-after-milliseconds`.
    pub down_after: Duration,
    /// `failover-timeout`.
    pub failover_timeout: Duration,
    /// Both epochs of the file; 0 is a file that saw no failover.
    pub config_epoch: u64,
    /// `auth-pass`, for Redis.
    pub redis_password: Option<String>,
    /// `requirepass` and `sentinel-pass`, for Sentinels.
    pub sentinel_password: Option<String>,
    /// `myid`; none lets Sentinel draw one.
    pub id: Option<String>,
    /// The hosts of the known replicas.
    pub replicas: Vec<String>,
    /// The hosts and ids of the other known Sentinels.
    pub sentinels: Vec<(String, String)>,
    /// Whether it speaks TLS, with the bed's own certificate.
    pub tls: bool,
    /// Further lines, after all others.
    pub extra: Vec<String>,
}

impl SentinelConfig {
    /// The text of the file.
    pub fn render(&self) -> String {
        let Self { application, host, port, redis_port, master, quorum, config_epoch, .. } = self;
        let mut lines = vec![
            "bind 0.0.0.0".to_owned(),
            "protected-mode no".to_owned(),
            format!("dir \"{}\"", self.directory.display()),
        ];
        if self.tls {
            lines.extend(certificate::lines(*port));
        } else {
            lines.push(format!("port {port}"));
        }
        if let Some(password) = &self.sentinel_password {
            lines.push(format!("requirepass {}", quoted(password)));
            lines.push(format!("sentinel sentinel-pass {}", quoted(password)));
        }
        lines.extend(self.id.iter().map(|id| format!("sentinel myid {id}")));
        lines.extend([
            "sentinel resolve-hostnames yes".to_owned(),
            "sentinel announce-hostnames yes".to_owned(),
            format!("sentinel announce-ip {host}"),
            format!("sentinel announce-port {port}"),
            format!("sentinel current-epoch {config_epoch}"),
            format!("sentinel monitor {application} {master} {redis_port} {quorum}"),
            format!(
                "sentinel down-after-milliseconds {application} {}",
                self.down_after.as_millis()
            ),
            format!(
                "sentinel failover-timeout {application} {}",
                self.failover_timeout.as_millis()
            ),
            format!("sentinel config-epoch {application} {config_epoch}"),
        ]);
        if let Some(password) = &self.redis_password {
            lines.push(format!("sentinel auth-pass {application} {}", quoted(password)));
        }
        for replica in &self.replicas {
            lines.push(format!("sentinel known-replica {application} {replica} {redis_port}"));
        }
        for (sentinel, id) in &self.sentinels {
            lines.push(format!("sentinel known-sentinel {application} {sentinel} {port} {id}"));
        }
        lines.extend(self.extra.iter().cloned());
        lines.join("\n") + "\n"
    }
}

/// The id that the bed gives the Sentinel of a unit: 40 hexadecimal digits made of the unit's name.
pub fn id_of(unit: &str) -> String {
    let hash = |seed: u64| {
        // FNV-1a.
        unit.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    };
    format!("{:016x}{:016x}{:08x}", hash(1), hash(2), hash(3) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_stable_and_of_forty_digits() {
        assert_eq!(id_of("redis-k8s/0").len(), 40);
        assert_eq!(id_of("redis-k8s/0"), id_of("redis-k8s/0"));
        assert_ne!(id_of("redis-k8s/0"), id_of("redis-k8s/1"));
    }
}
