//! What the keeper starts Redis as: worlds in, a choice and its reason out.

use std::collections::BTreeMap;
use std::time::Duration;

use expect_test::Expect;
use expect_test::expect;
use redis_k8s::keeper::decide::End;
use redis_k8s::keeper::decide::Situation;
use redis_k8s::keeper::decide::UNHEARD_FOR;
use redis_k8s::keeper::decide::start;
use redis_k8s::render::inputs::Inputs;
use redis_k8s::world::cluster::Answer;
use redis_k8s::world::cluster::Cluster;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::lineage::KeeperView;
use redis_k8s::world::lineage::Lineage;

use crate::lineage::note;
use crate::worlds::Facts;
use crate::worlds::cluster;
use crate::worlds::host;
use crate::worlds::inputs;

/// A unit whose Redis does not run, of `units` that ran before.
#[derive(Clone, Debug)]
pub(crate) struct Down {
    pub(crate) inputs: Inputs,
    pub(crate) cluster: Cluster,
    pub(crate) own: KeeperView,
    pub(crate) keepers: BTreeMap<u32, KeeperView>,
    pub(crate) end: End,
    pub(crate) saw_masters_end: bool,
    pub(crate) looked_for: Duration,
    pub(crate) in_vain: bool,
}

impl Down {
    /// Unit `own` of so many, with its data; unit 0 is the elected master, and all others run.
    pub(crate) fn unit(own: u32, units: u32) -> Self {
        let mut cluster = cluster(units);
        cluster.member(own).redis = Answer::Silent(Silence::Refused);
        Self {
            inputs: inputs(own, units),
            cluster,
            own: keeper(note("a", 100), false),
            keepers: BTreeMap::new(),
            end: End::Clean,
            saw_masters_end: false,
            looked_for: Duration::from_secs(1),
            in_vain: false,
        }
    }

    pub(crate) fn choice(&self) -> redis_k8s::keeper::decide::Choice {
        start(&self.situation())
    }

    pub(crate) fn situation(&self) -> Situation<'_> {
        Situation {
            inputs: &self.inputs,
            cluster: &self.cluster,
            keepers: &self.keepers,
            own: &self.own,
            end: self.end,
            saw_masters_end: self.saw_masters_end,
            looked_for: self.looked_for,
            in_vain: self.in_vain,
        }
    }

    /// Nobody's Redis runs, and these are the notes of the units whose keepers are there; each prefers
    /// whom this unit does.
    pub(crate) fn all_down<const N: usize>(mut self, notes: [(u32, Lineage); N]) -> Self {
        for unit in self.inputs.planned.clone() {
            self.cluster.member(unit).redis = Answer::Silent(Silence::Refused);
        }
        for (unit, note) in notes {
            if unit == self.inputs.unit {
                self.own = keeper(note, false);
            } else {
                self.keepers.insert(unit, keeper(note, false));
            }
        }
        let prefers = self.situation().finding().freshest;
        for view in self.keepers.values_mut() {
            view.prefers = Some(prefers);
        }
        self
    }

    /// No Sentinel is there.
    pub(crate) fn without_sentinels(mut self) -> Self {
        for unit in self.inputs.planned.clone() {
            self.cluster.member(unit).sentinel = Answer::Silent(Silence::Refused);
        }
        self
    }

    pub(crate) fn after(self, seconds: u64) -> Self {
        Self { looked_for: Duration::from_secs(seconds), ..self }
    }

    pub(crate) fn empty(mut self) -> Self {
        self.own = KeeperView::default();
        self
    }

    pub(crate) fn chooses(&self, expected: Expect) {
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

/// A keeper with data, and what it has noted of them.
pub(crate) fn keeper(lineage: Lineage, redis_runs: bool) -> KeeperView {
    KeeperView { lineage: Some(lineage), has_data: true, redis_runs, prefers: None }
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
fn a_named_master_lets_a_synced_unit_be_master_however_it_ended() {
    Down::unit(0, 3).chooses(expect![
        "do not start before another is master: the named master ended, and redis-k8s/1 is in sync"
    ]);
}

#[test]
fn a_named_master_starts_when_nobody_else_may_be_promoted() {
    let mut down = Down::unit(0, 3);
    for unit in [1, 2] {
        down.cluster.server(unit).priority = Some(0);
    }
    down.chooses(expect!["start as master: elected at epoch 3"]);
}

#[test]
fn a_named_master_does_not_start_while_a_failover_is_under_way() {
    let mut down = Down::unit(0, 3);
    for unit in [1, 2] {
        down.cluster.server(unit).priority = Some(0);
    }
    down.cluster.view(2).leads_failover = true;
    down.chooses(expect!["do not start: named, but the Sentinel of redis-k8s/2 leads a failover"]);
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
    down = down.empty();
    down.chooses(expect!["do not start before another is master: the named master has an empty volume, and redis-k8s/1 is in sync"]);
}

#[test]
fn a_named_master_whose_end_its_keeper_saw_waits_four_seconds_for_one_that_is_not_heard() {
    let mut down = Down::unit(0, 3);
    (down.end, down.saw_masters_end) = (End::Unclean, true);
    down.cluster.server(1).priority = Some(0);
    down.cluster.silence(2, Silence::TimedOut);
    down.looked_for = Duration::from_millis(3_999);
    down.chooses(expect!["do not start: named; not heard yet: redis-k8s/2"]);
    down.looked_for = UNHEARD_FOR;
    down.chooses(expect!["start as master: elected at epoch 3"]);
    // What another keeper left may be anything.
    down.saw_masters_end = false;
    down.chooses(expect!["do not start: named; not heard yet: redis-k8s/2"]);
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
    down = down.empty();
    down.chooses(expect!["do not start before another is master: the named master has an empty volume, and redis-k8s/1 is in sync"]);
}

#[test]
fn a_named_master_that_is_empty_waits_while_another_has_data_or_is_not_heard() {
    let mut down = Down::unit(0, 3);
    down = down.empty();
    for unit in [1, 2] {
        down.cluster.server(unit).priority = Some(0);
    }
    down.chooses(expect![
        "do not start before another is master: redis-k8s/1 has fresher data than the named master"
    ]);
    down.cluster.server(1).has_data = false;
    down.cluster.silence(2, Silence::TimedOut);
    for view in [0, 1] {
        down.cluster.view(view).sentinels.retain(|entry| entry.host != host(2));
    }
    down.chooses(expect!["do not start: named; not heard yet: redis-k8s/2"]);
}

#[test]
fn a_named_master_starts_when_all_are_empty_or_it_is_the_only_one() {
    let mut down = Down::unit(0, 3);
    down = down.empty();
    for unit in [1, 2] {
        let server = down.cluster.server(unit);
        server.priority = Some(0);
        server.has_data = false;
    }
    down.chooses(expect!["start as master: elected at epoch 3"]);
    let mut down = Down::unit(0, 1);
    down = down.empty();
    down.chooses(expect!["start as master: elected at epoch 3"]);
}

#[test]
fn in_the_very_first_start_the_named_unit_is_master_and_the_others_follow_it() {
    for own in [0, 1] {
        let mut down = Down::unit(own, 3).alone_in_silence();
        down = down.empty();
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
    down = down.empty();
    for unit in [1, 2] {
        down.cluster.server(unit).priority = Some(0);
    }
    down.chooses(expect![
        "do not start before another is master: redis-k8s/1 has fresher data than the named master"
    ]);
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
        if !has_data {
            down = down.empty();
        }
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
fn without_a_majority_a_group_of_units_waits() {
    let mut down = Down::unit(0, 3);
    for unit in [1, 2] {
        down.cluster.silence(unit, Silence::TimedOut);
    }
    down.chooses(expect!["do not start: 1 of 3 Sentinels answer, 2 needed"]);
}
