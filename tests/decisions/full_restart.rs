//! No Redis runs: whose data the restart goes on with, by the keepers' notes.

use std::collections::BTreeMap;
use std::time::Duration;

use expect_test::expect;
use proptest::prelude::*;
use redis_k8s::keeper::decide::Step;
use redis_k8s::world::cluster::Answer;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::lineage::KeeperView;
use redis_k8s::world::lineage::Lineage;
use redis_k8s::world::lineage::Rank;

use crate::keeper_start::Down;
use crate::keeper_start::keeper;
use crate::lineage::note;
use crate::worlds::Facts;
use crate::worlds::cluster;
use crate::worlds::host;

fn at(epoch: u64, note: Lineage) -> Lineage {
    Lineage { rank: Rank { epoch, starts: 0 }, ..note }
}

fn master(note: Lineage) -> Lineage {
    Lineage { was_master: true, ..note }
}

fn lax(note: Lineage) -> Lineage {
    Lineage { had_min_replicas: false, ..note }
}

/// Of three, with the Sentinels' files on the volumes, which name unit 0 at epoch 3.
fn kept(own: u32) -> Down {
    Down::unit(own, 3)
}

/// Of three, without a Sentinel; the record is unit 0 at epoch 3.
fn fresh(own: u32) -> Down {
    Down::unit(own, 3).without_sentinels()
}

#[test]
fn the_named_master_starts_when_nobody_is_ahead_and_the_others_follow_it() {
    let notes = [(0, master(note("a", 100))), (1, note("a", 100)), (2, note("a", 90))];
    kept(0).all_down(notes.clone()).chooses(expect!["start as master: elected at epoch 3"]);
    kept(1).all_down(notes).chooses(expect![
        "start as a replica of redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local: elected at epoch 3"
    ]);
}

#[test]
fn a_named_master_that_is_behind_or_empty_lets_the_freshest_be_master() {
    let notes = [(0, at(2, note("a", 900))), (1, note("b", 10)), (2, note("b", 20))];
    kept(0).all_down(notes.clone()).chooses(expect![[r"
        do not start before another is master: redis-k8s/2 has fresher data than the named master"]]);
    kept(0).all_down(notes.clone()).empty().chooses(expect![[r"
        do not start before another is master: redis-k8s/2 has fresher data than the named master"]]);
    kept(1).all_down(notes.clone()).chooses(expect![
        "start as a replica of redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local: elected at epoch 3"
    ]);
    kept(2).all_down(notes).chooses(expect![
        "start as a candidate, a replica of redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local: the named redis-k8s/0 is not there with data as fresh as these"
    ]);
}

#[test]
fn a_named_master_waits_a_minute_for_a_unit_that_is_missing() {
    let down = || kept(0).all_down([(0, master(note("a", 100))), (1, note("a", 100))]);
    down().after(59).chooses(expect!["do not start: named; not heard yet: redis-k8s/2"]);
    down().after(60).chooses(expect!["start as master: elected at epoch 3"]);
    // Its volume has been put back to what it was before it was elected.
    let old = [(0, at(2, lax(note("a", 100)))), (1, at(2, lax(note("a", 100))))];
    kept(0)
        .all_down(old)
        .after(60)
        .chooses(expect!["do not start: named; missing: redis-k8s/2, whose data may be fresher"]);
}

#[test]
fn a_named_master_that_is_missing_is_replaced_where_each_write_was_on_two_units() {
    let down = |note: Lineage| kept(1).all_down([(1, note.clone()), (2, at(2, note))]);
    down(note("a", 100))
        .after(59)
        .chooses(expect!["do not start: redis-k8s/0 is named; not heard yet: redis-k8s/0"]);
    down(note("a", 100)).after(60).chooses(expect![
        "start as a candidate, a replica of redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local: the named redis-k8s/0 is not there with data as fresh as these"
    ]);
    down(lax(note("a", 100))).after(60).chooses(expect![
        "do not start: redis-k8s/0 is named; missing: redis-k8s/0, whose data may be fresher"
    ]);
    let mut accepted = down(lax(note("a", 100)));
    accepted.inputs.accepted_loss = [0].into();
    accepted.chooses(expect![
        "start as a candidate, a replica of redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local: the named redis-k8s/0 is not there with data as fresh as these"
    ]);
}

#[test]
fn while_sentinels_try_in_vain_to_promote_anybody_nobody_starts() {
    let mut down = kept(1).all_down([(1, note("a", 9)), (2, note("a", 9))]).after(60);
    down.cluster.view(2).leads_failover = true;
    down.chooses(expect!["do not start: the Sentinel of redis-k8s/2 leads a failover"]);
}

#[test]
fn without_a_vote_the_freshest_starts_whatever_the_record_says() {
    // A failover that no hook saw: the record still says unit 0.
    let notes = [(0, note("a", 900)), (1, at(4, note("b", 10))), (2, master(at(4, note("b", 20))))];
    for own in [0, 1] {
        fresh(own).all_down(notes.clone()).chooses(expect![
            "do not start: redis-k8s/2 has the freshest data and is to start first"
        ]);
    }
    fresh(2)
        .all_down(notes)
        .chooses(expect!["start as master: no Sentinel names a master, and no data are fresher"]);
}

#[test]
fn without_a_vote_and_with_the_same_data_whoever_was_master_starts() {
    let same = |unit: u32| if unit == 1 { master(note("a", 7)) } else { note("a", 7) };
    let notes = [(0, same(0)), (1, same(1)), (2, same(2))];
    assert_eq!(fresh(1).all_down(notes.clone()).choice().step, Step::Master);
    assert_eq!(fresh(0).all_down(notes).choice().step, Step::Hold);
    // Volumes that no keeper has looked after have no notes: then the record tells.
    let notes = [(0, Lineage::default()), (1, Lineage::default()), (2, Lineage::default())];
    let mut recorded = fresh(0).all_down(notes.clone());
    recorded.inputs.recorded_epoch = None;
    assert_eq!(recorded.choice().step, Step::Master);
    assert_eq!(fresh(1).all_down(notes).choice().step, Step::Hold);
}

#[test]
fn without_a_vote_and_the_last_master_others_may_come_who_are_not_planned_yet() {
    let notes = [(0, at(2, note("a", 9))), (1, at(2, note("a", 8)))];
    let mut down = fresh(0).all_down(notes);
    down.inputs.planned.remove(&2);
    down.cluster.members.remove(&2);
    down.clone().after(59).chooses(expect![
        "do not start: no Sentinel names a master; the last master is not there and may yet come"
    ]);
    assert_eq!(down.after(60).choice().step, Step::Master);
    let alone = |own: u32| {
        let mut down = Down::unit(own, own + 1).without_sentinels().all_down([(own, note("a", 9))]);
        down.inputs.planned = [own].into();
        down.cluster.members.retain(|unit, _| *unit == own);
        down
    };
    alone(1).after(59).chooses(expect![
        "do not start: no other unit is planned yet, and this was not the last master"
    ]);
    assert_eq!(alone(1).after(60).choice().step, Step::Master);
    assert_eq!(alone(0).choice().step, Step::Master);
}

#[test]
fn without_a_vote_the_one_that_runs_as_master_is_followed() {
    let notes = [(0, note("a", 1)), (1, note("a", 900)), (2, note("a", 2))];
    let mut down = fresh(0).all_down(notes);
    down.cluster.member(1).redis = cluster(3).members[&0].redis.clone();
    down.chooses(expect![
        "start as a replica of redis-k8s-1.redis-k8s-endpoints.lab.svc.cluster.local: the only master, and no Sentinel names one"
    ]);
    down.cluster.member(2).redis = cluster(3).members[&0].redis.clone();
    down.chooses(expect!["do not start: no Sentinel names one of several masters"]);
}

#[test]
fn without_a_vote_one_missing_unit_is_done_without_where_it_cannot_have_more() {
    let of = |notes: [(u32, Lineage); 2]| fresh(notes[0].0).all_down(notes);
    let recorded = || of([(0, lax(note("a", 9))), (1, lax(note("a", 9)))]);
    recorded()
        .after(59)
        .chooses(expect!["do not start: no Sentinel names a master; not heard yet: redis-k8s/2"]);
    assert_eq!(recorded().after(60).choice().step, Step::Master);
    let on_two = of([(1, note("a", 9)), (2, note("a", 8))]);
    assert_eq!(on_two.after(60).choice().step, Step::Master);
    let unknown = || of([(1, lax(note("a", 9))), (2, lax(note("a", 8)))]).after(60);
    unknown().chooses(expect![
        "do not start: no Sentinel names a master; missing: redis-k8s/0, whose data may be fresher"
    ]);
    assert_eq!(unknown().choice().step, Step::Blocked([0].into()));
    let mut accepted = unknown();
    accepted.inputs.accepted_loss = [2].into();
    assert_eq!(accepted.choice().step, Step::Blocked([0].into()));
    accepted.inputs.accepted_loss = [0].into();
    assert_eq!(accepted.choice().step, Step::Master);
    // The record is of an election that the data of its unit do not know.
    let mut later = recorded().after(60);
    later.inputs.recorded_epoch = Some(4);
    assert_eq!(later.choice().step, Step::Blocked([2].into()));
}

#[test]
fn without_most_units_nobody_starts_but_the_recorded_master() {
    let alone = |own: u32| fresh(own).all_down([(own, note("a", 9))]).after(600);
    alone(1).chooses(expect![
        "do not start: no Sentinel names a master; missing: redis-k8s/0, redis-k8s/2, whose data may be fresher"
    ]);
    assert_eq!(alone(0).choice().step, Step::Master);
    let mut accepted = alone(1);
    accepted.inputs.accepted_loss = [0, 2].into();
    assert_eq!(accepted.choice().step, Step::Master);
    // An empty volume is no recorded master.
    assert_eq!(alone(0).empty().choice().step, Step::Blocked([1, 2].into()));
}

#[test]
fn a_minority_of_sentinels_is_believed_where_the_others_could_elect_nobody() {
    let mut two = Down::unit(0, 2).all_down([(0, lax(note("a", 9)))]);
    two.cluster.silence(1, Silence::Refused);
    two.clone().after(59).chooses(expect!["do not start: 1 of 2 Sentinels answer, 2 needed"]);
    two.after(60).chooses(expect!["start as master: elected at epoch 3"]);
    let mut three = kept(0).all_down([(0, master(note("a", 9)))]);
    for unit in [1, 2] {
        three.cluster.silence(unit, Silence::TimedOut);
    }
    three.clone().after(60).chooses(expect![
        "do not start: 1 of 3 Sentinels answer, 2 needed; missing: redis-k8s/1, redis-k8s/2, whose data may be fresher"
    ]);
    three.inputs.accepted_loss = [1, 2].into();
    three.after(60).chooses(expect!["start as master: elected at epoch 3"]);
}

#[test]
fn a_minority_of_sentinels_is_believed_when_all_data_are_there_and_no_other_sentinel_runs() {
    // As the Python charm leaves them: its Sentinels' files went with their pods.
    let with = |own: u32, silence: Silence| {
        let notes = [(0, note("a", 9)), (1, note("a", 9)), (2, note("a", 9))];
        let mut down = kept(own).all_down(notes);
        for unit in [1, 2] {
            down.cluster.member(unit).sentinel = Answer::Silent(silence.clone());
        }
        down
    };
    let waits = || expect!["do not start: 1 of 3 Sentinels answer, 2 needed"];
    with(0, Silence::Refused).after(14).chooses(waits());
    with(0, Silence::Refused).after(15).chooses(expect!["start as master: elected at epoch 3"]);
    with(1, Silence::Refused).after(15).chooses(expect![
        "start as a replica of redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local: elected at epoch 3"
    ]);
    with(0, Silence::TimedOut).after(600).chooses(waits());
}

#[test]
fn the_freshest_does_not_start_while_a_keeper_that_is_there_prefers_another() {
    let notes = [(0, note("a", 9)), (1, note("a", 8)), (2, note("a", 8))];
    let mut down = fresh(0).all_down(notes);
    for other in [None, Some(1)] {
        down.keepers.get_mut(&2).unwrap().prefers = other;
        down.chooses(expect!["do not start: has the freshest data, but not all keepers agree yet"]);
    }
    // One whose Redis runs has nothing to decide.
    down.keepers.get_mut(&2).unwrap().redis_runs = true;
    assert_eq!(down.choice().step, Step::Master);
}

#[test]
fn a_unit_that_is_alone_starts_with_what_it_has() {
    for down in [Down::unit(0, 1), Down::unit(0, 1).without_sentinels()] {
        assert_eq!(down.all_down([(0, note("a", 9))]).choice().step, Step::Master);
    }
}

/// Units whose Redis is down, some of them missing, with or without Sentinels that name one.
fn group() -> impl Strategy<Value = Vec<Down>> {
    let unit = (any::<bool>(), any::<bool>(), 1..4u64, 0..3u64, 0..5u64, any::<bool>());
    let units = prop::collection::vec(unit, 2..=4);
    let accepted = prop::collection::btree_set(0..4u32, 0..3);
    (units, any::<bool>(), 0..4u32, 0..100u64, accepted).prop_map(
        |(units, votes, named, seconds, accepted)| {
            let count = u32::try_from(units.len()).unwrap();
            let mut views: BTreeMap<u32, KeeperView> = BTreeMap::new();
            for (unit, (is_there, has_data, epoch, starts, offset, lax)) in (0..).zip(units) {
                if is_there {
                    let stream = format!("{epoch}.{starts}");
                    let rank = Rank { epoch, starts };
                    let note = Lineage { rank, had_min_replicas: !lax, ..note(&stream, offset) };
                    views.insert(unit, KeeperView { has_data, ..keeper(note, false) });
                }
            }
            let mut group: Vec<Down> = views
                .keys()
                .map(|own| {
                    let mut down = Down::unit(*own, count).all_down([]).after(seconds);
                    down.inputs.accepted_loss.clone_from(&accepted);
                    for unit in 0..count {
                        if !votes || !views.contains_key(&unit) {
                            down.cluster.silence(unit, Silence::Refused);
                        } else {
                            down.cluster.view(unit).vote = host(named % count);
                        }
                    }
                    down.own = views[own].clone();
                    down.keepers = views.clone();
                    down.keepers.remove(own);
                    down
                })
                .collect();
            let prefers: BTreeMap<u32, u32> = group
                .iter()
                .map(|down| (down.inputs.unit, down.situation().finding().freshest))
                .collect();
            for down in &mut group {
                for (unit, view) in &mut down.keepers {
                    view.prefers = prefers.get(unit).copied();
                }
            }
            group
        },
    )
}

fn leads(down: &Down) -> bool {
    matches!(down.choice().step, Step::Master | Step::Candidate(_))
}

proptest! {
    #[test]
    fn on_the_same_facts_one_unit_at_most_is_to_be_master(group in group()) {
        let leading: Vec<String> =
            group.iter().filter(|down| leads(down)).map(|down| down.choice().to_string()).collect();
        prop_assert!(leading.len() <= 1, "{leading:?}");
    }

    #[test]
    fn nobody_leads_with_less_than_another_that_is_there_has(group in group()) {
        for down in group.iter().filter(|down| leads(down)) {
            let rank = |view: &KeeperView| {
                let note = view.lineage.clone().unwrap_or_default();
                view.has_data.then_some((note.rank, note.offset))
            };
            for (unit, other) in &down.keepers {
                prop_assert!(rank(other) <= rank(&down.own), "{unit} is ahead: {}", down.choice());
            }
        }
    }

    #[test]
    fn nobody_leads_within_a_minute_while_a_unit_is_missing_whose_loss_is_not_accepted(
        group in group(),
    ) {
        for down in &group {
            let finding = down.situation().finding();
            if !finding.missing.is_subset(&down.inputs.accepted_loss)
                && down.looked_for < Duration::from_mins(1)
            {
                prop_assert!(!leads(down), "{}", down.choice());
            }
        }
    }

    #[test]
    fn beside_a_redis_that_serves_nobody_is_to_be_master(
        group in group(),
        server in 0..4u32,
        is_master: bool,
    ) {
        for mut down in group {
            let unit = server % u32::try_from(down.inputs.planned.len()).unwrap();
            if unit == down.inputs.unit {
                continue;
            }
            down.cluster.member(unit).redis = cluster(4).members[&u32::from(!is_master)].redis.clone();
            prop_assert!(!leads(&down), "{}", down.choice());
            let acts = down.cluster.redis(unit).is_some_and(|view| view.role == Role::Master);
            prop_assert_eq!(acts, is_master);
        }
    }
}

#[test]
fn a_leaving_unit_is_not_waited_for_and_does_not_become_master() {
    let mut down = kept(0).all_down([(0, master(note("a", 9))), (1, note("a", 9))]);
    down.inputs.planned.remove(&2);
    down.cluster.member(2).leaving = true;
    down.cluster.member(2).redis = Answer::Silent(Silence::TimedOut);
    assert_eq!(down.choice().step, Step::Master);
}
