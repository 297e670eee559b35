//! What the keeper does: it starts Redis, changes its settings, asks a Sentinel, rings.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use thiserror::Error;
use tracing::info;
use tracing::warn;

use crate::clients::accounts;
use crate::clients::accounts::Account;
use crate::clients::files;
use crate::clients::parallel::ask_all;
use crate::clients::pebble::Pebble;
use crate::clients::pebble::error::PebbleError;
use crate::clients::process::Process;
use crate::clients::process::Program;
use crate::clients::redis::commands;
use crate::clients::redis::connection::Connection;
use crate::clients::redis::connection::Failure;
use crate::clients::redis::sentinel;
use crate::clients::redis::sentinel::Taken as Reply;
use crate::clock::Budget;
use crate::clock::Watch;
use crate::keeper::look::own_redis;
use crate::keeper::running::Setting;
use crate::names::REDIS_PORT;
use crate::names::SENTINEL_PORT;
use crate::observe::cluster::ROUND;
use crate::observe::cluster::place;
use crate::procedure::ask_failover::AskFailover;
use crate::procedure::ask_failover::Next;
use crate::procedure::ask_failover::PING;
use crate::procedure::ask_failover::Taken;
use crate::procedure::switchover::FENCE;
use crate::render::inputs::Inputs;
use crate::render::places;
use crate::render::redis_conf::RedisConf;
use crate::world::cluster::Cluster;
use crate::world::password::Password;

/// Why Redis could not be started.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    /// The image is not one for this charm.
    #[error("the image has no user `{}`: use an image of Redis", places::USER)]
    NoUser,
    /// Something of the container or its volume.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

fn cannot(what: &'static str) -> impl FnOnce(io::Error) -> StartError {
    move |source| StartError::Io { what, source }
}

/// Starts Redis as a master, or as a replica of a host, with this priority.
pub(crate) fn start_redis(
    inputs: &Inputs,
    master: Option<String>,
    priority: u32,
    append_only: bool,
) -> Result<Process, StartError> {
    let account = accounts::account(places::USER)
        .map_err(cannot("read /etc/passwd"))?
        .ok_or(StartError::NoUser)?;
    prepare_folders(account)?;
    let conf = RedisConf {
        host: inputs.own_host(),
        master,
        priority,
        password: inputs.redis_password.clone(),
        planned: inputs.planned.len(),
        memory_limit: files::memory_limit(),
        append_only,
    };
    files::replace(Path::new(places::REDIS_CONF), &conf.render(), 0o640, Some(account))
        .map_err(cannot("write redis.conf"))?;
    let program = Program {
        name: REDIS_SERVER,
        argument: places::REDIS_CONF,
        folder: Path::new(places::DATA),
        account: Some(account),
        log: Path::new(places::REDIS_LOG),
    };
    Process::start(program).map_err(cannot("start redis-server"))
}

fn prepare_folders(account: Account) -> Result<(), StartError> {
    let cannot_prepare = || cannot("give the volume to redis");
    files::make_folder(places::DATA, 0o750, Some(account)).map_err(cannot_prepare())?;
    files::own_all(Path::new(places::DATA), account).map_err(cannot_prepare())?;
    files::make_folder(places::LOG_FOLDER, 0o750, Some(account))
        .map_err(cannot("prepare the folder of logs"))
}

/// Changes settings of the own Redis.
pub(crate) fn configure(
    inputs: &Inputs,
    settings: &[(Setting, &'static str)],
    watch: &Watch,
) -> Result<(), Failure> {
    if settings.is_empty() {
        return Ok(());
    }
    let mut connection = own_redis(inputs, watch)?;
    for (setting, why) in settings {
        let (name, value) = setting.words();
        commands::configure(&mut connection, name, &value)?;
        info!("{setting}: {why}");
    }
    Ok(())
}

/// Makes the own Redis follow a host.
pub(crate) fn follow(inputs: &Inputs, host: &str, watch: &Watch) -> Result<(), Failure> {
    commands::follow(&mut own_redis(inputs, watch)?, host, REDIS_PORT)
}

/// Asks the first of these units' Sentinels that answers a PING in time for a failover, and says how
/// it took it; `None` when none answered.
pub(crate) fn ask_for_failover(
    inputs: &Inputs,
    cluster: &Cluster,
    candidates: &[u32],
    watch: &Watch,
) -> Option<(u32, Taken)> {
    candidates.iter().find_map(|unit| {
        let address = SocketAddr::new(place(inputs.unit, cluster, *unit)?, SENTINEL_PORT);
        let mut connection = ping(inputs, address, watch).ok()?;
        connection.renew(&watch.budget(ROUND));
        let name = cluster.unit_text(*unit);
        let taken = match sentinel::failover(&mut connection, &inputs.application) {
            Reply::Yes => {
                info!("asked the Sentinel of {name} for a failover");
                Taken::Perhaps
            }
            Reply::Unknown => {
                info!("asked the Sentinel of {name} for a failover; it does not answer");
                Taken::Perhaps
            }
            Reply::Refused(error) => {
                info!("the Sentinel of {name} refuses a failover: {error}");
                Taken::No
            }
        };
        Some((*unit, taken))
    })
}

/// Goes on asking for a master in the place of this unit's: one that refuses is followed by the next at
/// once.
pub(crate) fn go_on_asking(
    asking: &mut AskFailover,
    master: u32,
    inputs: &Inputs,
    cluster: &Cluster,
    watch: &Watch,
) {
    while let Next::Ask(units) = asking.next(cluster, master, watch.now()) {
        let answer = ask_for_failover(inputs, cluster, &units, watch);
        asking.answered(answer, watch.now());
    }
}

/// Makes the own Redis hold writes.
pub(crate) fn hold_writes(inputs: &Inputs, watch: &Watch) -> Result<(), Failure> {
    commands::hold_writes(&mut own_redis(inputs, watch)?, FENCE)
}

/// Makes the own Redis hold no writes any more.
pub(crate) fn take_writes(inputs: &Inputs, watch: &Watch) -> Result<(), Failure> {
    commands::take_writes(&mut own_redis(inputs, watch)?)
}

/// Tells Sentinels how often they are to look at the servers, in ms, all at the same time. One that does
/// not hear it goes on as it did, and the charm puts right what is left.
pub(crate) fn set_info_period(
    inputs: &Inputs,
    cluster: &Cluster,
    units: &[u32],
    period: u64,
    watch: &Watch,
) {
    let orders = units.iter().filter_map(|unit| {
        let address = SocketAddr::new(place(inputs.unit, cluster, *unit)?, SENTINEL_PORT);
        Some((*unit, (address, inputs.sentinel_password.clone(), period)))
    });
    let orders: Vec<_> = orders.collect();
    let units: Vec<u32> = orders.iter().map(|(unit, _)| *unit).collect();
    let mut told = ask_all(orders, &watch.budget(PING), tell_info_period);
    for unit in units {
        let name = cluster.unit_text(unit);
        match told.remove(&unit) {
            Some(Ok(())) => {}
            Some(Err(failure)) => {
                warn!("cannot tell the Sentinel of {name} to look each {period} ms: {failure}");
            }
            None => warn!("the Sentinel of {name} is not told in time to look each {period} ms"),
        }
    }
}

fn tell_info_period(
    (address, password, period): (SocketAddr, Option<Password>, u64),
    budget: &Budget,
) -> Result<(), Failure> {
    let mut connection =
        Connection::open(address, password.as_ref().map(Password::reveal), budget)?;
    sentinel::set_info_period(&mut connection, period)
}

fn ping(inputs: &Inputs, address: SocketAddr, watch: &Watch) -> Result<Connection, Failure> {
    let password = inputs.sentinel_password.as_ref().map(Password::reveal);
    let mut connection = Connection::open(address, password, &watch.budget(PING))?;
    sentinel::ping(&mut connection)?;
    Ok(connection)
}

/// Gives a notice, from which Juju makes a hook.
pub(crate) fn ring(socket: &Path, key: &str, watch: &Watch) -> Result<(), PebbleError> {
    let pebble = Pebble::new("redis", socket, &[], &watch.budget(ROUND));
    pebble.notify(key, &BTreeMap::new(), None).map(drop)
}

/// The program, as the image has it.
pub(crate) const REDIS_SERVER: &str = "redis-server";
