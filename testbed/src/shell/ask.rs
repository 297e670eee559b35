//! Asks the Redis and the Sentinel of each unit, from within its pod, what they are.

use std::thread;

use super::roles;
use super::roles::Servers;
use super::roles::Told;
use crate::lab::Lab;
use crate::lab::error::LabError;
use crate::lab::status::ModelStatus;
use crate::redis::answers::Answer;
use crate::redis::client::Said;
use crate::redis::server::Server;

/// What the servers of all units say, asked at once; a unit without a pod is not asked.
pub(crate) fn servers(lab: &Lab, status: &ModelStatus) -> Vec<Servers> {
    let units = status.applications.iter().flat_map(|it| &it.units);
    let asked = units.map(|unit| unit.name.as_str()).filter(|unit| lab.pod(unit).is_ok());
    thread::scope(|scope| {
        let ask = |unit: &str| {
            let unit = unit.to_owned();
            scope.spawn(move || Servers {
                redis: said(lab, &unit, Server::Redis, "INFO replication", roles::replication),
                sentinel: said(lab, &unit, Server::Sentinel, "INFO sentinel", roles::watched),
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
    question: &str,
    read: fn(&str) -> Told<T>,
) -> Told<T> {
    let said = match lab.said(unit, server, &[question]) {
        Ok(said) => said,
        // Without a workload container that runs there is no server either.
        Err(LabError::NoContainer { .. }) => return Told::Nobody,
        Err(error) => return Told::Refused(error.to_string()),
    };
    match said {
        Said::All(answers) => read(&answers.first().map(Answer::text).unwrap_or_default()),
        Said::Less(text) => read(&Answer::parse(&text).text()),
    }
}
