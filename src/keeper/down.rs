//! While Redis does not run: look, decide, start it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tracing::error;
use tracing::info;

use crate::clients::volume;
use crate::keeper::Desk;
use crate::keeper::Redis;
use crate::keeper::act;
use crate::keeper::decide;
use crate::keeper::decide::End;
use crate::keeper::decide::Situation;
use crate::keeper::decide::Step;
use crate::keeper::left_behind;
use crate::keeper::look;
use crate::keeper::peers;
use crate::keeper::running;
use crate::keeper::running::PRIORITY;
use crate::keeper::up::Up;
use crate::observe::cluster::ROUND;
use crate::procedure::ask_failover::AskFailover;
use crate::render::inputs::Inputs;
use crate::render::places;
use crate::world::lineage::KeeperView;
use crate::world::lineage::Lineage;

/// Redis does not run.
pub(crate) struct Down {
    end: End,
    saw_masters_end: bool,
    asking: AskFailover,
    since: Duration,
    /// How often it has ended soon after a start.
    quick_ends: u32,
    not_before: Duration,
}

impl Down {
    pub(crate) fn new(end: End, now: Duration) -> Self {
        let asking = AskFailover::default();
        let saw_masters_end = false;
        Self { end, saw_masters_end, asking, since: now, quick_ends: 0, not_before: now }
    }

    /// After a Redis that ran: one that ends again and again is not started again at once.
    pub(crate) fn after(end: End, quick_ends: u32, now: Duration) -> Self {
        let pause = match quick_ends {
            0 => Duration::ZERO,
            ends => FIRST_PAUSE.saturating_mul(1 << ends.min(10)).min(LONGEST_PAUSE),
        };
        Self { quick_ends, not_before: now + pause, ..Self::new(end, now) }
    }

    /// A master that this keeper has seen to its end.
    pub(crate) fn of(self, master: bool) -> Self {
        Self { saw_masters_end: master, ..self }
    }

    /// The others have been looked at since then.
    pub(crate) fn since(self, since: Duration) -> Self {
        Self { since, ..self }
    }

    pub(crate) fn next(mut self, inputs: &Inputs, desk: &mut Desk) -> Redis {
        if let Some(up) = left_behind(desk) {
            return Redis::Up(up);
        }
        let now = desk.watch.now();
        if now < self.not_before {
            desk.watch.rest(self.not_before.saturating_sub(now));
            return Redis::Down(self);
        }
        // Where it does not start soon nobody is hurt by looking less often.
        let pause =
            (now.saturating_sub(self.since) / 10).clamp(BETWEEN_LOOKS, LONGEST_BETWEEN_LOOKS);
        let volume = match volume::contents(Path::new(places::DATA)) {
            Ok(volume) => volume,
            Err(error) => {
                desk.say(&format!("cannot read the volume: {error}"));
                desk.watch.rest(pause);
                return Redis::Down(self);
            }
        };
        let cluster = desk.look(inputs, look::LOOK);
        let own = KeeperView {
            lineage: desk.lineage.note().cloned(),
            has_data: volume.has_data,
            redis_runs: false,
            prefers: None,
        };
        let keepers = if decide::asks_keepers(inputs, &cluster) {
            let units: Vec<u32> = inputs.planned.iter().copied().collect();
            peers::hear(inputs, &cluster, &units, &desk.watch, ROUND)
        } else {
            BTreeMap::new()
        };
        let (cluster, keepers) = (&cluster, &keepers);
        let at = Situation {
            inputs,
            cluster,
            keepers,
            own: &own,
            end: self.end,
            saw_masters_end: self.saw_masters_end,
            looked_for: now.saturating_sub(self.since),
            in_vain: self.asking.is_in_vain(desk.watch.now()),
        };
        desk.tell(inputs, &KeeperView { prefers: Some(at.finding().freshest), ..own.clone() });
        let choice = decide::start(&at);
        desk.say(&choice.to_string());
        desk.report(match &choice.step {
            Step::Blocked(missing) => missing.clone(),
            Step::Master | Step::Replica(_) | Step::Candidate(_) | Step::HandOver | Step::Hold => {
                BTreeSet::new()
            }
        });
        desk.ring(inputs, cluster);
        let latest = at.known().latest_rank();
        let (master, priority) = match choice.step {
            Step::Master => (None, 0),
            Step::Replica(host) => (Some(host), 0),
            Step::Candidate(host) => (Some(host), PRIORITY),
            Step::HandOver => {
                act::go_on_asking(&mut self.asking, inputs.unit, inputs, cluster, &desk.watch);
                desk.watch.rest(pause);
                return Redis::Down(self);
            }
            Step::Hold | Step::Blocked(_) => {
                desk.watch.rest(pause);
                return Redis::Down(self);
            }
        };
        if desk.watch.is_terminated() {
            return Redis::Down(self);
        }
        // Before anything else: what comes from here on may end in any way.
        let dump = desk.lineage.take_clean(&desk.watch).filter(|_| self.end == End::Clean);
        let append_only = running::has_append_only(volume, dump, master.is_some(), priority);
        if master.is_none() {
            let note = Lineage::of_starting_master(desk.lineage.note(), latest);
            desk.lineage.settle(note, &desk.watch);
        }
        match act::start_redis(inputs, master, priority, append_only) {
            Ok(process) => {
                info!("Redis is process {}", process.id());
                let up = Up::started(process, desk.watch.now(), self.quick_ends);
                Redis::Up(if priority > 0 { up.candidate() } else { up })
            }
            Err(error) => {
                error!("{error}");
                let now = desk.watch.now();
                let saw_masters_end = self.saw_masters_end;
                let again = Self::after(self.end, self.quick_ends + 1, now);
                Redis::Down(Self { saw_masters_end, since: self.since, ..again })
            }
        }
    }
}

/// A look takes a few milliseconds, and opens two connections for each unit.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

const LONGEST_BETWEEN_LOOKS: Duration = Duration::from_secs(1);

const FIRST_PAUSE: Duration = Duration::from_millis(250);

const LONGEST_PAUSE: Duration = Duration::from_secs(10);
