//! Stops, rolls and restarts that are cut at a random point: whatever dies meanwhile, the group becomes
//! whole, and nothing that a replica had too is lost. What is done, and what dies when, follows from a seed.
#![expect(clippy::print_stdout, reason = "a seed is told")]

use std::time::Duration;

use testbed::lab::Options;
use testbed::lab::target::Target;
use testbed::wait;

use crate::chance::Chance;
use crate::chance::seeds;
use crate::outside;
use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::name;

#[test]
fn a_stop_that_is_cut_anywhere_loses_nothing() {
    for seed in seeds(1) {
        cut(seed, "stop", |story, chance| {
            let unit = u32::try_from(chance.below(3)).unwrap();
            story.lab.delete_pod(&name(unit)).unwrap();
        });
    }
}

#[test]
fn a_roll_that_is_cut_anywhere_loses_nothing() {
    for seed in seeds(1) {
        cut(seed, "roll", |story, _| {
            story.lab.refresh(APPLICATION, story.charm.path()).unwrap();
        });
    }
}

#[test]
fn a_restart_of_all_that_is_cut_anywhere_loses_nothing() {
    for seed in seeds(1) {
        cut(seed, "restart", |story, chance| {
            for unit in 0..3 {
                wait::pace(Duration::from_millis(chance.below(300)));
                story.lab.delete_pod(&name(unit)).unwrap();
            }
        });
    }
}

fn cut(seed: u64, what: &str, begin: impl Fn(&Story, &mut Chance)) {
    println!("{what}, seed {seed}");
    let mut chance = Chance::from_seed(seed);
    let story = Story::begin(3, Options { seed, ..Options::default() });
    story.lets_hooks_fail();
    story.whole(3);
    let _charm = outside::deploy(&story);
    if chance.below(2) == 0 {
        story.may_lose_any(3);
    }
    let writers = outside::writers(&story, 3, 1);
    begin(&story, &mut chance);
    // A roll takes longer than a stop.
    let span = if what == "roll" { 12_000 } else { 3_000 };
    wait::pace(Duration::from_millis(chance.below(span)));
    strike(&story, &mut chance);
    story.rolled_out();
    story.whole(3);
    writers.write_again(&story);
    writers.end(&story, &format!("{what} cut, seed {seed}"));
}

/// Something dies, or is cut off for a moment; what is not there cannot.
fn strike(story: &Story, chance: &mut Chance) {
    let unit = u32::try_from(chance.below(3)).unwrap();
    let target = match chance.below(8) {
        0 | 1 => Target::process("redis", "redis-keeper"),
        2 => Target::process("redis", "redis-server"),
        3 => Target::container("sentinel"),
        4 => Target::container("redis"),
        5 => Target::process("charm", "dispatch"),
        6 => Target::Pod,
        _ => {
            if story.lab.isolate(&name(unit)).is_ok() {
                wait::pace(Duration::from_millis(500 + chance.below(1_500)));
                story.lab.heal().unwrap();
            }
            return;
        }
    };
    println!("struck: {target} of unit {unit}: {:?}", story.lab.kill(&name(unit), &target));
}
