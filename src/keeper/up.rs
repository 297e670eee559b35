//! While Redis runs: its settings are kept right, its end is noticed, a new master is rung for.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tracing::info;
use tracing::warn;

use crate::clients::process::Process;
use crate::clients::redis::commands::Followed;
use crate::clients::redis::commands::Link;
use crate::clients::redis::commands::RedisState;
use crate::clients::volume;
use crate::keeper::Desk;
use crate::keeper::Redis;
use crate::keeper::act;
use crate::keeper::decide::End;
use crate::keeper::down::Down;
use crate::keeper::how_it_ended;
use crate::keeper::look;
use crate::keeper::look::own_state;
use crate::keeper::noting;
use crate::keeper::peers;
use crate::keeper::running;
use crate::keeper::running::Memory;
use crate::keeper::stranded::Stranded;
use crate::render::inputs::Inputs;
use crate::render::places;
use crate::world::cluster::Cluster;
use crate::world::lineage::KeeperView;

/// Redis runs.
pub(crate) struct Up {
    process: Process,
    since: Duration,
    quick_ends: u32,
    memory: Memory,
    state: Option<RedisState>,
    own_look: Duration,
    circle_look: Duration,
    missed: Option<(String, Duration)>,
    stranded: Stranded,
    /// It is ended, because nobody has been there to follow since then.
    stranded_since: Option<Duration>,
}

impl Up {
    pub(crate) fn new(process: Process, now: Duration) -> Self {
        Self::started(process, now, 0)
    }

    pub(crate) fn started(process: Process, now: Duration, quick_ends: u32) -> Self {
        Self {
            process,
            since: now,
            quick_ends,
            memory: Memory::default(),
            state: None,
            own_look: now,
            circle_look: now,
            missed: None,
            stranded: Stranded::default(),
            stranded_since: None,
        }
    }

    /// A replica that is to be made master.
    pub(crate) fn candidate(self) -> Self {
        Self { stranded: Stranded::as_candidate(), ..self }
    }

    pub(crate) fn next(mut self, inputs: &Inputs, desk: &mut Desk) -> Redis {
        if !self.process.is_running() {
            return Redis::Down(self.ended(desk));
        }
        if desk.watch.now() >= self.own_look {
            self.look_at_own(inputs, desk);
        }
        if desk.watch.now() >= self.circle_look {
            let cluster = desk.look(inputs, look::SHORT_LOOK);
            desk.ring(inputs, &cluster);
            self.rank(inputs, &cluster, desk);
            self.memory = self.memory.after_all(inputs, &cluster);
            self.correct(inputs, &cluster, desk);
            self.wait(inputs, &cluster, desk);
        }
        // The end of a child wakes us; where Redis is none no signal tells of it.
        let pause = if self.process.is_child() { OFTEN } else { TICK };
        desk.watch.rest(self.own_look.saturating_sub(desk.watch.now()).min(pause));
        Redis::Up(self)
    }

    fn ended(&self, desk: &mut Desk) -> Down {
        // A short look may have found someone silent who is only slow.
        desk.circle.listen_again();
        let now = desk.watch.now();
        let end = how_it_ended();
        let how = match end {
            End::Clean => "by itself",
            End::Unclean => "uncleanly",
        };
        info!("Redis has ended {how}; it logs to {}", places::REDIS_LOG);
        let is_quick = now.saturating_sub(self.since) < QUICK;
        let was_master = self.state.as_ref().is_some_and(|state| state.master.is_none());
        Down::after(end, if is_quick { self.quick_ends + 1 } else { 0 }, now)
            .of(was_master)
            .since(self.stranded_since.unwrap_or(now))
    }

    fn look_at_own(&mut self, inputs: &Inputs, desk: &mut Desk) {
        let state = match own_state(inputs, &desk.watch) {
            Ok(state) => state,
            Err(failure) => {
                if desk.watch.now().saturating_sub(self.since) > QUICK {
                    desk.say(&format!("Redis {failure}"));
                }
                self.own_look = desk.watch.now() + SOON;
                return;
            }
        };
        self.memory = self.memory.after(&state);
        let settings = running::settings(inputs, &state, self.memory);
        if let Err(failure) = act::configure(inputs, &settings, &desk.watch) {
            warn!("cannot change a setting: Redis {failure}");
        }
        desk.say(&in_words(&state));
        if let Some(note) = noting::noted(desk.lineage.note(), &state) {
            desk.lineage.change(note);
        }
        let view = KeeperView {
            lineage: desk.lineage.note().cloned(),
            has_data: volume::contents(Path::new(places::DATA)).is_ok_and(|it| it.has_data),
            redis_runs: true,
            prefers: None,
        };
        desk.tell(inputs, &view);
        desk.report(BTreeSet::new());
        if self.state.as_ref().is_none_or(|before| before.master != state.master) {
            self.circle_look = desk.watch.now();
        }
        let is_settled = settings.is_empty() && state.priority > 0 && state.replicas.syncing == 0;
        self.own_look = desk.watch.now() + if is_settled { OFTEN } else { SOON };
        self.state = Some(state);
    }

    /// Notes the mastership that the data are of: by the Sentinels, and of a replica also by what its
    /// master's keeper has noted.
    fn rank(&self, inputs: &Inputs, cluster: &Cluster, desk: &mut Desk) {
        let (Some(state), Some(note)) = (&self.state, desk.lineage.note()) else { return };
        let rank = noting::ranked(note, state, cluster, inputs.unit);
        desk.lineage.change_rank(rank);
        let Some(Followed { host, link: Link::Up }) = &state.master else { return };
        if desk.lineage.is_confirmed(&state.position.replication_id) {
            return;
        }
        let master = cluster.unit_at(host).into_iter().collect::<Vec<_>>();
        for view in peers::hear(inputs, cluster, &master, &desk.watch, look::SHORT_LOOK).values() {
            view.lineage.iter().for_each(|note| desk.lineage.confirm(note));
        }
    }

    fn wait(&mut self, inputs: &Inputs, cluster: &Cluster, desk: &Desk) {
        let Some(state) = &self.state else { return };
        if let Some(since) = self.stranded.is_over(inputs, cluster, state, desk) {
            self.stranded_since = Some(since);
            self.process.terminate();
        }
        if self.stranded.is_busy() {
            self.circle_look = desk.watch.now() + OFTEN;
        }
    }

    /// Sentinel tells a Redis of a new master, if it knows of it and after ten seconds if it came
    /// back as a master. What is seen once may be the middle of a failover.
    fn correct(&mut self, inputs: &Inputs, cluster: &Cluster, desk: &Desk) {
        let now = desk.watch.now();
        // A master that is voted out takes writes that are lost, until it knows.
        let is_master = self.state.as_ref().is_some_and(|state| state.master.is_none());
        self.circle_look = now + if is_master && !inputs.is_alone() { OFTEN } else { SELDOM };
        let missed =
            self.state.as_ref().and_then(|state| running::missed_master(inputs, cluster, state));
        let Some(host) = missed else {
            self.missed = None;
            return;
        };
        self.circle_look = now + OFTEN;
        let since = match self.missed.take() {
            Some((earlier, since)) if earlier == host => since,
            Some(_) | None => now,
        };
        if now.saturating_sub(since) < MISSED_FOR {
            self.missed = Some((host, since));
            return;
        }
        match act::follow(inputs, &host, &desk.watch) {
            Ok(()) => info!("follow {host}: it is the elected master"),
            Err(failure) => warn!("cannot follow {host}: Redis {failure}"),
        }
        self.own_look = now;
    }

    /// The process of Redis, for whoever ends it.
    pub(crate) fn into_process(self) -> Process {
        self.process
    }
}

fn in_words(state: &RedisState) -> String {
    let Some(Followed { host, link }) = &state.master else {
        return "Redis is master".to_owned();
    };
    match link {
        Link::Up => format!("Redis follows {host}"),
        Link::Syncing => format!("Redis is getting all data from {host}"),
        Link::Down => format!("Redis has no link to {host}"),
    }
}

/// How often the own Redis is looked at when all is well, and a master's keeper looks at the others'
/// servers; any other does so while something is wrong.
const OFTEN: Duration = Duration::from_secs(1);

/// How often the own Redis is looked at while it is not what it is to be.
const SOON: Duration = Duration::from_millis(200);

/// How often the others' servers are looked at when all is well.
const SELDOM: Duration = Duration::from_secs(5);

/// How long another master must have been seen before Redis is made to follow it.
const MISSED_FOR: Duration = Duration::from_secs(2);

/// How late the end of a Redis that is no child is noticed.
const TICK: Duration = Duration::from_millis(100);

/// A Redis that lives no longer than this has not come up.
const QUICK: Duration = Duration::from_secs(5);
