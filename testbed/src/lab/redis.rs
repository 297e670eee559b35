//! What the Redis and Sentinel that run in pods say, for whoever looks on. Nothing in a lab depends on
//! it: a charm without Redis is never asked.

use std::error::Error;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use super::Lab;
use super::error::LabError;
use crate::error::BedError;
use crate::juju::model::Model;
use crate::juju::model::application_of;
use crate::names::Names;
use crate::pod::CHARM;
use crate::pod::Pod;
use crate::redis::answers::Answer;
use crate::redis::answers::Role;
use crate::redis::answers::SentinelView;
use crate::redis::client::Client;
use crate::redis::client::Said;
use crate::redis::server::SENTINEL_PORT;
use crate::redis::server::Server;
use crate::redis::whole;
use crate::redis::whole::Servers;
use crate::writer::plan::Habit;
use crate::writer::plan::Plan;

impl Lab {
    /// Several commands to a server of a unit, as typed into `redis-cli`; the password is that of the
    /// application's peer databag, and errors of the server are answers.
    pub fn ask(
        &self,
        unit: &str,
        server: Server,
        commands: &[&str],
    ) -> Result<Vec<Answer>, LabError> {
        match self.said(unit, server, commands)? {
            Said::All(answers) => Ok(answers),
            Said::Less(text) => Err(no_answer(unit, server, &commands.join("; "), text)),
        }
    }

    /// What a unit's Sentinel knows of the master that is named as the application.
    pub fn sentinel_view(&self, unit: &str) -> Result<SentinelView, LabError> {
        let questions = SentinelView::questions(application_of(unit));
        let questions = questions.each_ref().map(String::as_str);
        let answers = self.ask(unit, Server::Sentinel, &questions)?;
        SentinelView::parse(&answers)
            .ok_or_else(|| no_answer(unit, Server::Sentinel, "its view", format!("{answers:?}")))
    }

    /// What a unit's Redis says of its role.
    pub fn redis_role(&self, unit: &str) -> Result<Role, LabError> {
        let answers = self.ask(unit, Server::Redis, &["ROLE"])?;
        let role = answers.first().and_then(Role::parse);
        role.ok_or_else(|| no_answer(unit, Server::Redis, "ROLE", format!("{answers:?}")))
    }

    /// The master among these units of an application, where they are a whole: every Sentinel knows
    /// exactly them, names the same master and holds all for well, and that Redis has all others as
    /// connected replicas. Else what is amiss, in words.
    pub fn whole(&self, application: &str, units: &[u32]) -> Result<u32, String> {
        whole::master(&Group { lab: self, application }, &self.names(application), units)
    }

    /// The names of an application's units and pods.
    pub fn names(&self, application: &str) -> Names {
        Names { application: application.to_owned(), model: self.options().model.clone() }
    }

    /// What a writer needs to know to write to an application every 10 ms: it asks the Sentinels of these
    /// units, and is content when the master has a write.
    pub fn write_plan(
        &self,
        application: &str,
        sentinels: &[u32],
        name: &str,
        habit: Habit,
    ) -> Plan {
        let names = self.names(application);
        let passwords = [Server::Redis, Server::Sentinel];
        let [redis_password, sentinel_password] =
            passwords.map(|it| self.controller().read(|model| password(model, application, it)));
        Plan {
            name: name.to_owned(),
            habit,
            sentinels: sentinels.iter().map(|unit| (names.host(*unit), SENTINEL_PORT)).collect(),
            group: application.to_owned(),
            redis_password,
            sentinel_password,
            period: Duration::from_millis(10),
            replicas: 0,
        }
    }

    pub(crate) fn said(
        &self,
        unit: &str,
        server: Server,
        commands: &[&str],
    ) -> Result<Said, LabError> {
        let (pod, container) = self.place_for_a_client(unit)?;
        Ok(self.client(unit, server).ask(&pod, &container, LIMIT, commands)?)
    }

    /// Starts to listen to a server of a unit.
    pub(crate) fn listen(&self, unit: &str, server: Server) -> Result<Child, LabError> {
        let (pod, container) = self.place_for_a_client(unit)?;
        Ok(self.client(unit, server).listen(&pod, &container)?)
    }

    fn client(&self, unit: &str, server: Server) -> Client {
        let application = application_of(unit);
        let password = self.controller().read(|model| password(model, application, server));
        Client { port: server.port(), password, tls: false }
    }

    /// A container in which a client can run; all of a pod have the network in common.
    fn place_for_a_client(&self, unit: &str) -> Result<(Arc<Pod>, String), LabError> {
        let pod = self.pod(unit)?;
        let mut running = pod.containers().filter(|name| *name != CHARM && pod.is_running(name));
        let container = running.next().map(str::to_owned);
        drop(running);
        let container = container.ok_or_else(|| LabError::NoContainer {
            unit: unit.to_owned(),
            container: "for a client".to_owned(),
        })?;
        Ok((pod, container))
    }
}

/// The servers of an application.
struct Group<'a> {
    lab: &'a Lab,
    application: &'a str,
}

impl Servers for Group<'_> {
    fn view(&self, unit: u32) -> Result<SentinelView, Box<dyn Error>> {
        Ok(self.lab.sentinel_view(&format!("{}/{unit}", self.application))?)
    }

    fn role(&self, unit: u32) -> Result<Role, Box<dyn Error>> {
        Ok(self.lab.redis_role(&format!("{}/{unit}", self.application))?)
    }
}

/// A server's password, where an operator could read it.
fn password(model: &Model, application: &str, server: Server) -> Option<String> {
    let peers = model.relations.iter().filter(|it| it.is_peer());
    let mut bags = peers.filter_map(|it| it.application_data.get(application));
    bags.find_map(|bag| bag.get(server.password_key())).cloned()
}

fn no_answer(unit: &str, server: Server, command: &str, answer: String) -> LabError {
    let server = format!("{server:?} of {unit}");
    BedError::Answer { server, command: command.to_owned(), answer }.into()
}

/// Seconds until a server that does not answer counts as silent.
const LIMIT: &str = "2";
