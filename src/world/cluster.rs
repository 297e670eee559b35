//! What the Redis and Sentinel of every unit said in one census, and what their views list.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use crate::names::Naming;

/// What a server said, or why it said nothing: silence is a fact to weigh, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// It answered.
    Said(T),
    /// It gave no usable answer.
    Silent(Silence),
}

impl<T> Answer<T> {
    /// What was said, if anything.
    pub fn said(&self) -> Option<&T> {
        match self {
            Self::Said(said) => Some(said),
            Self::Silent(_) => None,
        }
    }

    /// Why nothing was said.
    pub fn silence(&self) -> Option<&Silence> {
        match self {
            Self::Said(_) => None,
            Self::Silent(silence) => Some(silence),
        }
    }
}

/// Why a server gave no usable answer. Its text completes "Sentinel of redis-k8s/1 ..".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It was not asked: the run was cut short.
    NotAsked,
    /// Its name has no address.
    NotResolved,
    /// Nothing listens there.
    Refused,
    /// It, or the look-up of its name, took longer than a round allows.
    TimedOut,
    /// AUTH with the databag's password was refused.
    WrongPassword,
    /// It wants a password and the databag says that there is none.
    PasswordWanted,
    /// It has no password although the databag says so.
    NoPassword,
    /// Its Sentinel watches no master of the application's name.
    UnknownMaster,
    /// It speaks TLS.
    Tls,
    /// It speaks something that is not the Redis protocol, or answered in a shape we do not know.
    NotRedis,
    /// The connection ended in the middle of an answer.
    Cut,
    /// Its answer has no end, or none within reason.
    TooLong,
    /// It answered with an error of its own, such as `LOADING`.
    Error(String),
}

impl Silence {
    /// True for what would cost another time-out to ask again in the same run.
    pub fn is_slow(&self) -> bool {
        matches!(self, Self::TimedOut | Self::NotResolved)
    }

    /// What to do about a silence whose text does not say it: for the log, where there is room.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NotResolved => "; see whether its pod is there and the cluster's DNS answers",
            Self::Refused => "; see whether its pod is there and what its container's log says",
            Self::TimedOut => {
                "; it hangs, or packets to its pod are lost: see the pod and its node"
            }
            Self::Error(_) => "; see its container's log",
            Self::WrongPassword
            | Self::PasswordWanted
            | Self::NoPassword
            | Self::UnknownMaster
            | Self::Tls
            | Self::NotRedis
            | Self::Cut
            | Self::TooLong
            | Self::NotAsked => "",
        }
    }

    /// True where somebody answers, but not as the databag says it should.
    pub fn needs_a_cure(&self) -> bool {
        !matches!(self, Self::NotAsked | Self::NotResolved | Self::Refused | Self::TimedOut)
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NotAsked => "was not asked: the run was cut short",
            Self::NotResolved => "cannot be found: its name does not resolve",
            Self::Refused => "refuses connections: it is not running",
            Self::TimedOut => "does not answer in time",
            Self::WrongPassword => {
                "refuses the password of the peer databag; restart its pod so that it takes it"
            }
            Self::PasswordWanted => {
                "wants a password where the peer databag has none; restart its pod so that it runs without"
            }
            Self::NoPassword => {
                "runs without the password of the peer databag; restart its pod so that it takes it"
            }
            Self::UnknownMaster => {
                "watches no master of this application; restart its pod so that its file is new"
            }
            Self::Tls => "speaks TLS on the plain port; set enable-tls to false",
            Self::NotRedis => "is not Redis: something else answers on its port; stop that",
            Self::Cut => "cut its answer short; look at its log",
            Self::TooLong => {
                "sends more than any answer has: is it Redis? look what runs in its pod"
            }
            Self::Error(text) => return write!(out, "answers with an error: {text}"),
        };
        out.write_str(text)
    }
}

/// What a Redis is (`ROLE`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It takes writes.
    Master,
    /// It follows the named host; `link_up` when it is connected to it.
    Replica {
        /// The host it follows.
        of: String,
        /// True when the state of the link is `connected`.
        link_up: bool,
    },
}

/// What a Redis says of itself (`ROLE` and `INFO`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisView {
    /// Its role.
    pub role: Role,
    /// `run_id`: 40 hex digits, new with each process.
    pub run_id: String,
    /// The hosts of the replicas that a master lists (`slaveN:ip=`).
    pub replicas: Vec<String>,
    /// It holds a key, or is still reading its file.
    pub has_data: bool,
    /// A replica's `slave_priority`; Sentinel never promotes one with 0.
    pub priority: Option<u32>,
    /// How much of the replication stream it has, as `ROLE` tells it; 0 without a link.
    pub offset: u64,
}

/// One replica or Sentinel that a Sentinel lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The run id; of a Sentinel its `myid`. Empty until first seen.
    pub run_id: String,
    /// Held for down (`s_down` or `o_down` among its flags).
    pub down: bool,
    /// A replica that it would promote, as far as it knows: connected, not held for down, and its
    /// priority was above 0 when it last asked, which is up to one `info-period` ago.
    pub eligible: bool,
}

/// What a Sentinel says of the application's master (`SENTINEL MASTER` and its companions).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentinelView {
    /// `myid`: 40 hex digits.
    pub my_id: String,
    /// `ip` of `SENTINEL MASTER`: on the leader of a failover the old master until its end.
    pub master: String,
    /// The host of `SENTINEL GET-MASTER-ADDR-BY-NAME`: the vote.
    pub vote: String,
    /// `config-epoch`: the rank of the vote.
    pub epoch: u64,
    /// `quorum`.
    pub quorum: usize,
    /// The master is held for down.
    pub master_down: bool,
    /// `failover_in_progress`: shown only by the Sentinel that leads the failover.
    pub leads_failover: bool,
    /// The replicas it knows.
    pub replicas: Vec<Entry>,
    /// The other Sentinels it knows.
    pub sentinels: Vec<Entry>,
    /// `info-period` of `SENTINEL DEBUG`, in ms; `None` where it is not told.
    pub info_period: Option<u64>,
    /// `last-ok-ping-reply`: how long the master has given no good answer, in ms.
    pub master_silence: u64,
    /// `down-after-milliseconds`.
    pub down_after: u64,
}

impl SentinelView {
    /// Whether the master has not answered it for longer than a pause between two PINGs.
    pub fn is_master_silent(&self) -> bool {
        self.master_silence >= MASTER_IS_SILENT
    }

    /// Whether it may begin a failover by itself at any moment, or has begun one that it does not
    /// show yet. An attempt ends, well or not, within the failover-timeout.
    pub fn may_act_by_itself(&self) -> bool {
        let begins = self.down_after.saturating_sub(BEFORE_IT_ACTS);
        let ends = self.down_after.saturating_add(FAILOVER_TIMEOUT);
        (begins..ends).contains(&self.master_silence)
    }
}

/// In ms. A master that lives answers each second.
const MASTER_IS_SILENT: u64 = 2_000;

/// In ms. A failover that was asked for in time is known to all after 1.2 s.
const BEFORE_IT_ACTS: u64 = 1_500;

/// In ms; the charm's setting of every Sentinel. An attempt that failed is repeated after twice this.
pub const FAILOVER_TIMEOUT: u64 = 10_000;

/// One unit that goal-state lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// True for a unit that is `dying`: it still runs, and is not planned any more.
    pub leaving: bool,
    /// The address that it was asked at.
    pub address: Option<IpAddr>,
    /// Its Redis.
    pub redis: Answer<RedisView>,
    /// Its Sentinel.
    pub sentinel: Answer<SentinelView>,
}

/// What a Sentinel's list has an entry of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A replica.
    Redis,
    /// Another Sentinel.
    Sentinel,
}

/// An entry that is no planned unit's exact name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stranger {
    /// Redis or Sentinel.
    pub kind: Kind,
    /// Host as listed.
    pub host: String,
    /// Port as listed.
    pub port: u16,
}

impl fmt::Display for Stranger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Redis => "replica",
            Kind::Sentinel => "Sentinel",
        };
        write!(out, "{kind} {}:{}", self.host, self.port)
    }
}

/// The views of all units, asked at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// How the units are called.
    pub naming: Naming,
    /// The units of goal-state by number.
    pub members: BTreeMap<u32, Member>,
    /// What answers under the strangers' names: a run id (of a Sentinel its `myid`).
    pub strangers: BTreeMap<Stranger, Answer<String>>,
}

impl Cluster {
    /// The units that are to stay.
    pub fn planned(&self) -> BTreeSet<u32> {
        self.members.iter().filter(|(_, member)| !member.leaving).map(|(n, _)| *n).collect()
    }

    /// The units that leave, and those that have left while some Sentinel still knows them.
    pub fn leaving(&self) -> BTreeSet<u32> {
        let leave = self.members.iter().filter(|(_, member)| member.leaving).map(|(n, _)| *n);
        let strangers = self.sentinels().flat_map(|(_, view)| self.strangers_in(view));
        let left = strangers.filter_map(|stranger| self.naming.unit_meant(&stranger.host));
        let planned = self.planned();
        leave.chain(left).filter(|unit| !planned.contains(unit)).collect()
    }

    /// The Sentinels that answered, by unit.
    pub fn sentinels(&self) -> impl Iterator<Item = (u32, &SentinelView)> {
        self.members.iter().filter_map(|(n, member)| Some((*n, member.sentinel.said()?)))
    }

    /// The Redis servers that answered, by unit.
    pub fn redis_servers(&self) -> impl Iterator<Item = (u32, &RedisView)> {
        self.members.iter().filter_map(|(n, member)| Some((*n, member.redis.said()?)))
    }

    /// The Sentinel of one unit, if it answered.
    pub fn sentinel(&self, unit: u32) -> Option<&SentinelView> {
        self.members.get(&unit)?.sentinel.said()
    }

    /// The Redis of one unit, if it answered.
    pub fn redis(&self, unit: u32) -> Option<&RedisView> {
        self.members.get(&unit)?.redis.said()
    }

    /// The unit that a host means: by its name, else by the address that a member was asked at.
    pub fn unit_at(&self, host: &str) -> Option<u32> {
        self.naming.unit_meant(host).or_else(|| {
            let address: IpAddr = host.parse().ok()?;
            self.members.iter().find(|(_, member)| member.address == Some(address)).map(|(n, _)| *n)
        })
    }

    /// The planned unit whose exact host name this is.
    pub fn planned_unit_named(&self, host: &str) -> Option<u32> {
        let unit = self.naming.unit_meant(host)?;
        let planned = self.members.get(&unit).is_some_and(|member| !member.leaving);
        (planned && self.naming.host(unit) == host).then_some(unit)
    }

    /// The planned units that a Sentinel lists as replicas or as other Sentinels, by exact name.
    pub fn planned_units_in(&self, entries: &[Entry]) -> BTreeSet<u32> {
        entries.iter().filter_map(|entry| self.planned_unit_named(&entry.host)).collect()
    }

    /// The entries of a Sentinel's view that are no planned unit's exact name.
    pub fn strangers_in(&self, view: &SentinelView) -> Vec<Stranger> {
        let of_kind = |kind, entries: &[Entry]| -> Vec<Stranger> {
            entries
                .iter()
                .filter(|entry| self.planned_unit_named(&entry.host).is_none())
                .map(|entry| Stranger { kind, host: entry.host.clone(), port: entry.port })
                .collect()
        };
        let mut strangers = of_kind(Kind::Redis, &view.replicas);
        strangers.extend(of_kind(Kind::Sentinel, &view.sentinels));
        strangers
    }

    /// The planned units whose Sentinel lists a stranger, lowest first.
    pub fn stale_sentinels(&self) -> Vec<u32> {
        let planned = self.planned();
        self.sentinels()
            .filter(|(unit, view)| planned.contains(unit) && !self.strangers_in(view).is_empty())
            .map(|(unit, _)| unit)
            .collect()
    }
}
