//! Asks the Redis and the Sentinel of each unit, from within its pod, what they are.

use std::thread;

use super::roles;
use super::roles::Answer;
use super::roles::Servers;
use crate::lab::Lab;
use crate::lab::error::LabError;
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
                redis: said(lab, &unit, Server::Redis, "INFO replication\n", roles::replication),
                sentinel: said(lab, &unit, Server::Sentinel, "INFO sentinel\n", roles::watched),
                unit,
            })
        };
        let asking: Vec<_> = asked.map(ask).collect();
        asking.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

fn said<T>(
    lab: &Lab,
    unit: &str,
    server: Server,
    line: &str,
    read: fn(&str) -> Answer<T>,
) -> Answer<T> {
    let client = match lab.redis_client(unit, server, Some(LIMIT), line) {
        Ok(client) => client,
        // Without a workload container that runs there is no server either.
        Err(LabError::NoContainer { .. }) => return Answer::Nobody,
        Err(error) => return Answer::Refused(error.to_string()),
    };
    match client.wait_with_output() {
        Ok(done) => read(&String::from_utf8_lossy(&[done.stdout, done.stderr].concat())),
        Err(error) => Answer::Refused(error.to_string()),
    }
}

/// Seconds until a server that does not answer counts as silent.
const LIMIT: &str = "2";
