//! The census: the Redis and Sentinel of every unit, asked at the same time under one deadline.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

use crate::clients::names::address_of;
use crate::clients::parallel::ask_all;
use crate::clients::redis::commands;
use crate::clients::redis::connection::Connection;
use crate::clients::redis::connection::Failure;
use crate::clients::redis::sentinel;
use crate::clock::Budget;
use crate::names::REDIS_PORT;
use crate::names::SENTINEL_PORT;
use crate::observe::views;
use crate::world::access::Access;
use crate::world::cluster::Answer;
use crate::world::cluster::Cluster;
use crate::world::cluster::Kind;
use crate::world::cluster::Member;
use crate::world::cluster::RedisView;
use crate::world::cluster::SentinelView;
use crate::world::cluster::Silence;
use crate::world::cluster::Stranger;
use crate::world::password::Password;

/// What one round may take. A deleted pod's address drops packets: this is what it costs.
pub const ROUND: Duration = Duration::from_secs(1);

/// Asks everybody: the units of goal-state (true for one that is leaving), then those whom a Sentinel
/// lists under a name that is no planned unit's.
pub fn census(access: &Access, units: BTreeMap<u32, bool>, budget: &Budget) -> Cluster {
    look(access, unasked(access, units), budget)
}

/// Asks this unit's own servers and nobody else.
pub fn own(access: &Access, budget: &Budget) -> Cluster {
    look_at_units(access, unasked(access, BTreeMap::from([(access.unit, false)])), budget)
}

fn unasked(access: &Access, units: BTreeMap<u32, bool>) -> Cluster {
    let unasked = |leaving| Member {
        leaving,
        address: None,
        redis: Answer::Silent(Silence::NotAsked),
        sentinel: Answer::Silent(Silence::NotAsked),
    };
    let members = units.into_iter().map(|(unit, leaving)| (unit, unasked(leaving))).collect();
    Cluster { naming: access.naming.clone(), members, strangers: BTreeMap::new() }
}

/// Looks again. Who was silent for a whole round is left out: a run waits for one time-out only. A
/// look that the budget cuts short tells nothing: then what was seen before stands.
pub fn look(access: &Access, before: Cluster, budget: &Budget) -> Cluster {
    let seen = look_at_all(access, before.clone(), budget);
    if budget.left().is_some() { seen } else { before }
}

fn look_at_all(access: &Access, cluster: Cluster, budget: &Budget) -> Cluster {
    let cluster = look_at_units(access, cluster, budget);
    look_at_strangers(access, cluster, budget)
}

/// Asks the units and nobody else, in one round.
pub fn look_at_units(access: &Access, mut cluster: Cluster, budget: &Budget) -> Cluster {
    let questions = member_questions(access, &cluster);
    let asked: Vec<Subject> = questions.iter().map(|(subject, _)| subject.clone()).collect();
    let mut replies = ask_all(questions, &budget.at_most(ROUND), ask);
    for subject in asked {
        if let Subject::Member(unit, kind) = subject
            && let Some(member) = cluster.members.get_mut(&unit)
        {
            note(member, kind, replies.remove(&subject));
        }
    }
    cluster
}

fn look_at_strangers(access: &Access, mut cluster: Cluster, budget: &Budget) -> Cluster {
    let questions = stranger_questions(access, &cluster);
    let asked: Vec<Subject> = questions.iter().map(|(subject, _)| subject.clone()).collect();
    let mut replies = ask_all(questions, &budget.at_most(ROUND), ask);
    for subject in asked {
        let reply = replies.remove(&subject).map(|reply| reply.said);
        if let Subject::Stranger(stranger) = subject {
            cluster.strangers.insert(stranger, run_id(reply));
        }
    }
    cluster
}

/// Looks again and again until the group is at rest, or what it waits for will not pass soon, or the
/// time for waiting is over. The last look has `budget`, so that it is not cut short by the end of
/// the wait.
pub fn until_settled(
    access: &Access,
    mut cluster: Cluster,
    wait: &Budget,
    budget: &Budget,
) -> Cluster {
    while wait.pause(BETWEEN_LOOKS) {
        cluster = look(access, cluster, budget);
        match cluster.settled() {
            Err(obstacle) if obstacle.may_pass_soon() => {}
            Ok(_) | Err(_) => break,
        }
    }
    cluster
}

/// Where a unit's servers are reached: its own at 127.0.0.1, so that its name need not resolve.
pub fn place(own: u32, cluster: &Cluster, unit: u32) -> Option<IpAddr> {
    if unit == own {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    cluster.members.get(&unit)?.address
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Member(u32, Kind),
    Stranger(Stranger),
}

struct Question {
    place: Place,
    port: u16,
    password: Option<Password>,
    what: What,
}

enum Place {
    Known(IpAddr),
    Named(String),
}

enum What {
    Redis,
    Sentinel { master: String },
    RunId(Kind),
}

struct Reply {
    address: Option<IpAddr>,
    said: Said,
}

enum Said {
    Redis(RedisView),
    Sentinel(SentinelView),
    RunId(String),
    Nothing(Silence),
}

fn member_questions(access: &Access, cluster: &Cluster) -> Vec<(Subject, Question)> {
    let slow = |silence: Option<&Silence>| silence.is_some_and(Silence::is_slow);
    let mut questions = Vec::new();
    for (unit, member) in &cluster.members {
        let place = || match place(access.unit, cluster, *unit) {
            Some(address) => Place::Known(address),
            None => Place::Named(access.naming.host(*unit)),
        };
        if !slow(member.redis.silence()) {
            let password = access.password_of(Kind::Redis).cloned();
            let question =
                Question { place: place(), port: REDIS_PORT, password, what: What::Redis };
            questions.push((Subject::Member(*unit, Kind::Redis), question));
        }
        if !slow(member.sentinel.silence()) {
            let what = What::Sentinel { master: access.naming.application.clone() };
            let password = access.password_of(Kind::Sentinel).cloned();
            let question = Question { place: place(), port: SENTINEL_PORT, password, what };
            questions.push((Subject::Member(*unit, Kind::Sentinel), question));
        }
    }
    questions
}

/// While a planned unit is silent nothing can be forgotten, and a run waits for one time-out only. A
/// master whose unit is gone is asked all the same: while it answers it is not replaced.
fn stranger_questions(access: &Access, cluster: &Cluster) -> Vec<(Subject, Question)> {
    let silent = |member: &Member| {
        [member.redis.silence(), member.sentinel.silence()]
            .into_iter()
            .flatten()
            .any(Silence::is_slow)
    };
    let mut strangers: BTreeSet<Stranger> = cluster.gone_master().into_iter().collect();
    if !cluster.members.values().any(silent) {
        strangers.extend(cluster.sentinels().flat_map(|(_, view)| cluster.strangers_in(view)));
    }
    strangers
        .into_iter()
        .filter(|stranger| !cluster.strangers.contains_key(stranger))
        .map(|stranger| {
            let question = Question {
                place: Place::Named(stranger.host.clone()),
                port: stranger.port,
                password: access.password_of(stranger.kind).cloned(),
                what: What::RunId(stranger.kind),
            };
            (Subject::Stranger(stranger), question)
        })
        .collect()
}

fn ask(question: Question, budget: &Budget) -> Reply {
    let address = match &question.place {
        Place::Known(address) => Some(*address),
        Place::Named(host) => address_of(host),
    };
    let Some(found) = address else {
        return Reply { address, said: Said::Nothing(Silence::NotResolved) };
    };
    let said = ask_at(SocketAddr::new(found, question.port), &question, budget)
        .unwrap_or_else(|failure| Said::Nothing(views::silence(failure)));
    Reply { address, said }
}

fn ask_at(address: SocketAddr, question: &Question, budget: &Budget) -> Result<Said, Failure> {
    let password = question.password.as_ref().map(Password::reveal);
    let mut connection = Connection::open(address, password, budget)?;
    match &question.what {
        What::Redis => Ok(Said::Redis(views::redis(commands::report(&mut connection)?))),
        What::Sentinel { master } => Ok(match sentinel::report(&mut connection, master)? {
            Some(report) => Said::Sentinel(views::sentinel(report)?),
            None => Said::Nothing(Silence::UnknownMaster),
        }),
        What::RunId(Kind::Redis) => Ok(Said::RunId(commands::run_id(&mut connection)?)),
        What::RunId(Kind::Sentinel) => Ok(Said::RunId(sentinel::my_id(&mut connection)?)),
    }
}

fn note(member: &mut Member, kind: Kind, reply: Option<Reply>) {
    let said = match reply {
        Some(Reply { address, said }) => {
            // The own unit's servers are asked at 127.0.0.1, which is no address of a unit.
            let outside = address.filter(|address| !address.is_loopback());
            member.address = outside.or(member.address);
            said
        }
        None => Said::Nothing(Silence::TimedOut),
    };
    match (kind, said) {
        (Kind::Redis, Said::Redis(view)) => member.redis = Answer::Said(view),
        (Kind::Sentinel, Said::Sentinel(view)) => member.sentinel = Answer::Said(view),
        (Kind::Redis, said) => member.redis = Answer::Silent(silence_of(said)),
        (Kind::Sentinel, said) => member.sentinel = Answer::Silent(silence_of(said)),
    }
}

fn run_id(said: Option<Said>) -> Answer<String> {
    match said {
        Some(Said::RunId(run_id)) => Answer::Said(run_id),
        Some(said) => Answer::Silent(silence_of(said)),
        None => Answer::Silent(Silence::TimedOut),
    }
}

fn silence_of(said: Said) -> Silence {
    match said {
        Said::Nothing(silence) => silence,
        Said::Redis(_) | Said::Sentinel(_) | Said::RunId(_) => Silence::NotRedis,
    }
}

/// A look takes a few milliseconds and opens two connections for each unit.
pub const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
