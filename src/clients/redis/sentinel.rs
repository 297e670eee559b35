//! Commands of a Sentinel (Redis 7.0: `SENTINEL HELP`).

use std::collections::BTreeMap;

use crate::clients::redis::connection::Connection;
use crate::clients::redis::connection::Failure;

/// What a Sentinel tells of one master. Every value is text, also the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentinelReport {
    /// `SENTINEL MYID`.
    pub my_id: String,
    /// `SENTINEL MASTER`: field and value.
    pub master: BTreeMap<String, String>,
    /// `SENTINEL GET-MASTER-ADDR-BY-NAME`: host.
    pub address: String,
    /// `SENTINEL REPLICAS`.
    pub replicas: Vec<BTreeMap<String, String>>,
    /// `SENTINEL SENTINELS`.
    pub sentinels: Vec<BTreeMap<String, String>>,
    /// `info-period` of `SENTINEL DEBUG`, in ms.
    pub info_period: Option<u64>,
}

/// Asks for all that a Sentinel tells of a master; `None` when it watches none of that name.
pub fn report(
    connection: &mut Connection,
    master: &str,
) -> Result<Option<SentinelReport>, Failure> {
    let address: Option<(String, u16)> =
        connection.ask(&sentinel("GET-MASTER-ADDR-BY-NAME", &[master]))?;
    let Some((address, _)) = address else { return Ok(None) };
    Ok(Some(SentinelReport {
        my_id: my_id(connection)?,
        master: connection.ask(&sentinel("MASTER", &[master]))?,
        address,
        replicas: connection.ask(&sentinel("REPLICAS", &[master]))?,
        sentinels: connection.ask(&sentinel("SENTINELS", &[master]))?,
        info_period: info_period(connection)?,
    }))
}

/// `SENTINEL MYID`: 40 hex digits.
pub fn my_id(connection: &mut Connection) -> Result<String, Failure> {
    connection.ask(&sentinel("MYID", &[]))
}

/// `SENTINEL SET <master> quorum N`.
pub fn set_quorum(connection: &mut Connection, master: &str, quorum: usize) -> Result<(), Failure> {
    connection.ask(&sentinel("SET", &[master, "quorum", &quorum.to_string()]))
}

/// `SENTINEL DEBUG info-period MS`: how often it asks servers for INFO; of all masters, until the
/// process ends.
pub fn set_info_period(connection: &mut Connection, period: u64) -> Result<(), Failure> {
    connection.ask(&sentinel("DEBUG", &["info-period", &period.to_string()]))
}

/// `SENTINEL RESET <master>`: forgets its replicas and its other Sentinels, at once.
pub fn reset(connection: &mut Connection, master: &str) -> Result<(), Failure> {
    connection.ask(&sentinel("RESET", &[master]))
}

/// `PING`.
pub fn ping(connection: &mut Connection) -> Result<(), Failure> {
    connection.ask(&redis::cmd("PING"))
}

/// How a Sentinel took a request for a failover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It leads one now, or led one already (`INPROG`).
    Yes,
    /// It refused, and does nothing; its error.
    Refused(String),
    /// It was asked and has not answered: it may still do it.
    Unknown,
}

/// `SENTINEL FAILOVER <master>`.
pub fn failover(connection: &mut Connection, master: &str) -> Taken {
    match connection.ask::<()>(&sentinel("FAILOVER", &[master])) {
        Ok(()) => Taken::Yes,
        Err(Failure::Error(text)) if text.starts_with("INPROG") => Taken::Yes,
        Err(Failure::Error(text)) => Taken::Refused(text),
        Err(_) => Taken::Unknown,
    }
}

fn sentinel(subcommand: &str, arguments: &[&str]) -> redis::Cmd {
    let mut command = redis::cmd("SENTINEL");
    command.arg(subcommand).arg(arguments);
    command
}

/// Redis before 7.0 knows no `SENTINEL DEBUG`.
fn info_period(connection: &mut Connection) -> Result<Option<u64>, Failure> {
    match connection.ask::<BTreeMap<String, u64>>(&sentinel("DEBUG", &[])) {
        Ok(periods) => Ok(periods
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("info-period"))
            .map(|(_, period)| period)),
        Err(Failure::Error(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}
