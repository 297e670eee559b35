//! A replica whose master does not come: a candidate asks to be made master, any other one starts anew
//! after a while, so that the units compare what they have.

use std::time::Duration;

use tracing::info;

use crate::clients::redis::commands::Followed;
use crate::clients::redis::commands::Link;
use crate::clients::redis::commands::RedisState;
use crate::keeper::Desk;
use crate::keeper::act;
use crate::keeper::running;
use crate::procedure::ask_failover::AskFailover;
use crate::render::inputs::Inputs;
use crate::world::cluster::Cluster;

/// What is remembered of it.
#[derive(Default)]
pub(crate) struct Stranded {
    /// Of a candidate; boxed, because hardly any is one.
    asking: Option<Box<AskFailover>>,
    since: Option<Duration>,
}

impl Stranded {
    /// One that was started to become master.
    pub(crate) fn as_candidate() -> Self {
        Self { asking: Some(Box::default()), ..Self::default() }
    }

    /// Whether it waits, so that the others' servers are to be looked at often.
    pub(crate) fn is_busy(&self) -> bool {
        self.asking.is_some() || self.since.is_some()
    }

    /// After a look; where Redis is to start anew, since when its master has not come.
    pub(crate) fn is_over(
        &mut self,
        inputs: &Inputs,
        cluster: &Cluster,
        state: &RedisState,
        desk: &Desk,
    ) -> Option<Duration> {
        let now = desk.watch.now();
        if !matches!(state.master, Some(Followed { link: Link::Down, .. })) {
            *self = Self::default();
            return None;
        }
        self.ask(inputs, cluster, desk);
        if !running::is_stranded(inputs, cluster, state) {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(now);
        // Sentinels try again and again where nobody may be promoted; one that succeeds is soon seen.
        if cluster.failover_leader().is_some() || now.saturating_sub(since) < STRANDED_FOR {
            return None;
        }
        info!("starts anew: its master does not come, and nobody else has all data and runs");
        Some(since)
    }

    fn ask(&mut self, inputs: &Inputs, cluster: &Cluster, desk: &Desk) {
        let Some(asking) = &mut self.asking else { return };
        let named = cluster.latest_vote().map(|vote| vote.master);
        // One that is there decides by itself whether another is to be master.
        let Some(named) = named.filter(|it| *it != inputs.unit && cluster.redis(*it).is_none())
        else {
            return;
        };
        // The same Sentinel that the named unit's keeper would ask.
        act::go_on_asking(asking, named, inputs, cluster, &desk.watch);
    }
}

/// Longer than a failover takes, a slow one too.
const STRANDED_FOR: Duration = Duration::from_secs(20);
