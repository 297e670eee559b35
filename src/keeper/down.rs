//! While Redis does not run: look, decide, start it.

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
use crate::keeper::up::Up;
use crate::procedure::ask_failover::AskFailover;
use crate::procedure::ask_failover::Next;
use crate::render::inputs::Inputs;
use crate::render::places;
use crate::world::cluster::Cluster;
use crate::world::lineage::Lineage;

/// Redis does not run.
pub(crate) struct Down {
    end: End,
    asking: AskFailover,
    since: Duration,
    /// How often it has ended soon after a start.
    quick_ends: u32,
    not_before: Duration,
}

impl Down {
    pub(crate) fn new(end: End, now: Duration) -> Self {
        let asking = AskFailover::default();
        Self { end, asking, since: now, quick_ends: 0, not_before: now }
    }

    /// After a Redis that ran: one that ends again and again is not started again at once.
    pub(crate) fn after(end: End, quick_ends: u32, now: Duration) -> Self {
        let pause = match quick_ends {
            0 => Duration::ZERO,
            ends => FIRST_PAUSE.saturating_mul(1 << ends.min(10)).min(LONGEST_PAUSE),
        };
        Self { quick_ends, not_before: now + pause, ..Self::new(end, now) }
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
        desk.ring(inputs, &cluster);
        let has_data = volume.has_data;
        let in_vain = self.asking.is_in_vain(desk.watch.now());
        let (cluster, end) = (&cluster, self.end);
        let looked_for = now.saturating_sub(self.since);
        let choice =
            decide::start(&Situation { inputs, cluster, has_data, end, looked_for, in_vain });
        desk.say(&choice.to_string());
        let master = match choice.step {
            Step::Master => None,
            Step::Replica(host) => Some(host),
            Step::HandOver => {
                self.ask(inputs, cluster, desk);
                desk.watch.rest(pause);
                return Redis::Down(self);
            }
            Step::Hold => {
                desk.watch.rest(pause);
                return Redis::Down(self);
            }
        };
        if desk.watch.is_terminated() {
            return Redis::Down(self);
        }
        // Before anything else: what comes from here on may end in any way.
        let dump = desk.lineage.take_clean(&desk.watch).filter(|_| self.end == End::Clean);
        if master.is_none() {
            let latest = desk.lineage.note().map(|note| note.rank).unwrap_or_default();
            let note = Lineage::of_starting_master(desk.lineage.note(), latest);
            desk.lineage.settle(note, &desk.watch);
        }
        match act::start_redis(inputs, master, volume, dump) {
            Ok(process) => {
                info!("Redis is process {}", process.id());
                Redis::Up(Up::started(process, desk.watch.now(), self.quick_ends))
            }
            Err(error) => {
                error!("{error}");
                Redis::Down(Self::after(self.end, self.quick_ends + 1, desk.watch.now()))
            }
        }
    }

    fn ask(&mut self, inputs: &Inputs, cluster: &Cluster, desk: &Desk) {
        // One that refuses is followed by the next at once.
        while let Next::Ask(units) = self.asking.next(cluster, inputs.unit, desk.watch.now()) {
            let answer = act::ask_for_failover(inputs, cluster, &units, &desk.watch);
            self.asking.answered(answer, desk.watch.now());
        }
    }
}

/// A look takes a few milliseconds, and opens two connections for each unit.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

const LONGEST_BETWEEN_LOOKS: Duration = Duration::from_secs(1);

const FIRST_PAUSE: Duration = Duration::from_millis(250);

const LONGEST_PAUSE: Duration = Duration::from_secs(10);
