//! The planned switch against a model: cut off anywhere, with another unit that stops at the same time
//! or was restarted a moment ago. Never do two masters take writes, and no acknowledged write is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::ProptestConfig;
use proptest::prelude::any;
use proptest::proptest;
use redis_k8s::procedure::switchover::Limits;
use redis_k8s::procedure::switchover::Next;
use redis_k8s::procedure::switchover::Switchover;

use crate::switchover_model::Model;
use crate::switchover_model::Time;

/// Plays one stop of unit 0, cut off after so many steps, or not.
fn play(seed: u64, units: u32, cut_after: Option<u64>) {
    let mut model = Model::new(seed, units);
    for _ in 0..50 {
        model.tick();
    }
    let since = model.now;
    let limits = Limits { ready: Duration::from_secs(12), over: Duration::from_secs(16) };
    let mut switch = Switchover::new(0, limits);
    let stops_too = (model.chance.one_in(3) && units > 2).then(|| {
        let unit = 1 + u32::try_from(model.chance.below(u64::from(units - 1))).unwrap();
        (unit, since + model.chance.below(1_500))
    });
    let (mut steps, mut next_look) = (0, since);
    let mut is_done = false;
    // A keeper that was killed is back after a while and follows whom the Sentinels name.
    let mut follows_at = None;
    while model.now < since + 25_000 {
        model.tick();
        if let Some((unit, at)) = stops_too {
            if model.now == at / 10 * 10 {
                model.stop(unit, 0);
            }
            if model.now == at / 10 * 10 + 400 {
                model.stop(unit, 1);
            }
        }
        let is_cut = cut_after.is_some_and(|cut| steps >= cut);
        if !is_done && !is_cut && model.now >= next_look {
            let look = model.look();
            let step = switch.next(&look, Duration::from_millis(model.now - since));
            steps += 1;
            // What is done is done a little later than what was seen.
            for _ in 0..model.chance.below(3) {
                model.tick();
            }
            is_done = matches!(step, Next::Done(_));
            if is_done {
                // Redis holds writes itself at its end, until its replicas have all.
                model.servers.get_mut(&0).unwrap().held_until = Time::MAX;
            }
            model.perform(step, &mut switch, since);
            next_look = model.now + 30 + model.chance.below(100);
        }
        let named = model.named();
        if is_cut && named != 0 {
            let at = *follows_at.get_or_insert(model.now + 3_000);
            if model.now >= at {
                model.servers.get_mut(&0).unwrap().follows = Some(named);
            }
        }
    }
    let masters: Vec<u32> = model
        .servers
        .iter()
        .filter(|(_, it)| it.up && it.follows.is_none())
        .map(|(unit, _)| *unit)
        .collect();
    let new = masters.iter().copied().find(|unit| *unit != 0);
    let holder = new.unwrap_or(0);
    assert!(masters.len() == 1, "{masters:?} are masters");
    let kept: BTreeSet<u64> = model.servers[&holder].writes.iter().copied().collect();
    let lost = model.acknowledged.iter().filter(|write| !kept.contains(write)).count();
    assert_eq!(lost, 0, "writes that unit {holder} has not");
}

proptest! {
    // Thousands pass; each plays 25 seconds.
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_switch_that_goes_through_loses_nothing(seed in any::<u64>(), units in 2_u32..6) {
        play(seed, units, None);
    }

    #[test]
    fn a_switch_that_is_cut_anywhere_heals(
        seed in any::<u64>(),
        units in 2_u32..6,
        cut in 0_u64..60,
    ) {
        play(seed, units, Some(cut));
    }
}
