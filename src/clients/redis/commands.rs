//! Commands of a Redis server.

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
}

/// Asks a Redis for its role, run id and replicas.
pub fn report(connection: &mut Connection) -> Result<RedisReport, Failure> {
    let role: Vec<Value> = connection.ask(&redis::cmd("ROLE"))?;
    let replica_of = replica_of(&role)?;
    let info: String = connection.ask(redis::cmd("INFO").arg("server").arg("replication"))?;
    Ok(RedisReport {
        replica_of,
        run_id: info_field(&info, "run_id").unwrap_or_default().to_owned(),
        replicas: listed_replicas(&info),
    })
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
