//! Asks the Redis and the Sentinel of each unit, from within its pod, what they are.

use std::thread;

use super::roles;
use super::roles::Answer;
use super::roles::Servers;
use crate::lab::Lab;
use crate::lab::redis::Server;
use crate::lab::status::ModelStatus;

/// What the servers of all units say, asked at once; a unit without a pod is not asked.
pub(crate) fn servers(lab: &Lab, status: &ModelStatus) -> Vec<Servers> {
    let units = status.applications.iter().flat_map(|it| &it.units);
    let asked = units.map(|unit| unit.name.as_str()).filter(|unit| lab.pod(unit).is_ok());
    thread::scope(|scope| {
        let ask = |unit: &str| {
            let unit = unit.to_owned();
            scope.spawn(move || Servers {
                redis: said(lab, &unit, Server::Redis, "INFO replication\n")
                    .map_or_else(Answer::Refused, |text| roles::replication(&text)),
                sentinel: said(lab, &unit, Server::Sentinel, "INFO sentinel\n")
                    .map_or_else(Answer::Refused, |text| roles::watched(&text)),
                unit,
            })
        };
        let asking: Vec<_> = asked.map(ask).collect();
        asking.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

fn said(lab: &Lab, unit: &str, server: Server, line: &str) -> Result<String, String> {
    let client = lab.redis_client(unit, server, Some(LIMIT), line);
    let done = client.map_err(|error| error.to_string())?.wait_with_output();
    let done = done.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
}

/// Seconds until a server that does not answer counts as silent.
const LIMIT: &str = "2";
