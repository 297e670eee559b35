//! THE TABLE: what the charm does about each event. Pure: facts in, a plan out.

pub mod actions;
pub mod credentials;
pub mod master;
pub mod members;
pub mod plan;
pub mod roll;
pub mod sentinels;
pub mod verdict;
pub mod workload;

use crate::decide::plan::Plan;
use crate::event::Event;
use crate::world::World;
use crate::world::cluster::Cluster;
use crate::world::juju::Leadership;

/// What a rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What happened.
    pub event: &'a Event,
    /// What is.
    pub world: &'a World,
    /// True while this run may still wait for a failover: once, and only at leader-elected.
    pub may_wait: bool,
}

/// One decision: it compares what is with what should be and plans the difference.
pub type Rule = fn(&Situation<'_>, &mut Plan);

/// The rules of one event, in order.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Those that every unit follows.
    pub unit: &'static [Rule],
    /// Those that the leader follows besides.
    pub leader: &'static [Rule],
}

/// What the charm does about an event.
///
/// The leader's rules stand in every row because Juju records leader-elected when it queues it: one
/// that a stopping pod took away never comes again (Juju 3.6, uniter/operation/leader.go).
pub fn row(event: &Event, deferred: bool) -> Row {
    match event {
        Event::LeaderElected
        | Event::Start
        | Event::ConfigChanged
        | Event::UpdateStatus
        | Event::UpgradeCharm
        | Event::PebbleReady { .. }
        | Event::Notice { .. }
        | Event::Check { .. }
        | Event::PeersChanged
        | Event::PeerDeparted
        | Event::StorageAttached
        | Event::StorageDetaching => ALL,
        Event::Action { .. } => Row { unit: &[actions::answer], leader: &[] },
        Event::Ignored { .. } if event.looks(deferred) => ALL,
        Event::Stop => Row { unit: &[roll::hold_at_stop], leader: &[] },
        Event::Ignored { .. } | Event::Remove => Row { unit: &[], leader: &[] },
    }
}

/// Whatever happens, the same is compared with what is to be: an event may be lost, or come late.
const ALL: Row = Row {
    unit: &[
        workload::run_redis,
        workload::run_sentinel,
        workload::forget_in_own_pod,
        workload::tell_that_it_leaves,
        roll::hold,
    ],
    leader: &[
        credentials::create,
        master::record_elected,
        master::replace_gone,
        members::record_leaving,
        sentinels::set_quorum,
        sentinels::restore_info_period,
        master::await_failover,
        members::forget_gone,
    ],
};

/// Runs the event's rules, each in its turn; a wait ends the plan.
pub fn decide(at: &Situation<'_>) -> Plan {
    let juju = &at.world.juju;
    let mut plan = Plan::new(juju.application.clone(), juju.naming.clone());
    let row = row(at.event, juju.deferral.is_some());
    for rule in row.unit {
        rule(at, &mut plan);
    }
    if juju.leadership == Leadership::Leader && juju.peer_relation.is_some() {
        for rule in row.leader {
            rule(at, &mut plan);
            if plan.waits() {
                break;
            }
        }
    }
    plan
}

impl<'a> Situation<'a> {
    /// The cluster, where it was asked.
    pub fn cluster(&self) -> Option<&'a Cluster> {
        self.world.cluster.as_ref()
    }
}
