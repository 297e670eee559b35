//! The workload's part, which the test bed plays until the charm does: files rendered from the
//! databag, Redis and Sentinel started from them by the Pebbles of their containers.

use std::time::Duration;

use testbed::redis::answers::Role;
use testbed::wait;

use crate::Outcome;
use crate::stage::Stage;

/// Starts Redis in each of these pods, the recorded master as master, then their Sentinels.
pub(crate) fn start(stage: &Stage, units: &[u32]) -> Outcome<()> {
    let master = recorded_master(stage)?;
    for unit in units.iter().filter(|unit| **unit == master) {
        start_redis(stage, *unit, master)?;
    }
    for unit in units.iter().filter(|unit| **unit != master) {
        start_redis(stage, *unit, master)?;
    }
    for unit in units {
        start_sentinel(stage, *unit, master)?;
    }
    Ok(())
}

fn recorded_master(stage: &Stage) -> Outcome<u32> {
    let host = stage.recorded("leader-host")?;
    let unit = stage.bed.layout().names.unit_of(&host);
    unit.ok_or_else(|| format!("leader-host is no unit's name: {host}").into())
}

fn start_redis(stage: &Stage, unit: u32, master: u32) -> Outcome<()> {
    let pod = stage.bed.pod(unit)?;
    let mut config = pod.redis_config((unit != master).then_some(master));
    config.password = Some(stage.recorded("redis-password")?);
    if unit == LAST_CHOICE {
        config.extra.push("replica-priority 200".to_owned());
    }
    pod.start_redis(&config)?;
    if unit != master {
        wait::until(&format!("Redis of unit {unit} has its master's data"), SYNC, || {
            let linked = matches!(pod.redis_role(), Ok(Role::Replica { connected: true, .. }));
            linked.then_some(())
        })
        .map_err(|error| error.with("its log", &pod.log_tails()))?;
    }
    Ok(())
}

fn start_sentinel(stage: &Stage, unit: u32, master: u32) -> Outcome<()> {
    let pod = stage.bed.pod(unit)?;
    let known: Vec<u32> = (0..stage.bed.layout().units).collect();
    let mut config = pod.sentinel_config(master, &known);
    config.redis_password = Some(stage.recorded("redis-password")?);
    config.sentinel_password = Some(stage.recorded("sentinel-password")?);
    config.config_epoch = stage.recorded("master-epoch").ok().map_or(Ok(0), |it| it.parse())?;
    Ok(pod.start_sentinel(&config)?)
}

/// The unit that Sentinel promotes only if no other can be: the last step takes it away.
const LAST_CHOICE: u32 = 2;

const SYNC: Duration = Duration::from_secs(20);
