//! Who is recorded as master, and whether a failover is finished.

use crate::decide::Situation;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;
use crate::world::cluster::Cluster;
use crate::world::election::Elected;
use crate::world::juju::Juju;

/// The record follows the vote: `leader-host` is the master that the electorate agrees on and whose
/// ROLE confirms it. Without an agreement the record stays.
pub fn record_elected(at: &Situation<'_>, plan: &mut Plan) {
    let juju = &at.world.juju;
    let own = juju.own_host();
    if juju.is_first_deployment() {
        plan.write(format!("record {own} as master"), "first deployment", |application| {
            application.leader_host = Some(own.clone());
            application.bootstrap = Some(own);
        });
        return;
    }
    let Some(cluster) = at.cluster() else { return };
    match cluster.elected() {
        Ok(elected) => record(juju, elected, plan),
        Err(_) if juju.application.leader_host.is_none() && cluster.nobody_votes() => {
            plan.write(format!("record {own} as master"), "nobody names one", |application| {
                application.leader_host = Some(own);
            });
        }
        Err(_) => {}
    }
}

/// A master whose unit is gone never comes back, and where most Sentinels have gone with it the others
/// never get a majority to replace it: one is asked, which needs none. That the unit is gone Juju says,
/// some seconds before its pod ends (Juju 3.6, on Kubernetes): what is written until then would be lost,
/// so its Redis has to be silent as well. A silence alone would be no evidence.
pub fn replace_gone(at: &Situation<'_>, plan: &mut Plan) {
    let Some(cluster) = at.cluster() else { return };
    let Some(master) = cluster.master_to_replace() else { return };
    let planned = cluster.planned();
    // Whoever asks chooses the same.
    let lowest = cluster.sentinels().map(|(unit, _)| unit).find(|unit| planned.contains(unit));
    if let Some(sentinel) = lowest {
        let gone = cluster.unit_text(master);
        plan.push(Effect::AskFailover { sentinel }, format!("the master {gone} is gone"));
    }
}

/// A failover that may end within the wait is finished in this run.
pub fn await_failover(at: &Situation<'_>, plan: &mut Plan) {
    if let Some(Err(obstacle)) = at.cluster().map(Cluster::settled)
        && at.may_wait
        && obstacle.may_pass_soon()
    {
        plan.wait(&obstacle);
    }
}

fn record(juju: &Juju, elected: Elected, plan: &mut Plan) {
    let recorded = &juju.application;
    let host = juju.naming.host(elected.master);
    let epoch = elected.epoch;
    if recorded.leader_host.as_deref() != Some(host.as_str()) {
        plan.write(
            format!("record {host} as master at epoch {epoch}"),
            "the Sentinels elected it",
            |application| {
                application.leader_host = Some(host);
                application.master_epoch = Some(epoch);
            },
        );
    } else if recorded.master_epoch != Some(epoch) {
        plan.write(format!("record epoch {epoch}"), "the Sentinels name it", |application| {
            application.master_epoch = Some(epoch);
        });
    }
    if recorded.accepted_loss.is_some() {
        plan.write("end the accepted loss", "there is a master", |application| {
            application.accepted_loss = None;
        });
    }
    if recorded.bootstrap.is_some() {
        plan.write("end the first start", "the Sentinels agree on a master", |application| {
            application.bootstrap = None;
        });
    }
}
