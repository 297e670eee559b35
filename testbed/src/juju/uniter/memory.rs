//! What a unit's agent knows until it restarts.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::time::Duration;
use std::time::Instant;

use crate::juju::chance::Chance;
use crate::juju::chance::mixed;
use crate::juju::clock::Clock;
use crate::juju::clock::FIRST_RETRY;
use crate::juju::clock::LONGEST_RETRY;
use crate::juju::hook::Happening;
use crate::juju::model::Bag;

use super::event::Event;
use super::event::UnitEvent;
use super::event::WorkloadEvent;
use super::view::View;

/// The memory of one agent's life.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// Whether the charm lies unpacked in the pod.
    pub(crate) is_unpacked: bool,
    /// Whether the unit is still to be told that its agent has restarted.
    pub(crate) owes_start: bool,
    /// Whether the application has moved on to a charm that this pod was not made for.
    pub(crate) is_outdated: bool,
    /// SIGTERM has come, and the unit will come back.
    pub(crate) is_terminating: bool,
    /// Whether SIGTERM has killed the hook that is queued.
    pub(crate) is_hook_terminated: bool,
    /// Relations that `-relation-created` has told of.
    pub(crate) announced: BTreeSet<u32>,
    /// Relations that it has entered itself, and so knows what they are: their remote application,
    /// and of a peer relation that it is one.
    pub(crate) entered: BTreeMap<u32, Entered>,
    /// Leader settings that the unit was told of.
    pub(crate) leader_settings: Option<Bag>,
    /// What Pebble has said and the charm has not heard.
    pub(crate) workload: VecDeque<WorkloadEvent>,
    /// Tickets of what it has heard, and whether its hook was fine.
    pub(crate) heard: BTreeMap<u64, bool>,
    /// How often the agent has restarted in its process; those who watch its containers then forget
    /// what they have seen.
    pub(crate) lives: u64,
    /// The ticket of the next workload event.
    pub(crate) next_ticket: u64,
    /// Containers whose Pebble has been heard of.
    pub(crate) ready: BTreeSet<String>,
    pub(crate) retry: Retry,
    /// When the next `update-status` is due.
    pub(crate) update_status_at: Option<Instant>,
    /// Whether it is due.
    pub(crate) owes_update_status: bool,
    /// Units that were members of a relation in this life of the agent.
    pub(crate) acquainted: BTreeSet<String>,
    /// Makes the order of relations another one in each life.
    pub(crate) shuffle: u64,
}

/// What an agent knows of a relation that it has entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entered {
    pub(crate) is_peer: bool,
    pub(crate) remote_application: String,
}

/// The timer of a failed hook.
#[derive(Clone, Debug, Default)]
pub(crate) struct Retry {
    /// How often the timer was set in this row of failures.
    times: u32,
    /// When it goes off.
    pub(crate) at: Option<Instant>,
}

impl Retry {
    /// Sets the timer for the hook that has just failed.
    pub(crate) fn set(&mut self, now: Instant, clock: Clock, chance: &mut Chance) {
        let wait = Self::wait(self.times);
        self.times = self.times.saturating_add(1);
        self.at = now.checked_add(chance.around(clock.period(wait), JITTER));
    }

    /// The next failure is the first one again.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// How long the wait after so many is.
    fn wait(times: u32) -> Duration {
        FIRST_RETRY.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST_RETRY)
    }
}

impl Memory {
    /// The hook is done, or skipped as if it were; the view is that from before it.
    pub(crate) fn complete(&mut self, event: &Event, view: &View) {
        self.retry.reset();
        self.is_hook_terminated = false;
        // A tick that came meanwhile is lost.
        self.owes_update_status = false;
        match event {
            Event::Unit(UnitEvent::LeaderSettingsChanged) => {
                self.leader_settings = Some(view.leader_settings.clone());
            }
            Event::Relation(event) => match event.happening {
                Happening::Created => {
                    self.announced.insert(event.relation);
                }
                Happening::Broken => {
                    self.announced.remove(&event.relation);
                    self.entered.remove(&event.relation);
                }
                Happening::Joined { .. }
                | Happening::Changed { .. }
                | Happening::ApplicationChanged
                | Happening::Departed { .. } => {}
            },
            Event::Unit(_) | Event::Workload(_) | Event::Storage(_) | Event::Secret(_) => {}
        }
    }

    /// Takes in what a container's Pebble has said; the ticket tells later what became of it.
    pub(crate) fn hear(&mut self, container: &str, signal: super::event::Signal) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.workload.push_back(WorkloadEvent { ticket, container: container.to_owned(), signal });
        ticket
    }

    /// The hook of that event is through.
    pub(crate) fn heard(&mut self, event: &WorkloadEvent, is_fine: bool) {
        self.workload.retain(|waiting| waiting.ticket != event.ticket);
        self.heard.insert(event.ticket, is_fine);
        if is_fine {
            self.ready.insert(event.container.clone());
        }
    }

    /// Relations in the order in which this life of the agent looks at them.
    pub(crate) fn place_of(&self, relation: u32) -> u64 {
        mixed(self.shuffle ^ u64::from(relation))
    }
}

/// Retries are that share early or late.
const JITTER: f64 = 0.03;

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::Instant;

    use super::Retry;
    use crate::juju::chance::Chance;
    use crate::juju::clock::Clock;

    #[test]
    fn waits_double_from_5_seconds_to_5_minutes_and_begin_anew_after_a_success() {
        let seconds: Vec<u64> = (0..9).map(|times| Retry::wait(times).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        let now = Instant::now();
        let (mut retry, mut chance) = (Retry::default(), Chance::from_seed(3));
        for expected in [5.0, 10.0, 20.0] {
            retry.set(now, Clock::at_speed(10.0), &mut chance);
            let waits = (retry.at.unwrap() - now).as_secs_f64() * 10.0;
            assert!((waits / expected - 1.0).abs() <= 0.031, "{waits} for {expected}");
        }
        retry.reset();
        retry.set(now, Clock::default(), &mut chance);
        assert!(retry.at.unwrap() - now < Duration::from_secs(6));
    }
}
