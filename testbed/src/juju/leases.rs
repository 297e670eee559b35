//! Who leads: leases that the units' trackers claim, renew and lose.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::trace::entry::What;

use super::clock::LEASE;
use super::clock::LEASE_RENEWAL;
use super::model::Life;
use super::model::application_of;
use super::world::World;

/// The leases of all applications; who holds one stands in the model.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    by_application: BTreeMap<String, Lease>,
}

/// One application's lease.
#[derive(Debug, Default)]
struct Lease {
    /// When the claim of the one who holds it runs out.
    expires: Option<Instant>,
    /// Until when nobody gets it.
    vacant_until: Option<Instant>,
    /// Who does not get it, and until when.
    barred: Option<(String, Instant)>,
}

/// What a unit's agent believes of its lease between two claims.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    /// Whether it has asked at all: until it has, its agent does nothing.
    pub(crate) has_asked: bool,
    /// It leads, as far as it knows.
    pub(crate) leads: bool,
    /// When it asks again.
    asks_at: Option<Instant>,
}

impl World {
    /// Lets leases run out, and lets trackers claim and renew; says when there is more to do.
    pub(crate) fn tend_leases(&mut self, now: Instant) -> Option<Instant> {
        let applications: Vec<String> = self.deployment.applications.keys().cloned().collect();
        let next = applications.iter().filter_map(|name| self.tend_lease(name, now));
        next.collect::<Vec<_>>().into_iter().min()
    }

    fn tend_lease(&mut self, application: &str, now: Instant) -> Option<Instant> {
        let period = |time| self.deployment.clock.period(time);
        let (lease_time, renewal) = (period(LEASE), period(LEASE_RENEWAL));
        let lease = self.deployment.leases.by_application.entry(application.to_owned());
        let lease = lease.or_default();
        lease.vacant_until.take_if(|until| *until <= now);
        lease.barred.take_if(|(_, until)| *until <= now);
        let is_out = lease.expires.is_none_or(|time| time <= now);
        let candidates: Vec<String> = self.candidates(application);
        let holder = self.model.leader(application).map(str::to_owned);
        // Where this thread itself comes late, whoever can renew the claim has done so in time.
        let mut holder = holder.filter(|unit| !is_out || candidates.contains(unit));
        let lease = self.deployment.leases.by_application.get_mut(application)?;
        if holder.is_none() && lease.vacant_until.is_none() {
            let barred = lease.barred.as_ref().map(|(unit, _)| unit.clone());
            let free = candidates.iter().filter(|unit| Some(*unit) != barred.as_ref());
            holder = self.deployment.chance.choose(free.cloned().collect::<Vec<_>>());
            if holder.is_some() {
                lease.expires = now.checked_add(lease_time);
            }
        }
        let mut have_asked = false;
        let mut next = vec![lease.expires, lease.vacant_until];
        next.push(lease.barred.as_ref().map(|(_, until)| *until));
        for unit in &candidates {
            let holds = holder.as_ref() == Some(unit);
            let Some(running) = self.agents.get_mut(unit).and_then(|it| it.running.as_mut()) else {
                continue;
            };
            let tracker = &mut running.tracker;
            let asks = tracker.asks_at.is_none_or(|time| time <= now);
            // A minion waits for the lease to be free, and so learns of its own at once.
            if asks || (holds && !tracker.leads) {
                have_asked |= !tracker.has_asked;
                tracker.has_asked = true;
                tracker.leads = holds;
                tracker.asks_at = now.checked_add(renewal).filter(|_| holds);
                if holds
                    && let Some(lease) = self.deployment.leases.by_application.get_mut(application)
                {
                    lease.expires = now.checked_add(lease_time);
                }
            }
            next.push(tracker.asks_at);
        }
        self.set_holder(application, holder);
        if have_asked {
            // Their agents wait for it before anything else.
            self.note_change();
        }
        next.into_iter().flatten().filter(|time| *time > now).min()
    }

    /// Units whose agents may claim: they run, and the unit is not dead.
    fn candidates(&self, application: &str) -> Vec<String> {
        let running = self.agents.iter().filter(|(unit, agent)| {
            let is_running =
                agent.running.as_ref().is_some_and(|it| !it.has_ended && !it.is_frozen);
            let life = self.model.unit(unit).map(|unit| unit.life);
            is_running
                && application_of(unit) == application
                && life.is_some_and(|life| life != Life::Dead)
        });
        running.map(|(unit, _)| unit.clone()).collect()
    }

    fn set_holder(&mut self, application: &str, holder: Option<String>) {
        let Some(record) = self.model.applications.get_mut(application) else { return };
        if record.leader != holder {
            record.leader.clone_from(&holder);
            let application = application.to_owned();
            self.deployment.trace.push(What::Leader { application, unit: holder });
        }
    }

    /// The unit's lease ends at once, and the unit knows. Where agents run it does not get it back
    /// for as long as a lease lasts.
    pub(crate) fn lose_leadership(&mut self, application: &str) {
        let holder = self.model.leader(application).map(str::to_owned);
        self.set_holder(application, None);
        let Some(unit) = holder else { return };
        let tracker = self.agents.get_mut(&unit).and_then(|agent| agent.running.as_mut());
        if let Some(running) = tracker {
            running.tracker = Tracker { has_asked: true, ..Tracker::default() };
            let until = Instant::now().checked_add(self.deployment.clock.period(LEASE));
            let lease = self.deployment.leases.by_application.entry(application.to_owned());
            lease.or_default().barred = until.map(|until| (unit, until));
        }
        self.note_change();
    }

    /// The unit's lease ends, and another one gets it, while the unit goes on believing that it
    /// leads until it would renew its claim.
    pub(crate) fn steal_leadership(&mut self, application: &str) {
        let holder = self.model.leader(application).map(str::to_owned);
        self.set_holder(application, None);
        let until = Instant::now().checked_add(self.deployment.clock.period(LEASE));
        let lease = self.deployment.leases.by_application.entry(application.to_owned());
        lease.or_default().barred = holder.zip(until);
        self.note_change();
    }

    /// Nobody leads for that long, by the model's clock.
    pub(crate) fn leave_without_leader(&mut self, application: &str, time: std::time::Duration) {
        self.lose_leadership(application);
        let until = Instant::now().checked_add(self.deployment.clock.period(time));
        let lease = self.deployment.leases.by_application.entry(application.to_owned());
        lease.or_default().vacant_until = until;
        self.note_change();
    }

    /// That unit leads from now on, as if it had been the first to claim.
    pub(crate) fn give_leadership(&mut self, unit: &str) {
        let application = application_of(unit);
        let until = Instant::now().checked_add(self.deployment.clock.period(LEASE));
        let former = self.model.leader(application).map(str::to_owned);
        let former = former.and_then(|it| self.agents.get_mut(&it)?.running.as_mut());
        if let Some(running) = former {
            running.tracker = Tracker { has_asked: true, ..Tracker::default() };
        }
        let lease = self.deployment.leases.by_application.entry(application.to_owned());
        *lease.or_default() = Lease { expires: until, ..Lease::default() };
        self.set_holder(application, Some(unit.to_owned()));
        self.note_change();
    }

    /// A unit that is dead, or removed, lets its lease go.
    pub(crate) fn release_lease(&mut self, unit: &str) {
        let application = application_of(unit);
        if self.model.leader(application) == Some(unit) {
            self.set_holder(application, None);
        }
    }
}
