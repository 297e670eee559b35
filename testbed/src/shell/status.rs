//! `status`, as Juju prints it.

use serde_json::Value;
use serde_json::json;

use super::roles;
use super::roles::Servers;
use super::table::Table;
use crate::lab::status::ApplicationStatus;
use crate::lab::status::ModelStatus;
use crate::lab::status::UnitStatus;
use crate::lab::status::Word;

/// What is shown.
#[derive(Debug)]
pub struct View<'a> {
    /// The model.
    pub status: &'a ModelStatus,
    /// What the servers in its units say.
    pub servers: &'a [Servers],
    /// Whether relations are shown.
    pub relations: bool,
    /// The time of day.
    pub time: &'a str,
    /// Which Juju it is.
    pub version: &'a str,
    /// How much faster than Juju's own all periods pass.
    pub speed: f64,
}

impl View<'_> {
    /// As tables.
    pub fn tabular(&self) -> String {
        let mut text = self.head();
        if self.status.applications.is_empty() {
            return text + "\nModel \"" + &self.status.model + "\" is empty.\n";
        }
        for table in [self.applications(), self.units(), roles::text(self.servers, self.status)] {
            if !table.is_empty() {
                text.push('\n');
                text.push_str(&table);
            }
        }
        if self.relations && !self.status.relations.is_empty() {
            text.push('\n');
            text.push_str(&self.integrations());
        }
        text
    }

    fn head(&self) -> String {
        let mut table = Table::new(
            &["Model", "Controller", "Cloud/Region", "Version", "Speed", "Timestamp"],
            &[],
        );
        let speed = format!("x{}", self.speed);
        let model = &self.status.model;
        table.row(&[model, "testbed", "kubernetes/this-machine", self.version, &speed, self.time]);
        table.text()
    }

    fn applications(&self) -> String {
        let mut table = Table::new(
            &["App", "Version", "Status", "Scale", "Charm", "Rev", "Address", "Message"],
            &[3, 5],
        );
        for it in &self.status.applications {
            let there = u32::try_from(it.units.len()).unwrap_or(u32::MAX);
            let scale =
                if there == it.scale { there.to_string() } else { format!("{there}/{}", it.scale) };
            let Word { word, message } = &it.status;
            let revision = it.revision.to_string();
            table.row(&[
                &it.name,
                &it.version,
                word,
                &scale,
                &it.charm,
                &revision,
                &it.address,
                message,
            ]);
        }
        table.text()
    }

    fn units(&self) -> String {
        let mut table =
            Table::new(&["Unit", "Workload", "Agent", "Address", "Ports", "Message"], &[]);
        for it in self.status.applications.iter().flat_map(|it| &it.units) {
            let name = if it.is_leader { format!("{}*", it.name) } else { it.name.clone() };
            let (ports, message) = (it.ports.join(" "), message(it));
            table.row(&[
                &name,
                &it.workload.word,
                &it.agent.word,
                &it.address,
                &ports,
                message.trim_end(),
            ]);
        }
        table.text()
    }

    fn integrations(&self) -> String {
        let mut table =
            Table::new(&["Id", "Integration provider", "Requirer", "Interface", "Type"], &[0]);
        for it in &self.status.relations {
            let end = |number: usize| it.ends.get(number).map(String::as_str);
            let one = end(0).unwrap_or_default();
            let kind = if it.ends.len() == 1 { "peer" } else { "regular" };
            table.row(&[&it.id.to_string(), one, end(1).unwrap_or(one), &it.interface, kind]);
        }
        table.text()
    }

    /// As a value, with the keys that Juju gives it.
    pub fn value(&self) -> Value {
        let applications = self.status.applications.iter();
        let applications: serde_json::Map<String, Value> =
            applications.map(|it| (it.name.clone(), application_value(it))).collect();
        let relations = self
            .status
            .relations
            .iter()
            .map(|it| json!({"id": it.id, "ends": it.ends, "interface": it.interface}));
        json!({
            "model": {
                "name": self.status.model,
                "type": "caas",
                "controller": "testbed",
                "cloud": "kubernetes",
                "region": "this-machine",
                "version": self.version,
            },
            "applications": applications,
            "relations": relations.collect::<Vec<_>>(),
            "controller": {"timestamp": self.time},
        })
    }
}

/// The workload's message, behind the hook or action that its agent runs.
fn message(unit: &UnitStatus) -> String {
    let running = unit.agent.message.strip_prefix("running ");
    let running = running.map(|it| it.trim_start_matches("action ").trim_end_matches(" hook"));
    let running = running.map_or_else(String::new, |it| format!("({it}) "));
    running + &unit.workload.message
}

fn application_value(it: &ApplicationStatus) -> Value {
    let units = it.units.iter().map(|unit| (unit.name.clone(), unit_value(unit)));
    let Word { word, message } = &it.status;
    json!({
        "charm": it.charm,
        "charm-rev": it.revision,
        "scale": it.scale,
        "address": it.address,
        "version": it.version,
        "life": it.life,
        "application-status": {"current": word, "message": message},
        "units": units.collect::<serde_json::Map<String, Value>>(),
    })
}

fn unit_value(unit: &UnitStatus) -> Value {
    let Word { word, message } = &unit.workload;
    json!({
        "workload-status": {"current": word, "message": message},
        "juju-status": {"current": unit.agent.word, "message": unit.agent.message},
        "leader": unit.is_leader,
        "address": unit.address,
        "open-ports": unit.ports,
        "life": unit.life,
    })
}

#[cfg(test)]
mod tests {
    use super::View;
    use crate::lab::status::ApplicationStatus;
    use crate::lab::status::ModelStatus;
    use crate::lab::status::RelationStatus;
    use crate::lab::status::UnitStatus;
    use crate::lab::status::Word;
    use crate::shell::roles::Replication;
    use crate::shell::roles::Servers;
    use crate::shell::roles::Told;
    use crate::shell::roles::Watched;

    fn word(word: &str, message: &str) -> Word {
        Word { word: word.to_owned(), message: message.to_owned() }
    }

    fn unit(number: u32, is_leader: bool, workload: Word, agent: Word) -> UnitStatus {
        UnitStatus {
            name: format!("redis-k8s/{number}"),
            is_leader,
            workload,
            agent,
            address: format!("10.1.0.{}", 10 + number),
            ports: vec!["6379/tcp".to_owned(), "26379/tcp".to_owned()],
            life: "alive",
        }
    }

    fn model() -> ModelStatus {
        let idle = || word("idle", "");
        let running = || word("executing", "running start hook");
        ModelStatus {
            model: "lab".to_owned(),
            applications: vec![ApplicationStatus {
                name: "redis-k8s".to_owned(),
                charm: "redis-k8s".to_owned(),
                revision: 2,
                version: "7.2.5".to_owned(),
                scale: 4,
                address: "10.152.183.9".to_owned(),
                status: word("active", ""),
                life: "alive",
                units: vec![
                    unit(0, true, word("active", ""), idle()),
                    unit(1, false, word("active", "no failover: redis-k8s/2 is silent"), idle()),
                    unit(2, false, word("waiting", "installing agent"), running()),
                ],
            }],
            relations: vec![
                RelationStatus {
                    id: 0,
                    ends: vec!["redis-k8s:redis-peers".to_owned()],
                    interface: "redis-peers".to_owned(),
                },
                RelationStatus {
                    id: 3,
                    ends: vec!["redis-k8s:redis".to_owned(), "shop:cache".to_owned()],
                    interface: "redis".to_owned(),
                },
            ],
        }
    }

    fn servers() -> Vec<Servers> {
        let host = "redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local";
        let watched = |status: &str, host: &str| {
            Told::Said(vec![Watched {
                host: host.to_owned(),
                status: status.to_owned(),
                replicas: "2".to_owned(),
                sentinels: "3".to_owned(),
            }])
        };
        let redis = |role: &str, master: &str, link: &str| {
            Told::Said(Replication {
                role: role.to_owned(),
                master: master.to_owned(),
                link: link.to_owned(),
                offset: "1234".to_owned(),
            })
        };
        let unit = |number: u32| format!("redis-k8s/{number}");
        vec![
            Servers {
                unit: unit(0),
                redis: redis("master", "", ""),
                sentinel: watched("ok", host),
            },
            Servers {
                unit: unit(1),
                redis: redis("slave", host, "up"),
                sentinel: watched("odown", "10.1.0.10"),
            },
            Servers {
                unit: unit(2),
                redis: Told::Refused("no answer".to_owned()),
                sentinel: Told::Nobody,
            },
        ]
    }

    #[test]
    fn status_is_that_of_juju_with_the_roles_beside_it() {
        let view = View {
            status: &model(),
            servers: &servers(),
            relations: true,
            time: "11:19:11Z",
            version: "3.6.28",
            speed: 1.0,
        };
        let expected = r#"Model  Controller  Cloud/Region             Version  Speed  Timestamp
lab    testbed     kubernetes/this-machine  3.6.28   x1     11:19:11Z

App        Version  Status  Scale  Charm      Rev  Address       Message
redis-k8s  7.2.5    active    3/4  redis-k8s    2  10.152.183.9

Unit          Workload  Agent      Address    Ports               Message
redis-k8s/0*  active    idle       10.1.0.10  6379/tcp 26379/tcp
redis-k8s/1   active    idle       10.1.0.11  6379/tcp 26379/tcp  no failover: redis-k8s/2 is silent
redis-k8s/2   waiting   executing  10.1.0.12  6379/tcp 26379/tcp  (start) installing agent

Redis        Role       Master       Link  Offset  Sentinel names       It knows
redis-k8s/0  master                          1234  redis-k8s/0          2 replicas, 3 sentinels
redis-k8s/1  replica    redis-k8s/0  up      1234  redis-k8s/0 (odown)  2 replicas, 3 sentinels
redis-k8s/2  no answer                             -

Id  Integration provider   Requirer               Interface    Type
 0  redis-k8s:redis-peers  redis-k8s:redis-peers  redis-peers  peer
 3  redis-k8s:redis        shop:cache             redis        regular
"#;
        assert_eq!(view.tabular(), expected);
    }

    #[test]
    fn an_empty_model_is_told_as_such_and_a_model_without_redis_has_no_roles() {
        let mut status = ModelStatus { applications: vec![], relations: vec![], ..model() };
        let tabular = |status: &ModelStatus| {
            let view = View {
                status,
                servers: &[],
                relations: false,
                time: "11:19:11Z",
                version: "3.6.28",
                speed: 1.0,
            };
            view.tabular()
        };
        assert!(tabular(&status).ends_with("\nModel \"lab\" is empty.\n"));
        status.applications = model().applications;
        assert!(!tabular(&status).contains("Redis"));
    }

    #[test]
    fn json_has_the_keys_that_juju_gives_it() {
        let view = View {
            status: &model(),
            servers: &[],
            relations: false,
            time: "11:19:11Z",
            version: "3.6.28",
            speed: 1.0,
        };
        let value = view.value();
        let application = &value["applications"]["redis-k8s"];
        assert_eq!(application["application-status"]["current"], "active");
        assert_eq!(application["units"]["redis-k8s/0"]["leader"], true);
        assert_eq!(application["units"]["redis-k8s/2"]["juju-status"]["current"], "executing");
    }
}
