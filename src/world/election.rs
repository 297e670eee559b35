//! Who is master by the Sentinels' votes: thinking that several rules share, as methods on the facts.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::names::REDIS_PORT;
use crate::world::cluster::Answer;
use crate::world::cluster::Cluster;
use crate::world::cluster::Entry;
use crate::world::cluster::Kind;
use crate::world::cluster::Role;
use crate::world::cluster::SentinelView;
use crate::world::cluster::Silence;
use crate::world::cluster::Stranger;
use crate::world::obstacle::Obstacle;

/// The master that the electorate agrees on and whose own ROLE confirms it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elected {
    /// Its unit.
    pub master: u32,
    /// The config-epoch of the votes.
    pub epoch: u64,
}

/// The planned units that one Sentinel lists, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// As the master or a replica.
    pub servers: BTreeSet<u32>,
    /// As other Sentinels.
    pub sentinels: BTreeSet<u32>,
}

impl Known {
    /// True when all that `earlier` lists is listed here too.
    pub fn covers(&self, earlier: &Self) -> bool {
        self.servers.is_superset(&earlier.servers) && self.sentinels.is_superset(&earlier.sentinels)
    }
}

/// One Sentinel that has a vote: a unit's, or one under a name that means no unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Elector {
    Unit(u32),
    Nameless(String),
}

/// The smallest number that is more than half.
pub fn majority(of: usize) -> usize {
    of / 2 + 1
}

impl Cluster {
    /// The master that was voted, and whose ROLE is master; otherwise what is missing.
    pub fn elected(&self) -> Result<Elected, Obstacle> {
        let voted = self.voted()?;
        self.confirm(voted.master).map(|()| voted)
    }

    /// The master that a strict majority of the electorate names at the highest epoch that any
    /// Sentinel reports, whatever its Redis says; otherwise what is missing.
    pub fn voted(&self) -> Result<Elected, Obstacle> {
        let epoch = self.sentinels().map(|(_, view)| view.epoch).max().unwrap_or_default();
        let electorate = self.electorate(epoch);
        let electors = electorate.len().max(self.least_electors());
        let needed = majority(electors);
        let voting: Vec<_> = self.sentinels().filter(|(_, view)| view.epoch == epoch).collect();
        let mut votes: BTreeMap<u32, usize> = BTreeMap::new();
        for (_, view) in &voting {
            if let Some(master) = self.unit_at(&view.vote) {
                *votes.entry(master).or_default() += 1;
            }
        }
        let answering =
            self.sentinels().filter(|(unit, _)| electorate.contains(&Elector::Unit(*unit))).count();
        let (master, agreeing) =
            votes.into_iter().max_by_key(|(_, count)| *count).unwrap_or_default();
        if agreeing < needed && answering < needed {
            return Err(Obstacle::TooFewSentinels {
                answering,
                electors,
                needed,
                complaint: self.complaint(),
            });
        }
        if agreeing < needed {
            return Err(Obstacle::Disagreement { agreeing, electors, needed });
        }
        Ok(Elected { master, epoch })
    }

    /// The vote of the highest config-epoch that any Sentinel reports, be it one of a few.
    pub fn latest_vote(&self) -> Option<Elected> {
        let (_, view) = self.sentinels().max_by_key(|(_, view)| view.epoch)?;
        Some(Elected { master: self.unit_at(&view.vote)?, epoch: view.epoch })
    }

    /// A unit whose Sentinel leads a failover.
    pub fn failover_leader(&self) -> Option<u32> {
        self.sentinels().find(|(_, view)| view.leads_failover).map(|(unit, _)| unit)
    }

    /// The Redis of a voted master whose unit is gone, as one that is asked by its name.
    pub fn gone_master(&self) -> Option<Stranger> {
        let voted = self.voted().ok().filter(|it| !self.members.contains_key(&it.master))?;
        Some(Stranger { kind: Kind::Redis, host: self.naming.host(voted.master), port: REDIS_PORT })
    }

    /// The elected master of a group at rest: no failover runs, every answering Sentinel follows
    /// it, and no other Redis that answers is a master. A silent one holds nothing up.
    pub fn settled(&self) -> Result<Elected, Obstacle> {
        if let Some(leader) = self.failover_leader() {
            return Err(Obstacle::FailoverInProgress { leader: self.unit_text(leader) });
        }
        let elected = self.elected()?;
        let follows = |view: &SentinelView| {
            [&view.vote, &view.master]
                .into_iter()
                .all(|host| self.unit_at(host) == Some(elected.master))
        };
        if let Some((unit, _)) = self.sentinels().find(|(_, view)| !follows(view)) {
            return Err(Obstacle::NotFollowing { sentinel: self.unit_text(unit) });
        }
        let second = self
            .redis_servers()
            .find(|(unit, view)| *unit != elected.master && view.role == Role::Master);
        match second {
            Some((unit, _)) => Err(Obstacle::SecondMaster {
                unit: self.unit_text(unit),
                master: self.unit_text(elected.master),
            }),
            None => Ok(elected),
        }
    }

    /// The voted master, where its unit is gone, and it is silent too: Juju lists a dead unit no more
    /// while its pod still runs, and one that takes writes would go on to take them. No Sentinel is about
    /// to replace it by itself: one that is asked at the same time would be a second one.
    pub fn master_to_replace(&self) -> Option<u32> {
        let master = self.voted().ok()?.master;
        let is_left = |view: &SentinelView| {
            view.is_master_silent() && !view.leads_failover && !view.may_act_by_itself()
        };
        let gone = self.gone_master()?;
        let answers = matches!(self.strangers.get(&gone), Some(Answer::Said(_)));
        (!answers && self.sentinels().all(|(_, view)| is_left(view))).then_some(master)
    }

    /// True where no Sentinel names any master, nor is there one that might if it let us ask.
    pub fn nobody_votes(&self) -> bool {
        self.sentinels().next().is_none() && self.nobody_else_votes()
    }

    /// True where no Sentinel but those that answer might name a master if it let us ask.
    pub fn nobody_else_votes(&self) -> bool {
        let gone = |silence: &Silence| !silence.needs_a_cure() && *silence != Silence::NotAsked;
        self.members.values().all(|member| member.sentinel.silence().is_none_or(gone))
    }

    /// The planned units that a Sentinel knows: as other Sentinels, and as servers the replicas that
    /// it lists and the master that it names. (A replica that a failover makes master meanwhile is
    /// no less known.)
    pub fn known_to(&self, sentinel: u32) -> Known {
        self.sentinel(sentinel).map_or_else(Known::default, |view| {
            let mut servers = self.planned_units_in(&view.replicas);
            servers.extend(self.planned_unit_named(&view.vote));
            Known { servers, sentinels: self.planned_units_in(&view.sentinels) }
        })
    }

    /// True when a Sentinel counts every planned unit among the Sentinels, itself included.
    pub fn counts_everyone(&self, sentinel: u32) -> bool {
        self.sentinel(sentinel).is_some_and(|view| {
            let mut known = self.planned_units_in(&view.sentinels);
            known.insert(sentinel);
            known.is_superset(&self.planned())
        })
    }

    /// The Sentinels that the answers of the highest epoch list, themselves included, less those
    /// whose unit is gone. A name that means no unit may be a planned unit's other name: it counts.
    fn electorate(&self, epoch: u64) -> BTreeSet<Elector> {
        let mut electorate = BTreeSet::new();
        for (unit, view) in self.sentinels().filter(|(_, view)| view.epoch == epoch) {
            electorate.insert(Elector::Unit(unit));
            for entry in &view.sentinels {
                match self.elector_unit(entry) {
                    Some(other) if self.members.contains_key(&other) => {
                        electorate.insert(Elector::Unit(other));
                    }
                    Some(_) => {}
                    // Where every planned unit is listed by its name, this is none of them.
                    None if self.counts_everyone(unit) => {}
                    None => {
                        electorate.insert(Elector::Nameless(entry.host.clone()));
                    }
                }
            }
        }
        electorate
    }

    /// With nobody answering there is no electorate to be read: then every planned unit is one.
    fn least_electors(&self) -> usize {
        if self.sentinels().next().is_none() { self.planned().len() } else { 0 }
    }

    fn elector_unit(&self, entry: &Entry) -> Option<u32> {
        self.unit_at(&entry.host).or_else(|| {
            self.sentinels()
                .find(|(_, view)| !entry.run_id.is_empty() && view.my_id == entry.run_id)
                .map(|(unit, _)| unit)
        })
    }

    fn confirm(&self, master: u32) -> Result<(), Obstacle> {
        let state = match self.members.get(&master).map(|member| &member.redis) {
            Some(Answer::Said(view)) if view.role == Role::Master => return Ok(()),
            Some(Answer::Said(_)) => "says of itself that it is a replica".to_owned(),
            Some(Answer::Silent(silence)) => silence.to_string(),
            None => "has left".to_owned(),
        };
        Err(Obstacle::MasterUnconfirmed { master: self.unit_text(master), state })
    }

    /// The first silence that a person can cure, told together with the count.
    fn complaint(&self) -> String {
        self.members
            .iter()
            .find_map(|(unit, member)| {
                let silence = member.sentinel.silence().filter(|why| why.needs_a_cure())?;
                Some(format!("; Sentinel of {} {silence}", self.unit_text(*unit)))
            })
            .unwrap_or_default()
    }

    /// A unit as Juju writes it.
    pub fn unit_text(&self, unit: u32) -> String {
        self.naming.unit(unit).to_string()
    }
}
