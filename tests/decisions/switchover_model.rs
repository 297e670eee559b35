//! A model of Redis and Sentinel, as far as a planned switch meets them: late, silent, and stopping at
//! random. It fails when two masters take writes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use redis_k8s::procedure::ask_failover::Taken;
use redis_k8s::procedure::switchover::FENCE;
use redis_k8s::procedure::switchover::Next;
use redis_k8s::procedure::switchover::Switchover;
use redis_k8s::world::cluster::Cluster;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;

use crate::worlds::Facts;
use crate::worlds::cluster;
use crate::worlds::host;

/// In ms.
pub(crate) type Time = u64;

pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) up: bool,
    pub(crate) follows: Option<u32>,
    pub(crate) writes: Vec<u64>,
    priority: u32,
    stops: bool,
    /// It gets nothing until then.
    stalls_until: Time,
    pub(crate) held_until: Time,
}

impl Server {
    fn copy(&mut self, writes: &[u64], now: Time, chance: &mut Chance) {
        if chance.one_in(100) {
            self.stalls_until = now + chance.below(1_000);
        }
        if now < self.stalls_until {
            return;
        }
        // Numbers are given in order: who has the same one in the same place has the same before it.
        let count = self.writes.len();
        if count > 0 && writes.get(count - 1) != self.writes.last() {
            self.writes.clear();
        }
        let step = usize::try_from(chance.below(20)).unwrap();
        self.writes.extend(writes.iter().skip(self.writes.len()).take(step));
        // Its keeper raises it a while after it has all data.
        if self.priority == 0
            && !self.stops
            && self.writes.len() == writes.len()
            && chance.one_in(50)
        {
            self.priority = 100;
        }
    }
}

pub(crate) struct Watcher {
    pub(crate) up: bool,
    pub(crate) vote: u32,
    pub(crate) epoch: u64,
    /// What it last heard of the replicas.
    eligible: BTreeSet<u32>,
    heard: Time,
    period: Time,
    failover: Option<Failover>,
}

#[derive(Clone, Copy)]
struct Failover {
    target: u32,
    promotes: Time,
    finds: Time,
}

pub(crate) struct Model {
    pub(crate) chance: Chance,
    pub(crate) now: Time,
    pub(crate) servers: BTreeMap<u32, Server>,
    pub(crate) watchers: BTreeMap<u32, Watcher>,
    pub(crate) acknowledged: Vec<u64>,
    /// Masters that no Sentinel names, and since when.
    unnamed: BTreeMap<u32, Time>,
}

impl Model {
    pub(crate) fn new(seed: u64, units: u32) -> Self {
        let mut chance = Chance(seed);
        let acknowledged: Vec<u64> = (0..200).collect();
        let mut servers: BTreeMap<u32, Server> = BTreeMap::new();
        // One may have been restarted a moment ago: it has nothing, and no Sentinel knows.
        let restarted = chance.below(u64::from(units) * 2);
        for unit in 0..units {
            let is_empty = unit > 0 && u64::from(unit) == restarted;
            let server = Server {
                up: true,
                follows: (unit > 0).then_some(0),
                writes: if is_empty { Vec::new() } else { acknowledged.clone() },
                priority: if is_empty { 0 } else { 100 },
                stalls_until: if is_empty { START + chance.below(20_000) } else { START },
                ..Server::default()
            };
            servers.insert(unit, server);
        }
        let watchers = (1..units).map(|unit| {
            let heard = START - chance.below(10_000);
            let eligible = (1..units).collect();
            let failover = None;
            (
                unit,
                Watcher { up: true, vote: 0, epoch: 3, eligible, heard, period: 10_000, failover },
            )
        });
        let watchers = watchers.collect();
        let unnamed = BTreeMap::new();
        Self { chance, now: START, servers, watchers, acknowledged, unnamed }
    }

    /// Ten milliseconds pass.
    pub(crate) fn tick(&mut self) {
        self.now += 10;
        self.write();
        self.replicate();
        self.watch();
        self.correct();
    }

    /// Clients write to the master that a Sentinel names, or stay with the old one.
    fn write(&mut self) {
        let now = self.now;
        let is_open =
            |server: &Server| server.up && server.follows.is_none() && server.held_until <= now;
        let open: Vec<u32> = self
            .servers
            .iter()
            .filter(|(_, server)| is_open(server))
            .map(|(unit, _)| *unit)
            .collect();
        assert!(open.len() < 2, "{open:?} take writes at {now} ms");
        let Some(unit) = open.first().filter(|unit| **unit == 0 || self.is_named(**unit)) else {
            return;
        };
        if self.chance.one_in(2) {
            let id = self.acknowledged.len() as u64;
            self.servers.get_mut(unit).unwrap().writes.push(id);
            self.acknowledged.push(id);
        }
    }

    fn is_named(&self, unit: u32) -> bool {
        self.watchers.values().any(|watcher| watcher.up && watcher.vote == unit)
    }

    fn replicate(&mut self) {
        let units: Vec<u32> = self.servers.keys().copied().collect();
        for unit in units {
            let mut server = self.servers.remove(&unit).unwrap();
            let master = server.follows.and_then(|master| self.servers.get(&master));
            if let Some(master) = master.filter(|master| master.up && server.up) {
                server.copy(&master.writes, self.now, &mut self.chance);
            }
            self.servers.insert(unit, server);
        }
    }

    fn watch(&mut self) {
        let heard: BTreeSet<u32> = self.eligible_now();
        let now = self.now;
        let mut found = None;
        for watcher in self.watchers.values_mut().filter(|watcher| watcher.up) {
            if now - watcher.heard >= watcher.period {
                watcher.heard = now;
                watcher.eligible.clone_from(&heard);
            }
            // The link of one that has ended is gone at once.
            watcher.eligible.retain(|unit| self.servers[unit].up);
            let Some(failover) = watcher.failover else { continue };
            let target = self.servers.get_mut(&failover.target).unwrap();
            if !target.up || now > failover.finds + 10_000 {
                watcher.failover = None;
            } else if now >= failover.finds {
                watcher.failover = None;
                found = Some((failover.target, watcher.epoch + 1));
            } else if now >= failover.promotes && target.follows.is_some() {
                target.follows = None;
            }
        }
        if let Some((target, epoch)) = found {
            for watcher in self.watchers.values_mut().filter(|watcher| watcher.up) {
                (watcher.vote, watcher.epoch) = (target, epoch);
            }
            for (unit, server) in &mut self.servers {
                if *unit != target && server.follows.is_some() {
                    server.follows = Some(target);
                }
            }
        }
    }

    pub(crate) fn named(&self) -> u32 {
        let up = self.watchers.values().filter(|watcher| watcher.up);
        up.max_by_key(|watcher| watcher.epoch).map_or(0, |watcher| watcher.vote)
    }

    /// A keeper makes its Redis follow the elected master where it is a master itself.
    fn correct(&mut self) {
        let named = self.named();
        let is_master = |server: &Server| server.up && server.follows.is_none();
        let is_elected = is_master(&self.servers[&named]);
        for (unit, server) in &mut self.servers {
            if *unit == 0 || *unit == named || !is_elected || !is_master(server) {
                self.unnamed.remove(unit);
            } else if self.now >= *self.unnamed.entry(*unit).or_insert(self.now) + 2_500 {
                server.follows = Some(named);
            }
        }
    }

    fn eligible_now(&self) -> BTreeSet<u32> {
        let can = |server: &Server| server.up && server.follows.is_some() && server.priority > 0;
        self.servers.iter().filter(|(_, server)| can(server)).map(|(unit, _)| *unit).collect()
    }

    /// What a look shows; some are too slow for it.
    pub(crate) fn look(&mut self) -> Cluster {
        let mut seen = cluster(u32::try_from(self.servers.len()).unwrap());
        seen.silence(0, Silence::Refused);
        seen.member(0).redis = cluster(1).member(0).redis.clone();
        for (unit, server) in &self.servers {
            if !server.up || (*unit > 0 && self.chance.one_in(20)) {
                seen.silence(*unit, Silence::Refused);
                continue;
            }
            let view = seen.server(*unit);
            view.role = match server.follows {
                None => Role::Master,
                Some(master) => {
                    Role::Replica { of: host(master), link_up: self.servers[&master].up }
                }
            };
            view.priority = Some(server.priority);
            view.offset = server.writes.len() as u64;
            let Some(watcher) = self.watchers.get(unit).filter(|watcher| watcher.up) else {
                continue;
            };
            let view = seen.view(*unit);
            view.vote = host(watcher.vote);
            view.epoch = watcher.epoch;
            view.info_period = Some(watcher.period);
            view.leads_failover = watcher.failover.is_some();
            for entry in &mut view.replicas {
                entry.eligible = watcher.eligible.iter().any(|unit| entry.host == host(*unit));
            }
        }
        seen
    }

    fn ask(&mut self, unit: u32) -> Taken {
        let (promotes, finds) = (self.now + self.chance.below(300), self.now + 900);
        let watcher = self.watchers.get_mut(&unit).unwrap();
        let eligible: Vec<u32> = watcher.eligible.iter().copied().collect();
        if watcher.failover.is_some() {
            return Taken::Perhaps;
        }
        if eligible.is_empty() {
            return Taken::No;
        }
        let target = eligible[usize::try_from(self.chance.below(eligible.len() as u64)).unwrap()];
        watcher.failover = Some(Failover { target, promotes, finds });
        Taken::Perhaps
    }

    /// A unit that stops at the same time: priority 0 first, then it is gone.
    pub(crate) fn stop(&mut self, unit: u32, stage: Time) {
        if stage == 0 {
            let server = self.servers.get_mut(&unit).unwrap();
            (server.priority, server.stops) = (0, true);
            self.watchers.get_mut(&unit).unwrap().up = false;
        } else if self.servers[&unit].follows.is_some() {
            self.servers.get_mut(&unit).unwrap().up = false;
        }
    }

    pub(crate) fn perform(&mut self, step: Next, switch: &mut Switchover, since: Time) {
        let now = Duration::from_millis(self.now - since);
        match step {
            Next::Fence => {
                let holds = !self.chance.one_in(10);
                if holds {
                    let length = u64::try_from(FENCE.as_millis()).unwrap();
                    self.servers.get_mut(&0).unwrap().held_until = self.now + length;
                }
                switch.fenced(holds, now);
            }
            Next::Hasten(units) => {
                for unit in units {
                    self.watchers.get_mut(&unit).unwrap().period = 1_000;
                }
            }
            Next::Ask(units) => {
                let asked = units.into_iter().find(|unit| self.watchers[unit].up);
                let answer = asked.map(|unit| (unit, self.ask(unit)));
                switch.answered(answer, now);
            }
            Next::Follow(unit) => self.servers.get_mut(&0).unwrap().follows = Some(unit),
            Next::Unfence => self.servers.get_mut(&0).unwrap().held_until = 0,
            Next::Look | Next::Done(_) => {}
        }
    }
}

/// When a play begins: no time is before it.
const START: Time = 20_000;
