//! What forgetting leaves behind, and how it went: read from the Sentinels by redis-cli and from
//! their logs, apart from the charm's code.

use std::time::Duration;

use testbed::redis::answers::Answer;
use testbed::redis::pod::RedisPod;
use testbed::redis::sampler::Sampler;
use testbed::redis::server::SENTINEL_PORT;

use crate::scene::APPLICATION;
use crate::scene::Scene;
use crate::scene::unit;

/// Sentinel's own `info-period`, in ms.
pub(crate) const INFO_PERIOD: u64 = 10_000;

/// A unit leaves as Juju and Kubernetes remove it: its processes end, its connections are closed, its
/// address and name are gone, and goal-state lists it no more.
pub(crate) fn leave(scene: &Scene, number: u32) {
    scene.bed.remove(number).unwrap();
    unlist(scene, number);
}

/// goal-state lists a unit no more.
pub(crate) fn unlist(scene: &Scene, number: u32) {
    scene.controller.edit(|model| model.remove_unit(&unit(number)));
}

/// Whether every Sentinel of these units lists exactly the others, and no other replica.
pub(crate) fn is_exact(scene: &Scene, units: &[u32], master: u32) -> bool {
    let hosts = |without: u32| -> Vec<String> {
        let others = units.iter().filter(|number| **number != without);
        let mut hosts: Vec<String> = others.map(|number| scene.bed.host(*number)).collect();
        hosts.sort_unstable();
        hosts
    };
    units.iter().all(|number| {
        let view = scene.bed.pod(*number).unwrap().sentinel_view().unwrap();
        view.master_host.as_deref() == Some(scene.bed.host(master).as_str())
            && view.replica_hosts() == hosts(master)
            && view.sentinel_hosts() == hosts(*number)
    })
}

/// What each of these units' Sentinels is told to do every so often, in ms.
pub(crate) fn info_periods(scene: &Scene, units: &[u32]) -> Vec<u64> {
    let period = |number: &u32| {
        let answer = scene.bed.pod(*number).unwrap().sentinel("SENTINEL DEBUG").unwrap();
        let Answer::Said(periods) = answer else { panic!("{answer:?}") };
        periods["INFO-PERIOD"].as_str().unwrap().parse().unwrap()
    };
    units.iter().map(period).collect()
}

/// How many resets these units' Sentinels have logged.
pub(crate) fn resets(scene: &Scene, units: &[u32]) -> usize {
    times(scene, units, "+reset-master").len()
}

/// When these units' Sentinels logged an event, in the order of time, in ms of the month.
pub(crate) fn times(scene: &Scene, units: &[u32], event: &str) -> Vec<u64> {
    let mut found = Vec::new();
    for number in units {
        let log = scene.bed.pod(*number).unwrap().sentinel_log();
        let lines = log.lines().filter_map(Line::parse);
        found.extend(lines.filter(|line| line.is(event)).map(|line| line.at));
    }
    found.sort_unstable();
    found
}

/// One reset, by a Sentinel's own log.
#[derive(Debug)]
pub(crate) struct Reset {
    /// The unit.
    pub(crate) unit: u32,
    /// When, in ms of the month.
    pub(crate) at: u64,
    /// When it knew again the last of those that it was to know.
    pub(crate) knows_again: u64,
}

/// The resets of these units' Sentinels in the order of time, and when each Sentinel then listed
/// every other unit again, as replica (but for the master) and as Sentinel.
pub(crate) fn timeline(scene: &Scene, units: &[u32], master: u32) -> Vec<Reset> {
    let mut found = Vec::new();
    for number in units {
        let log = scene.bed.pod(*number).unwrap().sentinel_log();
        let lines: Vec<Line<'_>> = log.lines().filter_map(Line::parse).collect();
        for (place, reset) in lines.iter().enumerate().filter(|(_, line)| line.is("+reset-master"))
        {
            let learned = |event: &str, host: &str| {
                let line = lines[place..].iter().find(|line| line.is(event) && line.names(host));
                line.unwrap_or_else(|| panic!("{event} of {host} after its reset: {log}")).at
            };
            let others = units.iter().filter(|other| *other != number);
            let sentinels = others.map(|other| learned("+sentinel", &scene.bed.host(*other)));
            let replicas = units.iter().filter(|other| **other != master);
            let replicas = replicas.map(|other| learned("+slave", &scene.bed.host(*other)));
            let knows_again = sentinels.chain(replicas).max().unwrap_or(reset.at);
            found.push(Reset { unit: *number, at: reset.at, knows_again });
        }
    }
    found.sort_by_key(|reset| reset.at);
    found
}

/// A line such as `71:X 28 Jul 2026 06:43:01.123 * +slave slave HOST:PORT HOST PORT @ ..`.
struct Line<'a> {
    at: u64,
    words: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (clock, milliseconds) = words.get(4)?.split_once('.')?;
        let [hours, minutes, seconds] = clock.split(':').collect::<Vec<_>>().try_into().ok()?;
        let number = |text: &str| text.parse::<u64>().ok();
        let hours = number(words.get(1)?)? * 24 + number(hours)?;
        let seconds = (hours * 60 + number(minutes)?) * 60 + number(seconds)?;
        Some(Self { at: seconds * 1000 + number(milliseconds)?, words })
    }

    fn is(&self, event: &str) -> bool {
        self.words.get(6) == Some(&event)
    }

    fn names(&self, host: &str) -> bool {
        self.words.get(9) == Some(&host)
    }
}

/// Samplers of these units' Sentinels.
pub(crate) struct Watch(Vec<Sampler>);

/// What they saw.
#[derive(Debug)]
pub(crate) struct Seen {
    /// How many Sentinels knew fewer replicas than they should at some instant.
    pub(crate) blind: usize,
    /// How often two did at the same instant.
    pub(crate) blind_together: usize,
    /// The longest time between two answers of one Sentinel.
    pub(crate) largest_gap: Duration,
}

impl Watch {
    pub(crate) fn start(scene: &Scene, units: &[u32]) -> Self {
        let password = scene.bed.layout().sentinel_password.as_deref();
        let sampler = |pod: &RedisPod| {
            let namespace = pod.pod().unwrap();
            Sampler::start(&namespace, SENTINEL_PORT, APPLICATION, password).unwrap()
        };
        Self(units.iter().map(|number| sampler(&scene.bed.pod(*number).unwrap())).collect())
    }

    /// Who was blind and when: knew fewer than `replicas`.
    pub(crate) fn seen(&self, replicas: u64) -> Seen {
        let spells: Vec<Vec<(Duration, Duration)>> =
            self.0.iter().map(|sampler| blind_spells(sampler, replicas)).collect();
        let mut blind_together = 0;
        for (place, own) in spells.iter().enumerate() {
            for others in &spells[place + 1..] {
                let together = |one: &(Duration, Duration), other: &(Duration, Duration)| {
                    one.0 <= other.1 && other.0 <= one.1
                };
                blind_together += own
                    .iter()
                    .map(|one| others.iter().filter(|other| together(one, other)).count())
                    .sum::<usize>();
            }
        }
        let gaps = self.0.iter().map(|sampler| sampler.summary().largest_gap);
        Seen {
            blind: spells.iter().filter(|spells| !spells.is_empty()).count(),
            blind_together,
            largest_gap: gaps.max().unwrap_or_default(),
        }
    }
}

/// From the first to the last of the samples in a row that know fewer.
fn blind_spells(sampler: &Sampler, replicas: u64) -> Vec<(Duration, Duration)> {
    let taken = sampler.samples();
    let spells = taken.chunk_by(|one, next| {
        let is_blind = |known: Option<u64>| known.is_some_and(|known| known < replicas);
        is_blind(one.replicas) == is_blind(next.replicas)
    });
    spells
        .filter(|spell| spell[0].replicas.is_some_and(|known| known < replicas))
        .map(|spell| (spell[0].at, spell[spell.len() - 1].at))
        .collect()
}
