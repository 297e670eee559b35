//! Whether units are a whole: one master, its replicas, and Sentinels that know exactly them.

use std::error::Error;

use super::answers::Role;
use super::answers::SentinelView;
use crate::names::Names;

/// Whoever can be asked about single units.
pub(crate) trait Servers {
    /// What a unit's Sentinel knows.
    fn view(&self, unit: u32) -> Result<SentinelView, Box<dyn Error>>;

    /// What a unit's Redis says of its role.
    fn role(&self, unit: u32) -> Result<Role, Box<dyn Error>>;
}

/// The master's unit, where every Sentinel of these units knows exactly them, names the same master and
/// holds all for well, and that Redis is master and has all others as connected replicas. Else why not.
pub(crate) fn master(servers: &impl Servers, names: &Names, units: &[u32]) -> Result<u32, String> {
    let mut master = None;
    let mut views = Vec::new();
    for unit in units {
        let view = servers.view(*unit).map_err(|error| error.to_string())?;
        let host = view.master_host.clone().unwrap_or_default();
        let elected = names.unit_of(&host);
        let elected = elected.ok_or_else(|| format!("Sentinel of unit {unit} names {host:?}"))?;
        if *master.get_or_insert(elected) != elected {
            return Err("no common master".to_owned());
        }
        views.push((*unit, view));
    }
    let master = master.ok_or("no units")?;
    let hosts = |without: u32| {
        let others = units.iter().filter(|unit| **unit != without);
        let mut hosts: Vec<_> = others.map(|unit| names.host(*unit)).collect();
        hosts.sort_unstable();
        hosts
    };
    for (unit, view) in views {
        let exact = view.master.text("ip") == names.host(master)
            && view.replica_hosts() == hosts(master)
            && view.sentinel_hosts() == hosts(unit);
        if !exact || !view.is_well() {
            return Err(format!("Sentinel of unit {unit}: {view:?}"));
        }
        let role = servers.role(unit).map_err(|error| error.to_string())?;
        let wanted = if unit == master {
            Role::Master { replicas: hosts(master) }
        } else {
            Role::Replica { master: names.host(master), connected: true }
        };
        if role != wanted {
            return Err(format!("Redis of unit {unit}: {role:?}"));
        }
    }
    Ok(master)
}
