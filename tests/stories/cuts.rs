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
fn a_stop_of_the_master_that_is_cut_anywhere_loses_nothing() {
    for seed in seeds(1) {
        cut(seed, "stop", |story, master, chance| {
            story.lab.delete_pod(&name(master)).unwrap();
            // Mostly it has handed over and ended by then.
            wait::pace(Duration::from_millis(chance.below(1_500)));
            let is_struck = chance.below(2) == 0;
            strike(story, chance, is_struck.then_some(master));
        });
    }
}

#[test]
fn a_roll_that_is_cut_anywhere_loses_nothing() {
    for seed in seeds(1) {
        cut(seed, "roll", |story, _, chance| {
            story.lab.refresh(APPLICATION, story.charm.path()).unwrap();
            // A roll takes longer than a stop.
            wait::pace(Duration::from_millis(chance.below(12_000)));
            strike(story, chance, None);
        });
    }
}

#[test]
fn a_restart_of_all_that_is_cut_anywhere_loses_nothing() {
    for seed in seeds(1) {
        cut(seed, "restart", |story, _, chance| {
            for unit in 0..3 {
                wait::pace(Duration::from_millis(chance.below(300)));
                story.lab.delete_pod(&name(unit)).unwrap();
            }
            wait::pace(Duration::from_millis(chance.below(3_000)));
            strike(story, chance, None);
        });
    }
}

/// Begins something, whoever is master, and strikes; in the end all is well, and nothing lost.
fn cut(seed: u64, what: &str, begin_and_strike: impl Fn(&Story, u32, &mut Chance)) {
    println!("{what}, seed {seed}");
    let mut chance = Chance::from_seed(seed);
    let story = Story::begin(3, Options { seed, ..Options::default() });
    let mut master = story.whole(3);
    let _charm = outside::deploy(&story);
    if chance.below(2) == 0 {
        master = story.may_lose_any(3);
    }
    let writers = outside::writers(&story, 3, 1);
    begin_and_strike(&story, master, &mut chance);
    story.rolled_out();
    story.whole(3);
    writers.write_again(&story);
    writers.end(&story, &format!("{what} cut, seed {seed}"));
}

/// Something dies, or is cut off for a moment: what the hand-over of a stopping master needs, or anything
/// of any unit. Where that is not there, something else.
fn strike(story: &Story, chance: &mut Chance, stopping: Option<u32>) {
    let keeper = Target::process("redis", "redis-keeper");
    let server = Target::process("redis", "redis-server");
    let container = Target::container("redis");
    let hook = Target::process("charm", "dispatch");
    let sentinel = Target::container("sentinel");
    let handing_over = [&keeper, &server, &container, &Target::Pod].map(Some);
    let anything = [&keeper, &keeper, &server, &sentinel, &container, &hook, &Target::Pod];
    let anything = [&anything.map(Some)[..], &[None]].concat();
    story.until("something is struck", || {
        let unit = stopping.unwrap_or_else(|| u32::try_from(chance.below(3)).unwrap());
        let targets = if stopping.is_some() { &handing_over[..] } else { &anything };
        let Some(target) = chance.one_of(targets) else {
            story.lab.isolate(&name(unit)).unwrap();
            wait::pace(Duration::from_millis(500 + chance.below(1_500)));
            story.lab.heal().unwrap();
            return Some(());
        };
        let struck = story.lab.kill(&name(unit), target);
        println!("struck: {target} of unit {unit}: {struck:?}");
        struck.ok()
    });
}
