//! Who is master: what each Redis and each Sentinel of a unit says of itself, by `INFO`.

use std::collections::BTreeMap;

use super::table::Table;
use crate::lab::status::ModelStatus;
use crate::lab::status::UnitStatus;

/// What the servers of a unit said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// The unit.
    pub unit: String,
    /// Its Redis.
    pub redis: Told<Replication>,
    /// Its Sentinel.
    pub sentinel: Told<Vec<Watched>>,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<T> {
    /// An answer.
    Said(T),
    /// A server that did not answer as it should, with its own words or the client's.
    Refused(String),
    /// Nobody is there.
    Nobody,
}

/// `INFO replication`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replication {
    /// `master` or `slave`, as Redis calls them.
    pub role: String,
    /// Of a replica, the host of its master.
    pub master: String,
    /// Of a replica, `up` or `down`.
    pub link: String,
    /// How far its data are.
    pub offset: String,
}

/// A master that a Sentinel watches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// The host that it names.
    pub host: String,
    /// `ok`, `sdown`, `odown`.
    pub status: String,
    /// How many replicas it knows.
    pub replicas: String,
    /// How many Sentinels it knows, itself included.
    pub sentinels: String,
}

/// Reads the answer to `INFO replication`.
pub fn replication(text: &str) -> Told<Replication> {
    let fields = fields(text);
    let field = |name| fields.get(name).map(|&value| value.to_owned()).unwrap_or_default();
    if !fields.contains_key("role") {
        return unanswered(text);
    }
    let is_replica = fields.get("role") == Some(&"slave");
    let offset = if is_replica { "slave_repl_offset" } else { "master_repl_offset" };
    Told::Said(Replication {
        role: field("role"),
        master: field("master_host"),
        link: field("master_link_status"),
        offset: field(offset),
    })
}

/// Reads the answer to `INFO sentinel`.
pub fn watched(text: &str) -> Told<Vec<Watched>> {
    let fields = fields(text);
    if !fields.contains_key("sentinel_masters") {
        return unanswered(text);
    }
    // master0:name=redis-k8s,status=ok,address=10.1.0.10:6379,slaves=2,sentinels=3
    let lines = fields.iter().filter(|(_, value)| value.starts_with("name="));
    let master = |(_, line): (_, &&str)| {
        let pairs: BTreeMap<&str, &str> =
            line.split(',').filter_map(|pair| pair.split_once('=')).collect();
        let pair = |name| pairs.get(name).copied().unwrap_or_default();
        let address = pair("address");
        Watched {
            host: address.rsplit_once(':').map_or(address, |(host, _)| host).to_owned(),
            status: pair("status").to_owned(),
            replicas: pair("slaves").to_owned(),
            sentinels: pair("sentinels").to_owned(),
        }
    };
    Told::Said(lines.map(master).collect())
}

fn fields(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.trim().split_once(':')).collect()
}

fn unanswered<T>(text: &str) -> Told<T> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    match line {
        None => Told::Refused("no answer".to_owned()),
        Some(line) if line.contains("Connection refused") => Told::Nobody,
        Some(line) => Told::Refused(line.to_owned()),
    }
}

/// The table of them all; nothing where no unit has any.
pub fn text(servers: &[Servers], status: &ModelStatus) -> String {
    let is_silent = |it: &Servers| it.redis == Told::Nobody && it.sentinel == Told::Nobody;
    if servers.iter().all(is_silent) {
        return String::new();
    }
    let units: Vec<&UnitStatus> = status.applications.iter().flat_map(|it| &it.units).collect();
    let mut table = Table::new(
        &["Redis", "Role", "Master", "Link", "Offset", "Sentinel names", "It knows"],
        &[4],
    );
    for it in servers {
        let [role, master, link, offset] = redis_cells(&it.redis, &units);
        let [named, known] = sentinel_cells(&it.sentinel, &units);
        table.row(&[&it.unit, &role, &master, &link, &offset, &named, &known]);
    }
    table.text()
}

fn redis_cells(redis: &Told<Replication>, units: &[&UnitStatus]) -> [String; 4] {
    let told = |text: &str| [text.to_owned(), String::new(), String::new(), String::new()];
    match redis {
        Told::Nobody => told("-"),
        Told::Refused(text) => told(text),
        Told::Said(redis) => {
            let role = if redis.role == "slave" { "replica" } else { &redis.role };
            let master = unit_of(&redis.master, units);
            [role.to_owned(), master, redis.link.clone(), redis.offset.clone()]
        }
    }
}

fn sentinel_cells(sentinel: &Told<Vec<Watched>>, units: &[&UnitStatus]) -> [String; 2] {
    let masters = match sentinel {
        Told::Nobody => return ["-".to_owned(), String::new()],
        Told::Refused(text) => return [text.clone(), String::new()],
        Told::Said(masters) if masters.is_empty() => return ["nobody".to_owned(), String::new()],
        Told::Said(masters) => masters,
    };
    let name = |it: &Watched| match it.status.as_str() {
        "ok" => unit_of(&it.host, units),
        status => format!("{} ({status})", unit_of(&it.host, units)),
    };
    let counts = |it: &Watched| format!("{} replicas, {} sentinels", it.replicas, it.sentinels);
    let all =
        |cell: &dyn Fn(&Watched) -> String| masters.iter().map(cell).collect::<Vec<_>>().join("; ");
    [all(&name), all(&counts)]
}

/// The unit whose host that is, by its pod's name or address; otherwise the host.
fn unit_of(host: &str, units: &[&UnitStatus]) -> String {
    let label = host.split('.').next().unwrap_or(host);
    let is_its = |unit: &&&UnitStatus| unit.address == host || unit.name.replace('/', "-") == label;
    units.iter().find(is_its).map_or(host, |unit| &unit.name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::Replication;
    use super::Told;
    use super::Watched;
    use super::replication;
    use super::watched;

    #[test]
    fn the_answers_of_redis_7_are_read() {
        let master = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n\
             slave0:ip=redis-k8s-1,port=6379,state=online,offset=340,lag=0\r\n\
             master_repl_offset:340\r\n";
        let expected = Replication {
            role: "master".to_owned(),
            offset: "340".to_owned(),
            ..Replication::default()
        };
        assert_eq!(replication(master), Told::Said(expected));

        let replica = "# Replication\r\nrole:slave\r\nmaster_host:redis-k8s-0\r\n\
             master_port:6379\r\nmaster_link_status:down\r\nslave_repl_offset:12\r\n\
             master_repl_offset:0\r\n";
        let expected = Replication {
            role: "slave".to_owned(),
            master: "redis-k8s-0".to_owned(),
            link: "down".to_owned(),
            offset: "12".to_owned(),
        };
        assert_eq!(replication(replica), Told::Said(expected));
    }

    #[test]
    fn the_answers_of_sentinel_7_are_read() {
        let text = "# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:0\r\n\
             master0:name=redis-k8s,status=odown,address=redis-k8s-0.x:6379,slaves=2,sentinels=3\r\n";
        let expected = Watched {
            host: "redis-k8s-0.x".to_owned(),
            status: "odown".to_owned(),
            replicas: "2".to_owned(),
            sentinels: "3".to_owned(),
        };
        assert_eq!(watched(text), Told::Said(vec![expected]));
        assert_eq!(watched("# Sentinel\r\nsentinel_masters:0\r\n"), Told::Said(vec![]));
    }

    #[test]
    fn a_server_that_is_not_there_is_told_from_one_that_refuses() {
        let refused = |text: &str| Told::Refused(text.to_owned());
        let table = [
            ("Could not connect to Redis at 127.0.0.1:6379: Connection refused\n", Told::Nobody),
            ("NOAUTH Authentication required.\n", refused("NOAUTH Authentication required.")),
            ("", refused("no answer")),
        ];
        for (text, expected) in table {
            assert_eq!(replication(text), expected, "{text}");
        }
    }
}
