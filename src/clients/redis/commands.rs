//! Commands of a Redis server.

use std::collections::BTreeMap;
use std::time::Duration;

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
    /// How much of the replication stream it has; 0 without a link.
    pub offset: u64,
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
    /// A master's replicas.
    pub replicas: Replicas,
    /// Which stream of writes its data are of, and how much of it.
    pub position: Position,
}

/// How many replicas a master has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replicas {
    /// In sync (`state=online`).
    pub online: usize,
    /// Those that it sends all data to, or is about to.
    pub syncing: usize,
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
        offset: offset(&role),
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
        replicas: replicas(&info),
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

/// `CLIENT PAUSE <ms> WRITE`: clients' writes wait, until the time is over or `take_writes`.
pub fn hold_writes(connection: &mut Connection, time: Duration) -> Result<(), Failure> {
    let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    connection.ask(redis::cmd("CLIENT").arg("PAUSE").arg(time).arg("WRITE"))
}

/// `CLIENT UNPAUSE`.
pub fn take_writes(connection: &mut Connection) -> Result<(), Failure> {
    connection.ask(redis::cmd("CLIENT").arg("UNPAUSE"))
}

/// `SHUTDOWN SAVE`: it syncs its append-only file, writes a dump and ends. One that cannot write it
/// goes on, and says so; one that ends gives no answer. False where it has not ended in time.
pub fn end_with_dump(connection: &mut Connection) -> Result<bool, Failure> {
    match connection.ask::<()>(redis::cmd("SHUTDOWN").arg("SAVE")) {
        Ok(()) | Err(Failure::Cut) => Ok(true),
        Err(Failure::TimedOut) => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// How long a dump takes: as long as the last one did, in whole seconds; before there was one, what
/// it takes to write the memory that is used.
pub fn time_of_dump(connection: &mut Connection) -> Result<Duration, Failure> {
    let info: String = connection.ask(redis::cmd("INFO").arg(&["persistence", "memory"]))?;
    let number = |name| info_field(&info, name).and_then(|value| value.parse::<u64>().ok());
    let last = number("rdb_last_bgsave_time_sec").map(|seconds| Duration::from_secs(seconds + 1));
    let memory = number("used_memory").ok_or(Failure::NotRedis)?;
    Ok(last.unwrap_or(Duration::from_secs(1 + memory / DUMPED_IN_A_SECOND)))
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

/// The offset stands behind the kind of a master, and at the end of a replica's, where -1 means that
/// there is no link.
fn offset(role: &[Value]) -> u64 {
    let told = if role.len() < 5 { role.get(1) } else { role.get(4) };
    let offset = told.and_then(|value| i64::from_redis_value_ref(value).ok());
    offset.and_then(|offset| offset.try_into().ok()).unwrap_or(0)
}

fn is_set(info: &str, name: &str) -> bool {
    info_field(info, name) == Some("1")
}

fn info_field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn listed_replicas(info: &str) -> Vec<String> {
    replica_fields(info, "ip=").map(str::to_owned).collect()
}

fn replicas(info: &str) -> Replicas {
    let online = replica_fields(info, "state=").filter(|state| *state == "online").count();
    Replicas { online, syncing: replica_fields(info, "state=").count() - online }
}

/// A field of lines such as `slave0:ip=redis-k8s-1.example,port=6379,state=online,offset=14,lag=0`.
fn replica_fields<'a>(info: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    info.lines().filter_map(move |line| {
        let (number, fields) = line.strip_prefix("slave")?.split_once(':')?;
        number.parse::<u32>().ok()?;
        fields.split(',').find_map(|field| field.strip_prefix(name))
    })
}

/// The sections of INFO that a report is made of.
const REPORTED: &[&str] = &["server", "replication", "persistence", "keyspace"];

/// In bytes of memory, on a slow disk.
const DUMPED_IN_A_SECOND: u64 = 32 << 20;
