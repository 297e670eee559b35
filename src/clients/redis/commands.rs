//! Commands of a Redis server.

use std::collections::BTreeMap;

use redis::FromRedisValue;
use redis::Value;

use crate::clients::redis::connection::Connection;
use crate::clients::redis::connection::Failure;

/// What `ROLE` and `INFO` tell of a Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisReport {
    /// `None` for a master; a replica's master and the state of the link (`connected`, `sync`, ..).
    pub replica_of: Option<(String, String)>,
    /// `run_id`.
    pub run_id: String,
    /// The hosts of the replicas that a master lists.
    pub replicas: Vec<String>,
    /// It holds a key, or is still reading its file.
    pub has_data: bool,
    /// A replica's `slave_priority`.
    pub priority: Option<u32>,
}

/// What a Redis tells of its data and of the settings that are changed while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisState {
    /// Whom it follows; `None` for a master.
    pub master: Option<Followed>,
    /// `loading`: it is still reading its file.
    pub is_loading: bool,
    /// `aof_enabled`.
    pub append_only: bool,
    /// The append-only file is being written anew, or is about to be: what is on the disk is older.
    pub is_rewriting: bool,
    /// `replica-priority`.
    pub priority: u32,
    /// `min-replicas-to-write`.
    pub min_replicas: u32,
    /// Which stream of writes its data are of, and how much of it.
    pub position: Position,
}

/// A place in a stream of writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// `master_replid`.
    pub replication_id: String,
    /// `master_replid2`, of a replica that became master: the id before.
    pub earlier_id: Option<String>,
    /// What is in the data: `slave_repl_offset`, and of a master `master_repl_offset`.
    pub offset: u64,
}

/// The master of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// `master_host`.
    pub host: String,
    /// How it is connected to it.
    pub link: Link,
}

/// A replica's link to its master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// `master_link_status` is `up`, and it has all data.
    Up,
    /// `master_sync_in_progress`: all data are on their way.
    Syncing,
    /// Neither.
    Down,
}

/// Asks a Redis for its role, run id and replicas.
pub fn report(connection: &mut Connection) -> Result<RedisReport, Failure> {
    let role: Vec<Value> = connection.ask(&redis::cmd("ROLE"))?;
    let replica_of = replica_of(&role)?;
    let info: String = connection.ask(redis::cmd("INFO").arg(REPORTED))?;
    Ok(RedisReport {
        replica_of,
        run_id: info_field(&info, "run_id").unwrap_or_default().to_owned(),
        replicas: listed_replicas(&info),
        has_data: is_set(&info, "loading") || info.lines().any(|line| line.starts_with("db")),
        priority: info_field(&info, "slave_priority").and_then(|value| value.parse().ok()),
    })
}

/// Asks a Redis for its state.
pub fn state(connection: &mut Connection) -> Result<RedisState, Failure> {
    let info: String = connection.ask(redis::cmd("INFO").arg(&["replication", "persistence"]))?;
    let settings: BTreeMap<String, String> = connection
        .ask(redis::cmd("CONFIG").arg("GET").arg(&["replica-priority", "min-replicas-to-write"]))?;
    let number = |name: &str| {
        settings.get(name).and_then(|value| value.parse().ok()).ok_or(Failure::NotRedis)
    };
    Ok(RedisState {
        master: info_field(&info, "master_host")
            .map(|host| Followed { host: host.to_owned(), link: link(&info) }),
        is_loading: is_set(&info, "loading"),
        append_only: is_set(&info, "aof_enabled"),
        is_rewriting: is_set(&info, "aof_rewrite_in_progress")
            || is_set(&info, "aof_rewrite_scheduled"),
        priority: number("replica-priority")?,
        min_replicas: number("min-replicas-to-write")?,
        position: position(&info),
    })
}

fn position(info: &str) -> Position {
    let text = |name: &str| info_field(info, name).map(str::to_owned);
    let offset = text("slave_repl_offset").or_else(|| text("master_repl_offset"));
    Position {
        replication_id: text("master_replid").unwrap_or_default(),
        earlier_id: text("master_replid2").filter(|id| id.bytes().any(|digit| digit != b'0')),
        offset: offset.and_then(|offset| offset.parse().ok()).unwrap_or_default(),
    }
}

fn link(info: &str) -> Link {
    if is_set(info, "master_sync_in_progress") {
        return Link::Syncing;
    }
    if info_field(info, "master_link_status") == Some("up") { Link::Up } else { Link::Down }
}

/// `CONFIG SET name value`.
pub fn configure(connection: &mut Connection, name: &str, value: &str) -> Result<(), Failure> {
    connection.ask(redis::cmd("CONFIG").arg("SET").arg(name).arg(value))
}

/// `REPLICAOF host port`.
pub fn follow(connection: &mut Connection, host: &str, port: u16) -> Result<(), Failure> {
    connection.ask(redis::cmd("REPLICAOF").arg(host).arg(port))
}

/// `run_id` of a Redis.
pub fn run_id(connection: &mut Connection) -> Result<String, Failure> {
    let info: String = connection.ask(redis::cmd("INFO").arg("server"))?;
    info_field(&info, "run_id").map(str::to_owned).ok_or(Failure::NotRedis)
}

/// `["master", offset, ..]`, `["slave", host, port, state, offset]`; a Sentinel's is neither.
fn replica_of(role: &[Value]) -> Result<Option<(String, String)>, Failure> {
    let text = |value: &Value| String::from_redis_value_ref(value).map_err(|_| Failure::NotRedis);
    match role {
        [kind, ..] if text(kind)? == "master" => Ok(None),
        [kind, host, _, state, ..] if text(kind)? == "slave" => {
            Ok(Some((text(host)?, text(state)?)))
        }
        _ => Err(Failure::NotRedis),
    }
}

fn is_set(info: &str, name: &str) -> bool {
    info_field(info, name) == Some("1")
}

fn info_field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

/// Lines such as `slave0:ip=redis-k8s-1.example,port=6379,state=online,offset=14,lag=0`.
fn listed_replicas(info: &str) -> Vec<String> {
    info.lines()
        .filter_map(|line| {
            let (number, fields) = line.strip_prefix("slave")?.split_once(':')?;
            number.parse::<u32>().ok()?;
            fields.split(',').find_map(|field| field.strip_prefix("ip=")).map(str::to_owned)
        })
        .collect()
}

/// The sections of INFO that a report is made of.
const REPORTED: &[&str] = &["server", "replication", "persistence", "keyspace"];
