//! Units that leave: every survivor forgets them in its own pod, whatever Juju tells of it.

use testbed::juju::switches::Departures;
use testbed::juju::switches::Switches;
use testbed::lab::Options;

use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::writers::Writers;

/// The master is among those that leave.
fn shrinks(switches: Switches, from: u32, to: u32) {
    let story = Story::begin(from, Options { seed: 7, switches, ..Options::default() });
    story.make_master(from, from - 1);
    let units: Vec<u32> = (0..to).collect();
    let sentinels: Vec<Vec<u32>> =
        units.iter().map(|unit| story.processes(*unit, "redis", "redis-server")).collect();
    let writers = Writers::start(&story, 0, &units, 1);
    story.lab.scale(APPLICATION, to).unwrap();
    story.whole(to);
    writers.write_again(&story);
    writers.end(&story, &format!("{from} to {to}"));
    let now: Vec<Vec<u32>> =
        units.iter().map(|unit| story.processes(*unit, "redis", "redis-server")).collect();
    assert_eq!(now, sentinels, "no Redis was restarted");
    for unit in units {
        let log = story.lab.container_log(&crate::stage::name(unit), "sentinel").unwrap();
        assert!(!log.contains("+reset-master"), "a Sentinel was reset: {log}");
    }
}

#[test]
fn units_that_leave_with_the_master_are_forgotten_in_juju_3_and_nothing_is_lost() {
    shrinks(Switches::JUJU_3, 5, 3);
}

#[test]
fn a_master_that_leaves_is_forgotten_in_juju_4_which_tells_nobody_and_nothing_is_lost() {
    shrinks(Switches::JUJU_4, 4, 3);
}

#[test]
fn the_last_unit_takes_over_from_a_master_that_leaves_with_another_and_needs_no_replica() {
    let switches = Switches { departures: Departures::Late, ..Switches::JUJU_4 };
    let story = Story::begin(3, Options { seed: 7, switches, ..Options::default() });
    story.make_master(3, 2);
    let writers = Writers::start(&story, 0, &[0], 0);
    story.lab.scale(APPLICATION, 1).unwrap();
    assert_eq!(story.whole(1), 0);
    story.until("it takes writes without a replica", || {
        let told = story.redis(0, "CONFIG GET min-replicas-to-write").ok()?;
        (told.lines().last() == Some("0")).then_some(())
    });
    writers.end(&story, "3 to 1, the master leaves");
}
