//! What the keeper sees: its own Redis, and the servers of the other units.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

use crate::clients::redis::commands;
use crate::clients::redis::commands::RedisState;
use crate::clients::redis::connection::Connection;
use crate::clients::redis::connection::Failure;
use crate::clock::Watch;
use crate::names::REDIS_PORT;
use crate::observe::cluster::look_at_units;
use crate::render::inputs::Inputs;
use crate::world::access::Access;
use crate::world::cluster::Answer;
use crate::world::cluster::Cluster;
use crate::world::cluster::Kind;
use crate::world::cluster::Member;
use crate::world::cluster::Silence;
use crate::world::password::Password;

/// The other units, as far as they are known from one look to the next: their addresses, so that no
/// resolver is needed when it matters, and who was silent, so that a look does not wait for them
/// again and again.
#[derive(Debug, Default)]
pub(crate) struct Circle {
    addresses: BTreeMap<u32, IpAddr>,
    silent: BTreeMap<(u32, Kind), Duration>,
}

impl Circle {
    /// Asks every unit's Redis and Sentinel, all at the same time.
    pub(crate) fn look(&mut self, inputs: &Inputs, watch: &Watch, limit: Duration) -> Cluster {
        let now = watch.now();
        self.silent.retain(|_, since| now.saturating_sub(*since) < SILENCE_IS_BELIEVED);
        let units = inputs.planned.union(&inputs.leaving).chain([&inputs.unit]);
        let members = units.map(|unit| (*unit, self.unasked(inputs, *unit))).collect();
        let unasked = Cluster { naming: inputs.naming(), members, strangers: BTreeMap::new() };
        let cluster = look_at_units(&access(inputs), unasked, &watch.budget(limit));
        for (unit, member) in &cluster.members {
            self.learn(*unit, member, watch.now());
        }
        cluster
    }

    /// Who was silent is asked at the next look all the same.
    pub(crate) fn listen_again(&mut self) {
        self.silent.clear();
    }

    fn unasked(&self, inputs: &Inputs, unit: u32) -> Member {
        let silence = |kind| {
            let is_silent = self.silent.contains_key(&(unit, kind));
            if is_silent { Silence::TimedOut } else { Silence::NotAsked }
        };
        Member {
            leaving: !inputs.planned.contains(&unit),
            address: self.addresses.get(&unit).copied(),
            redis: Answer::Silent(silence(Kind::Redis)),
            sentinel: Answer::Silent(silence(Kind::Sentinel)),
        }
    }

    fn learn(&mut self, unit: u32, member: &Member, now: Duration) {
        let answers =
            [(Kind::Redis, member.redis.silence()), (Kind::Sentinel, member.sentinel.silence())];
        for (kind, silence) in answers {
            if silence.is_some_and(Silence::is_slow) {
                self.silent.entry((unit, kind)).or_insert(now);
            }
        }
        // A pod that took the place of another has another address.
        match member.address.filter(|_| answers.iter().any(|(_, silence)| silence.is_none())) {
            Some(address) => self.addresses.insert(unit, address),
            None => self.addresses.remove(&unit),
        };
    }
}

/// Asks the own Redis for its state.
pub(crate) fn own_state(inputs: &Inputs, watch: &Watch) -> Result<RedisState, Failure> {
    commands::state(&mut own_redis(inputs, watch)?)
}

/// A connection to the own Redis.
pub(crate) fn own_redis(inputs: &Inputs, watch: &Watch) -> Result<Connection, Failure> {
    let place = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), REDIS_PORT);
    let password = inputs.redis_password.as_ref().map(Password::reveal);
    Connection::open(place, password, &watch.budget(OWN_ANSWER))
}

/// What it takes to ask the group's servers, as the charm has told it.
fn access(inputs: &Inputs) -> Access {
    Access {
        unit: inputs.unit,
        naming: inputs.naming(),
        redis_password: inputs.redis_password.clone(),
        sentinel_password: inputs.sentinel_password.clone(),
    }
}

/// What a look may take while Redis does not run: one round, which takes a second.
pub(crate) const LOOK: Duration = Duration::from_millis(1_200);

/// What one may take while Redis runs: so much later its end may be noticed.
pub(crate) const SHORT_LOOK: Duration = Duration::from_millis(400);

/// The own Redis answers at once, unless the machine stands still.
const OWN_ANSWER: Duration = Duration::from_millis(500);

/// How long who did not answer in time is not asked again.
const SILENCE_IS_BELIEVED: Duration = Duration::from_secs(2);
