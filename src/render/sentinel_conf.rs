//! The text of sentinel.conf, and what is left of one that Sentinel has rewritten when units have
//! gone. It holds passwords: nothing of it belongs into a log or an argument.

use std::collections::BTreeSet;

use crate::names::Naming;
use crate::names::REDIS_PORT;
use crate::names::SENTINEL_PORT;
use crate::names::UnitName;
use crate::render::places;
use crate::render::quoting::quoted;
use crate::world::cluster::FAILOVER_TIMEOUT;
use crate::world::election::majority;
use crate::world::password::Password;

/// What a Sentinel is started with the first time. It knows every planned unit from the beginning: a
/// bare file knows nobody while the master is dead, and then nobody is ever promoted.
#[derive(Clone, Debug)]
pub struct SentinelConf {
    /// How the units are called.
    pub naming: Naming,
    /// This unit.
    pub unit: u32,
    /// The units that are to stay.
    pub planned: BTreeSet<u32>,
    /// The host of the voted master.
    pub master: String,
    /// The config-epoch of the vote.
    pub epoch: u64,
    /// Redis' password.
    pub redis_password: Option<Password>,
    /// The Sentinels' password.
    pub sentinel_password: Option<Password>,
}

impl SentinelConf {
    /// The text of the file.
    pub fn render(&self) -> String {
        let group = &self.naming.application;
        let host = |unit: u32| quoted(&self.naming.host(unit));
        let quorum = majority(self.planned.len());
        let mut lines = vec![
            "bind * -::*".to_owned(),
            "protected-mode no".to_owned(),
            format!("port {SENTINEL_PORT}"),
            "daemonize no".to_owned(),
            format!("dir {}", quoted(places::SENTINEL_FOLDER)),
            // To standard output, which Pebble keeps.
            "logfile \"\"".to_owned(),
            format!("sentinel myid {}", sentinel_id(&self.naming.unit(self.unit))),
            "sentinel resolve-hostnames yes".to_owned(),
            "sentinel announce-hostnames yes".to_owned(),
            format!("sentinel announce-ip {}", host(self.unit)),
            format!("sentinel announce-port {SENTINEL_PORT}"),
        ];
        if let Some(password) = &self.sentinel_password {
            let password = quoted(password.reveal());
            lines.push(format!("requirepass {password}"));
            // Said apart, so that the one can be changed before the other.
            lines.push(format!("sentinel sentinel-pass {password}"));
        }
        lines.extend([
            format!("sentinel monitor {group} {} {REDIS_PORT} {quorum}", quoted(&self.master)),
            format!("sentinel down-after-milliseconds {group} {DOWN_AFTER}"),
            format!("sentinel failover-timeout {group} {FAILOVER_TIMEOUT}"),
            format!("sentinel config-epoch {group} {}", self.epoch),
            format!("sentinel current-epoch {}", self.epoch),
        ]);
        if let Some(password) = &self.redis_password {
            lines.push(format!("sentinel auth-pass {group} {}", quoted(password.reveal())));
        }
        for unit in &self.planned {
            if self.naming.host(*unit) != self.master {
                lines.push(format!("sentinel known-replica {group} {} {REDIS_PORT}", host(*unit)));
            }
            if *unit != self.unit {
                let id = sentinel_id(&self.naming.unit(*unit));
                let host = host(*unit);
                lines.push(format!("sentinel known-sentinel {group} {host} {SENTINEL_PORT} {id}"));
            }
        }
        lines.join("\n") + "\n"
    }
}

/// `myid` of a unit's Sentinel: 40 hex digits that stay the same for ever. With it a Sentinel on a new
/// volume is to the others the one that they know.
///
/// The unit's number stands in it as it is, so that no two units of an application have the same.
pub fn sentinel_id(unit: &UnitName) -> String {
    let application = &unit.application;
    format!("{:016x}{:016x}{:08x}", fnv(application, 0), fnv(application, 1), unit.number)
}

/// Whether a file is that of this unit's Sentinel, which watches the master of its application.
pub fn is_file_of(file: &str, unit: &UnitName) -> bool {
    let (id, group) = (sentinel_id(unit), unit.application.as_str());
    let has = |wanted: &[&str]| {
        file.lines().any(|line| {
            let words: Vec<_> = line.split_ascii_whitespace().take(wanted.len()).collect();
            words == wanted
        })
    };
    has(&["sentinel", "myid", &id]) && has(&["sentinel", "monitor", group])
}

/// The master that a file names, and the config-epoch at which.
pub fn vote_in(file: &str) -> Option<(&str, u64)> {
    let (mut host, mut epoch) = (None, None);
    for line in file.lines() {
        match line.split_ascii_whitespace().collect::<Vec<_>>().as_slice() {
            ["sentinel", "monitor", _, named, ..] => host = Some(named.trim_matches('"')),
            ["sentinel", "config-epoch", _, number] => epoch = number.parse().ok(),
            _ => {}
        }
    }
    Some((host?, epoch?))
}

/// The list of those who may stay in Sentinel's file: one host a line.
pub fn members(hosts: &BTreeSet<String>) -> String {
    lines(hosts.iter().map(String::as_str))
}

/// A rewritten file without the replicas and Sentinels that are no members; `None` when there is
/// nothing to be taken out. A list without anybody takes nobody out: it is no list.
pub fn pruned(file: &str, members: &str) -> Option<String> {
    let members: BTreeSet<&str> =
        members.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_gone = |line: &&str| {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["sentinel", "known-replica" | "known-slave" | "known-sentinel", _, host, ..] => {
                !members.contains(host.trim_matches('"'))
            }
            _ => false,
        }
    };
    if members.is_empty() || !file.lines().any(|line| is_gone(&line)) {
        return None;
    }
    Some(lines(file.lines().filter(|line| !is_gone(line))))
}

fn lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// FNV-1a with a seed (64 bits). It is no secret and need not withstand anybody.
fn fnv(text: &str, seed: u64) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// How long a Redis may be silent before Sentinel calls it down, in ms. Three seconds or less, and
/// Sentinels that froze for a moment may never fail over again.
const DOWN_AFTER: u32 = 5_000;
