//! Asks the Redis and the Sentinel of each unit, from within its pod, what they are.

use std::io::Write;
use std::process::Stdio;
use std::thread;

use super::roles;
use super::roles::Answer;
use super::roles::Servers;
use crate::juju::model::Model;
use crate::juju::model::application_of;
use crate::lab::Lab;
use crate::lab::status::ModelStatus;
use crate::lab::status::PodStatus;

/// What the servers of all units say, asked at once.
pub(crate) fn servers(lab: &Lab, status: &ModelStatus) -> Vec<Servers> {
    let pods = lab.pods();
    let model = lab.model().ok();
    let units = status.applications.iter().flat_map(|it| &it.units);
    let asked: Vec<(&str, &str)> = units
        .filter_map(|unit| {
            let pod = pods.iter().find(|pod| pod.unit == unit.name)?;
            Some((unit.name.as_str(), workload(pod)?))
        })
        .collect();
    thread::scope(|scope| {
        let model = model.as_ref();
        let ask = |(unit, container): (_, _)| {
            scope.spawn(move || {
                let passwords = model.map(|it| Passwords::of(it, application_of(unit)));
                let passwords = passwords.unwrap_or_default();
                let ask = |port, section, password: &Option<String>| {
                    said(lab, unit, container, port, section, password.as_deref())
                };
                Servers {
                    unit: String::from(unit),
                    redis: ask(REDIS, "replication", &passwords.redis)
                        .map_or_else(Answer::Refused, |text| roles::replication(&text)),
                    sentinel: ask(SENTINEL, "sentinel", &passwords.sentinel)
                        .map_or_else(Answer::Refused, |text| roles::watched(&text)),
                }
            })
        };
        let asking: Vec<_> = asked.into_iter().map(ask).collect();
        asking.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

/// A container in which a client can be run; all of a pod have the network in common.
fn workload(pod: &PodStatus) -> Option<&str> {
    let running = pod.containers.iter().filter(|it| it.is_running && it.name != CHARM);
    running.map(|it| it.name.as_str()).next()
}

fn said(
    lab: &Lab,
    unit: &str,
    container: &str,
    port: &str,
    section: &str,
    password: Option<&str>,
) -> Result<String, String> {
    let mut command = lab.command(unit, container, "timeout").map_err(|it| it.to_string())?;
    command.args([LIMIT, "redis-cli", "-p", port]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        // The password by standard input: a command line is seen by everybody.
        let login = password.map(|password| format!("AUTH \"{password}\"\n"));
        let lines = format!("{}INFO {section}\n", login.unwrap_or_default());
        // A client that is gone has said why.
        let _ = stdin.write_all(lines.as_bytes());
    }
    let done = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = [done.stdout, done.stderr].concat();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Passwords that the charm keeps where an operator can read them: in a peer relation.
#[derive(Debug, Default)]
struct Passwords {
    redis: Option<String>,
    sentinel: Option<String>,
}

impl Passwords {
    fn of(model: &Model, application: &str) -> Self {
        let peers = model.relations.iter().filter(|it| it.is_peer());
        let bags: Vec<_> = peers.filter_map(|it| it.application_data.get(application)).collect();
        let found = |key: &str| bags.iter().find_map(|bag| bag.get(key)).cloned();
        Self { redis: found("redis-password"), sentinel: found("sentinel-password") }
    }
}

const CHARM: &str = "charm";
const REDIS: &str = "6379";
const SENTINEL: &str = "26379";

/// Seconds until a server that does not answer counts as silent.
const LIMIT: &str = "2";
