//! Clients of the Redis and Sentinel that run in pods, for whoever looks on. Nothing in a lab depends on
//! them: a charm without Redis is never asked.

use std::io::Write;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use super::Lab;
use super::error::LabError;
use crate::error::BedError;
use crate::juju::model::Model;
use crate::juju::model::application_of;
use crate::pod::CHARM;
use crate::pod::Pod;

/// A server that a client may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// Redis.
    Redis,
    /// Sentinel.
    Sentinel,
}

impl Server {
    /// The port that it has by custom.
    pub(crate) fn port(self) -> &'static str {
        match self {
            Self::Redis => "6379",
            Self::Sentinel => "26379",
        }
    }

    /// The key under which charms of Redis keep its password in the application's peer databag.
    fn password_key(self) -> &'static str {
        match self {
            Self::Redis => "redis-password",
            Self::Sentinel => "sentinel-password",
        }
    }

    /// Its password, where an operator could read it.
    pub(crate) fn password(self, model: &Model, application: &str) -> Option<String> {
        let peers = model.relations.iter().filter(|it| it.is_peer());
        let mut bags = peers.filter_map(|it| it.application_data.get(application));
        bags.find_map(|bag| bag.get(self.password_key())).cloned()
    }
}

impl Lab {
    /// Starts a client in a unit's pod, which sends those lines; `limit` in seconds ends it at the
    /// latest.
    pub(crate) fn redis_client(
        &self,
        unit: &str,
        server: Server,
        limit: Option<&str>,
        lines: &str,
    ) -> Result<Child, LabError> {
        let pod = self.pod(unit)?;
        let container = workload(&pod).ok_or_else(|| LabError::NoContainer {
            unit: unit.to_owned(),
            container: "for a client".to_owned(),
        })?;
        let mut command = pod.command(container, limit.map_or(CLIENT, |_| "timeout"));
        if let Some(limit) = limit {
            command.args([limit, CLIENT]);
        }
        command.args(["-p", server.port()]);
        let mut child = start(&mut command)?;
        if let Some(mut stdin) = child.stdin.take() {
            let password = server.password(&self.model(), application_of(unit));
            // By standard input: a command line is seen by everybody.
            let login = password.map(|password| format!("AUTH \"{password}\"\n"));
            // A client that is gone already has said why.
            let _ = stdin.write_all((login.unwrap_or_default() + lines).as_bytes());
        }
        Ok(child)
    }
}

fn start(command: &mut Command) -> Result<Child, BedError> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|source| BedError::NotStarted { program: CLIENT.into(), source })
}

/// A container in which a client can run; all of a pod have the network in common.
fn workload(pod: &Pod) -> Option<&str> {
    let mut running = pod.containers().filter(|name| *name != CHARM && pod.is_running(name));
    running.next()
}

const CLIENT: &str = "redis-cli";
