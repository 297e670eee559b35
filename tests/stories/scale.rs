//! Units that come.

use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::writers::Writers;

fn grows(from: u32, to: u32) {
    let story = Story::up_to(to, from);
    let before = story.whole(from);
    let units: Vec<u32> = (0..from).collect();
    let servers = story.servers(from);
    let writers = Writers::start(&story, 0, &units, 0);
    story.lab.scale(APPLICATION, to).unwrap();
    let master = story.whole(to);
    assert_eq!(master, before, "nobody had to become master");
    let wanted = if to < 3 { "0" } else { "1" };
    for unit in 0..to {
        story.until("min-replicas follows", || {
            let told = story.redis(unit, "CONFIG GET min-replicas-to-write").ok()?;
            (told.lines().last() == Some(wanted)).then_some(())
        });
    }
    writers.end(&story, &format!("{from} to {to}"));
    assert_eq!(story.servers(from), servers, "nothing is restarted where units were");
}

#[test]
fn one_unit_becomes_three() {
    grows(1, 3);
}

#[test]
fn two_units_become_five() {
    grows(2, 5);
}

#[test]
fn units_that_come_onto_old_volumes_follow_the_one_that_stayed() {
    let story = Story::of(3);
    let master = story.whole(3);
    assert_eq!(story.redis(master, "SET old 1"), Ok("OK".to_owned()));
    story.lab.scale(APPLICATION, 1).unwrap();
    story.whole(1);
    assert_eq!(story.redis(0, "SET newer 2"), Ok("OK".to_owned()));
    let writers = Writers::start(&story, 0, &[0], 0);
    story.lab.scale(APPLICATION, 3).unwrap();
    assert_eq!(story.whole(3), 0);
    writers.end(&story, "two units come onto old volumes");
    for unit in 0..3 {
        assert_eq!(story.redis(unit, "MGET old newer"), Ok("1\n2".to_owned()), "unit {unit}");
    }
}
