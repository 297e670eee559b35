//! From what a server reports to the facts that the rules look at.

use std::collections::BTreeMap;

use crate::clients::redis::commands::RedisReport;
use crate::clients::redis::connection::Failure;
use crate::clients::redis::sentinel::SentinelReport;
use crate::world::cluster::Entry;
use crate::world::cluster::RedisView;
use crate::world::cluster::Role;
use crate::world::cluster::SentinelView;
use crate::world::cluster::Silence;

/// A Redis' report as facts.
pub fn redis(report: RedisReport) -> RedisView {
    let role = match report.replica_of {
        None => Role::Master,
        Some((of, state)) => Role::Replica { of, link_up: state == "connected" },
    };
    RedisView {
        role,
        run_id: report.run_id,
        replicas: report.replicas,
        has_data: report.has_data,
        priority: report.priority,
        offset: report.offset,
    }
}

/// A Sentinel's report as facts; a number that cannot be read makes it unusable.
pub fn sentinel(report: SentinelReport) -> Result<SentinelView, Failure> {
    let master = &report.master;
    Ok(SentinelView {
        my_id: report.my_id,
        master: field(master, "ip")?.to_owned(),
        vote: report.address,
        epoch: number(master, "config-epoch")?,
        quorum: number(master, "quorum")?,
        master_down: is_down(master)?,
        leads_failover: has_flag(master, "failover_in_progress")?,
        replicas: report.replicas.iter().map(entry).collect::<Result<_, _>>()?,
        sentinels: report.sentinels.iter().map(entry).collect::<Result<_, _>>()?,
        info_period: report.info_period,
        master_silence: number(master, "last-ok-ping-reply")?,
        down_after: number(master, "down-after-milliseconds")?,
    })
}

/// A failure of the client as a fact.
pub fn silence(failure: Failure) -> Silence {
    match failure {
        Failure::Refused => Silence::Refused,
        Failure::TimedOut => Silence::TimedOut,
        Failure::WrongPassword => Silence::WrongPassword,
        Failure::PasswordWanted => Silence::PasswordWanted,
        Failure::NoPassword => Silence::NoPassword,
        Failure::Tls => Silence::Tls,
        Failure::NotRedis => Silence::NotRedis,
        Failure::Cut => Silence::Cut,
        Failure::TooLong => Silence::TooLong,
        Failure::Error(text) => Silence::Error(text),
    }
}

fn entry(fields: &BTreeMap<String, String>) -> Result<Entry, Failure> {
    Ok(Entry {
        host: field(fields, "ip")?.to_owned(),
        port: number(fields, "port")?,
        run_id: field(fields, "runid")?.to_owned(),
        down: is_down(fields)?,
        eligible: is_eligible(fields)?,
    })
}

fn is_down(fields: &BTreeMap<String, String>) -> Result<bool, Failure> {
    Ok(has_flag(fields, "s_down")? || has_flag(fields, "o_down")?)
}

/// An entry of another Sentinel has no priority.
fn is_eligible(fields: &BTreeMap<String, String>) -> Result<bool, Failure> {
    let is_away = is_down(fields)? || has_flag(fields, "disconnected")?;
    Ok(!is_away && fields.get("slave-priority").is_some_and(|priority| priority != "0"))
}

fn has_flag(fields: &BTreeMap<String, String>, name: &str) -> Result<bool, Failure> {
    Ok(field(fields, "flags")?.split(',').any(|flag| flag == name))
}

fn field<'a>(fields: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, Failure> {
    fields.get(name).map(String::as_str).ok_or(Failure::NotRedis)
}

fn number<T: std::str::FromStr>(
    fields: &BTreeMap<String, String>,
    name: &str,
) -> Result<T, Failure> {
    field(fields, name)?.parse().map_err(|_| Failure::NotRedis)
}
