//! What Redis and Sentinel answer, asked through `redis-cli` and independent of any charm.

use std::collections::BTreeMap;

use serde_json::Value;

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A value; the text of INFO is a string.
    Said(Value),
    /// An error of the server, with its code.
    Error(String),
}

impl Answer {
    /// The answer as one text, an error too: for tests that look for a word.
    pub fn text(&self) -> String {
        match self {
            Self::Said(Value::String(text)) | Self::Error(text) => text.clone(),
            Self::Said(value) => value.to_string(),
        }
    }

    /// What `redis-cli --json` printed for one command.
    pub(crate) fn parse(printed: &str) -> Self {
        let printed = printed.trim_end_matches('\n');
        if let Some(error) = printed.strip_prefix("error:") {
            let error = error.trim();
            return Self::Error(serde_json::from_str(error).unwrap_or_else(|_| error.to_owned()));
        }
        // INFO is printed as it is.
        Self::Said(serde_json::from_str(printed).unwrap_or_else(|_| printed.into()))
    }
}

/// The fields that Sentinel tells of a master, a replica or another Sentinel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    fn parse(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let fields = value.as_object().into_iter().flatten();
        Self(fields.map(|(name, value)| (name.clone(), text(value))).collect())
    }

    /// A field, empty if it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A field that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }

    /// Whether this is among the flags.
    pub fn has_flag(&self, flag: &str) -> bool {
        self.text("flags").split(',').any(|set| set == flag)
    }

    /// Whether it was reached and is not held for down.
    pub fn is_well(&self) -> bool {
        let bad = ["s_down", "o_down", "disconnected", "master_down", "failover_in_progress"];
        !self.text("runid").is_empty() && !bad.iter().any(|flag| self.has_flag(flag))
    }
}

/// What one Sentinel knows, taken in one call.
#[derive(Debug, Clone, PartialEq)]
pub struct SentinelView {
    /// GET-MASTER-ADDR-BY-NAME's host; none if it does not know the group.
    pub master_host: Option<String>,
    /// MASTER.
    pub master: Fields,
    /// REPLICAS.
    pub replicas: Vec<Fields>,
    /// SENTINELS: the others.
    pub sentinels: Vec<Fields>,
}

impl SentinelView {
    /// What to ask a Sentinel about the master of that name.
    pub(crate) fn questions(group: &str) -> [String; 4] {
        [
            format!("SENTINEL GET-MASTER-ADDR-BY-NAME {group}"),
            format!("SENTINEL MASTER {group}"),
            format!("SENTINEL REPLICAS {group}"),
            format!("SENTINEL SENTINELS {group}"),
        ]
    }

    /// From the answers to GET-MASTER-ADDR-BY-NAME, MASTER, REPLICAS and SENTINELS.
    pub(crate) fn parse(answers: &[Answer]) -> Option<Self> {
        let [address, master, replicas, sentinels] = answers else {
            return None;
        };
        let list = |answer: &Answer| match answer {
            Answer::Said(Value::Array(items)) => items.iter().map(Fields::parse).collect(),
            Answer::Said(_) | Answer::Error(_) => Vec::new(),
        };
        let Answer::Said(address) = address else {
            return None;
        };
        let master = match master {
            Answer::Said(fields) => Fields::parse(fields),
            Answer::Error(_) => Fields::default(),
        };
        Some(Self {
            master_host: address.get(0).and_then(Value::as_str).map(str::to_owned),
            master,
            replicas: list(replicas),
            sentinels: list(sentinels),
        })
    }

    /// The config-epoch.
    pub fn epoch(&self) -> Option<u64> {
        self.master.number("config-epoch")
    }

    /// The hosts of the replicas, sorted.
    pub fn replica_hosts(&self) -> Vec<&str> {
        hosts(&self.replicas)
    }

    /// The hosts of the other Sentinels, sorted.
    pub fn sentinel_hosts(&self) -> Vec<&str> {
        hosts(&self.sentinels)
    }

    /// Whether all that it lists is well, replication links too.
    pub fn is_well(&self) -> bool {
        self.master.is_well()
            && self.sentinels.iter().all(Fields::is_well)
            && self
                .replicas
                .iter()
                .all(|replica| replica.is_well() && replica.text("master-link-status") == "ok")
    }
}

fn hosts(entries: &[Fields]) -> Vec<&str> {
    let mut hosts: Vec<_> = entries.iter().map(|entry| entry.text("ip")).collect();
    hosts.sort_unstable();
    hosts
}

/// What ROLE says of a Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A master and the hosts of its replicas.
    Master {
        /// Sorted.
        replicas: Vec<String>,
    },
    /// A replica.
    Replica {
        /// The host of its master.
        master: String,
        /// Whether the link is up and the first copy done.
        connected: bool,
    },
}

impl Role {
    pub(crate) fn parse(answer: &Answer) -> Option<Self> {
        let Answer::Said(answer) = answer else {
            return None;
        };
        let text = |at: usize| answer.get(at).and_then(Value::as_str);
        match text(0)? {
            "master" => {
                let replicas = answer.get(2)?.as_array()?.iter();
                let hosts = replicas.filter_map(|replica| replica.get(0)?.as_str());
                let mut replicas: Vec<_> = hosts.map(str::to_owned).collect();
                replicas.sort_unstable();
                Some(Self::Master { replicas })
            }
            "slave" => Some(Self::Replica {
                master: text(1)?.to_owned(),
                connected: text(3)? == "connected",
            }),
            _ => None,
        }
    }
}
