//! What the keeper starts Redis as: worlds in, a choice and its reason out.

use std::time::Duration;

use expect_test::Expect;
use expect_test::expect;
use redis_k8s::keeper::decide::End;
use redis_k8s::keeper::decide::Situation;
use redis_k8s::keeper::decide::UNHEARD_FOR;
use redis_k8s::keeper::decide::start;
use redis_k8s::render::inputs::Inputs;
use redis_k8s::world::cluster::Cluster;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;

use crate::worlds::Facts;
use crate::worlds::cluster;
use crate::worlds::host;
use crate::worlds::inputs;

/// A unit whose Redis does not run, of `units` that ran before.
#[derive(Clone, Debug)]
pub(crate) struct Down {
    pub(crate) inputs: Inputs,
    pub(crate) cluster: Cluster,
    pub(crate) has_data: bool,
    pub(crate) end: End,
    pub(crate) looked_for: Duration,
    pub(crate) in_vain: bool,
}

impl Down {
    /// Unit `own` of so many, with its data; unit 0 is the elected master.
    pub(crate) fn unit(own: u32, units: u32) -> Self {
        let mut cluster = cluster(units);
        cluster.member(own).redis = redis_k8s::world::cluster::Answer::Silent(Silence::Refused);
        Self {
            inputs: inputs(own, units),
            cluster,
            has_data: true,
            end: End::Clean,
            looked_for: UNHEARD_FOR,
            in_vain: false,
        }
    }

    pub(crate) fn choice(&self) -> redis_k8s::keeper::decide::Choice {
        let Self { inputs, cluster, has_data, end, looked_for, in_vain } = self;
        start(&Situation {
            inputs,
            cluster,
            has_data: *has_data,
            end: *end,
            looked_for: *looked_for,
            in_vain: *in_vain,
        })
    }

    fn chooses(&self, expected: Expect) {
        expected.assert_eq(&self.choice().to_string());
    }

    /// Every other unit is silent, and the own Sentinel too.
    fn alone_in_silence(mut self) -> Self {
        let units: Vec<u32> = self.cluster.members.keys().copied().collect();
        for unit in units {
            self.cluster.silence(unit, Silence::Refused);
        }
        self
    }
}

#[test]
fn a_replica_follows_the_elected_master() {
    Down::unit(1, 3).chooses(expect![[r"
        start as a replica of redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local: elected at epoch 3"]]);
}

#[test]
fn the_elected_master_counts_and_not_the_recorded_one() {
    let mut down = Down::unit(0, 3);
    down.cluster.fail_over_to(2, 4);
    down.chooses(expect![[r"
        start as a replica of redis-k8s-2.redis-k8s-endpoints.lab.svc.cluster.local: elected at epoch 4"]]);
}

#[test]
fn a_lower_epoch_never_makes_a_majority() {
    let mut down = Down::unit(0, 3);
    down.cluster.fail_over_to(2, 4);
    for old in [0, 1] {
        let view = down.cluster.view(old);
        view.epoch = 1;
        view.vote = host(0);
    }
    down.chooses(expect![
        "do not start: Sentinels disagree on the master: 1 of 3 name one, 2 needed"
    ]);
}

#[test]
fn a_named_master_that_ended_well_starts_as_master() {
    Down::unit(0, 3).chooses(expect!["start as master: elected at epoch 3"]);
}

#[test]
fn a_named_master_that_was_killed_lets_a_synced_unit_be_master() {
    let mut down = Down::unit(0, 3);
    down.end = End::Unclean;
    down.chooses(expect!["do not start before another is master: the named master ended uncleanly, and redis-k8s/1 is in sync"]);
}

#[test]
fn a_named_master_that_was_killed_starts_when_no_sentinel_makes_another_master() {
    let mut down = Down::unit(0, 3);
    (down.end, down.in_vain) = (End::Unclean, true);
    down.chooses(expect![
        "start as master: no Sentinel makes redis-k8s/1 master, which is in sync"
    ]);
    down.has_data = false;
    down.chooses(expect!["do not start before another is master: the named master has an empty volume, and redis-k8s/1 is in sync"]);
}

#[test]
fn a_named_master_that_was_killed_starts_when_nobody_else_is_in_sync() {
    let mut down = Down::unit(0, 3);
    down.end = End::Unclean;
    down.cluster.server(1).priority = Some(0);
    down.cluster.silence(2, Silence::TimedOut);
    down.looked_for = Duration::from_millis(3_999);
    down.chooses(expect![
        "do not start: the named master ended uncleanly, and redis-k8s/2 has not been heard yet"
    ]);
    down.looked_for = UNHEARD_FOR;
    down.chooses(expect!["start as master: elected at epoch 3"]);
}

#[test]
fn a_unit_that_leaves_is_not_handed_over_to() {
    let mut down = Down::unit(0, 3);
    down.end = End::Unclean;
    for unit in [1, 2] {
        down.inputs.planned.remove(&unit);
        down.cluster.member(unit).leaving = true;
    }
    down.chooses(expect!["start as master: elected at epoch 3"]);
}

#[test]
fn a_named_master_does_not_start_beside_another_that_answers() {
    let mut down = Down::unit(0, 3);
    down.cluster.server(1).role = Role::Master;
    down.chooses(expect!["do not start: redis-k8s/1 answers as master, Sentinels name this unit"]);
}

#[test]
fn a_named_master_that_is_empty_lets_a_synced_unit_be_master() {
    let mut down = Down::unit(0, 3);
    down.has_data = false;
    down.chooses(expect!["do not start before another is master: the named master has an empty volume, and redis-k8s/1 is in sync"]);
}

#[test]
fn a_named_master_that_is_empty_waits_while_another_has_data_or_is_not_heard() {
    let mut down = Down::unit(0, 3);
    down.has_data = false;
    for unit in [1, 2] {
        down.cluster.server(unit).priority = Some(0);
    }
    down.chooses(expect!["do not start: still named, but empty, and redis-k8s/1 has data"]);
    down.cluster.server(1).has_data = false;
    down.cluster.silence(2, Silence::TimedOut);
    for view in [0, 1] {
        down.cluster.view(view).sentinels.retain(|entry| entry.host != host(2));
    }
    down.chooses(expect![
        "do not start: still named, but empty, and redis-k8s/2 has not been heard"
    ]);
}

#[test]
fn a_named_master_starts_when_all_are_empty_or_it_is_the_only_one() {
    let mut down = Down::unit(0, 3);
    down.has_data = false;
    for unit in [1, 2] {
        let server = down.cluster.server(unit);
        server.priority = Some(0);
        server.has_data = false;
    }
    down.chooses(expect!["start as master: elected at epoch 3"]);
    let mut down = Down::unit(0, 1);
    down.has_data = false;
    down.chooses(expect!["start as master: elected at epoch 3"]);
}

#[test]
fn in_the_very_first_start_the_named_unit_is_master_and_the_others_follow_it() {
    for own in [0, 1] {
        let mut down = Down::unit(own, 3).alone_in_silence();
        down.has_data = false;
        down.inputs.bootstrap = Some(host(0));
        if own == 0 {
            down.chooses(expect!["start as master: the very first start"]);
        } else {
            down.chooses(expect!["start as a replica of redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local: master of the very first start"]);
        }
    }
}

#[test]
fn in_the_very_first_start_a_vote_counts_more() {
    let mut down = Down::unit(0, 3);
    down.inputs.bootstrap = Some(host(0));
    down.cluster.fail_over_to(2, 4);
    down.chooses(expect!["start as a replica of redis-k8s-2.redis-k8s-endpoints.lab.svc.cluster.local: elected at epoch 4"]);
}

#[test]
fn a_first_master_that_lost_its_volume_does_not_empty_the_others() {
    let mut down = Down::unit(0, 3);
    down.inputs.bootstrap = Some(host(0));
    down.has_data = false;
    for unit in [1, 2] {
        down.cluster.server(unit).priority = Some(0);
    }
    down.chooses(expect!["do not start: still named, but empty, and redis-k8s/1 has data"]);
    let mut down = down.alone_in_silence();
    down.cluster.member(1).redis = cluster(3).members[&1].redis.clone();
    down.chooses(expect![
        "do not start: the very first start, but the volume is empty and redis-k8s/1 has data"
    ]);
}

#[test]
fn a_single_unit_with_nobody_to_ask_starts() {
    for has_data in [true, false] {
        let mut down = Down::unit(0, 1).alone_in_silence();
        down.has_data = has_data;
        down.chooses(expect!["start as master: no other unit is planned"]);
    }
}

#[test]
fn the_last_planned_unit_waits_for_one_that_leaves_and_is_master() {
    let mut down = Down::unit(0, 2).alone_in_silence();
    down.inputs.planned = [0].into();
    down.inputs.leaving = [1].into();
    down.cluster.member(1).leaving = true;
    down.cluster.member(1).redis = cluster(2).members[&0].redis.clone();
    down.chooses(expect![
        "do not start: no other unit is planned, but redis-k8s/1 answers as master"
    ]);
}

#[test]
fn the_last_planned_unit_does_not_follow_a_master_that_is_gone() {
    let mut down = Down::unit(0, 1);
    down.cluster.view(0).vote = host(2);
    down.chooses(expect!["start as master: redis-k8s/2 is gone, and no other unit is planned"]);
}

#[test]
fn without_a_vote_a_group_of_units_waits() {
    Down::unit(0, 3)
        .alone_in_silence()
        .chooses(expect!["do not start: no Sentinel of the 3 planned units names a master"]);
    let mut down = Down::unit(0, 3);
    for unit in [1, 2] {
        down.cluster.silence(unit, Silence::TimedOut);
    }
    down.chooses(expect!["do not start: 1 of 3 Sentinels answer, 2 needed"]);
}
