//! Volumes that are empty, old, or another user's: what the others hold is not lost.

use std::time::Duration;

use testbed::lab::target::Target;
use testbed::wait;

use crate::outside;
use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::name;
use crate::writers::Writers;

#[test]
fn a_replica_with_an_empty_volume_is_not_promoted_when_it_is_alone_with_a_master_that_is_killed() {
    let story = Story::of(3);
    let master = story.whole(3);
    let (empty, away) = ((master + 1) % 3, (master + 2) % 3);
    story.fill(master, KEYS);
    let _charm = outside::deploy(&story);
    let writers = outside::writers(&story, 3, 1);
    writers.write_again(&story);
    // It is asked for all data, and does not begin to send them.
    story.redis(master, "CONFIG SET repl-diskless-sync-delay 120").unwrap();
    story.lab.wipe_volume(&name(empty), STORAGE).unwrap();
    story.lab.kill(&name(empty), &Target::Pod).unwrap();
    story.until("the empty replica answers", || {
        story.redis(empty, "DBSIZE").ok().filter(|keys| keys == "0")
    });
    story.lab.freeze(&name(away), &Target::Pod).unwrap();
    // The next pod comes at once here; without a controller its agent cannot begin.
    story.lab.controller_away().unwrap();
    story.lab.kill(&name(master), &Target::Pod).unwrap();
    wait::steadily("the empty replica is none but a replica", Duration::from_secs(8), || {
        story.redis(empty, "ROLE").is_ok_and(|role| !role.starts_with("master"))
    })
    .unwrap_or_else(|error| story.fail(&error.to_string()));
    story.lab.thaw(&name(away), &Target::Pod).unwrap();
    story.lab.controller_back().unwrap();
    story.whole(3);
    story.all_have(3, KEYS);
    writers.write_again(&story);
    writers.end(&story, "the master killed beside an empty replica");
}

#[test]
fn units_on_old_volumes_whose_sentinels_knew_another_master_follow_the_one_that_stayed() {
    let story = Story::of(3);
    // The old files are to name a master that has gone.
    story.make_master(3, 1);
    story.fill(1, OLD_KEYS);
    story.all_have(3, OLD_KEYS);
    for unit in [1, 2] {
        story.lab.snapshot_volume(&name(unit), STORAGE, &name(unit)).unwrap();
    }
    story.lab.scale(APPLICATION, 1).unwrap();
    assert_eq!(story.whole(1), 0);
    story.fill(0, KEYS);
    let writers = Writers::start(&story, 0, &[0, 1, 2], 0);
    for unit in [1, 2] {
        story.lab.roll_back_volume(&name(unit), STORAGE, &name(unit)).unwrap();
    }
    story.lab.scale(APPLICATION, 3).unwrap();
    assert_eq!(story.whole(3), 0);
    story.all_have(3, KEYS);
    writers.end(&story, "two units come onto old volumes of another master");
}

#[test]
fn a_volume_whose_files_belong_to_another_user_is_taken_over_with_its_data() {
    let story = Story::of(1);
    story.fill(0, KEYS);
    // Nobody is to be able to start before the files are another user's.
    story.lab.controller_away().unwrap();
    let before = story.lab.pod(&name(0)).unwrap().address();
    story.lab.kill(&name(0), &Target::Pod).unwrap();
    story.until("another pod is there", || {
        let pod = story.lab.pod(&name(0)).ok()?;
        let runs = ["redis", "sentinel", "charm"].iter().all(|it| pod.is_running(it));
        (pod.address() != before && runs).then_some(())
    });
    story.shell(&name(0), "redis", "chown -R 12345:12345 /var/lib/redis", "");
    let owner = story.shell(&name(0), "redis", "stat -c %u /var/lib/redis/appendonlydir", "");
    assert_eq!(owner.trim(), "12345");
    story.lab.controller_back().unwrap();
    story.whole(1);
    story.all_have(1, KEYS);
    // The keeper's own note is root's.
    let others = "find /var/lib/redis ! -user redis ! -name lineage.json";
    assert_eq!(story.shell(&name(0), "redis", others, ""), "", "these are not Redis' own");
}

/// The storage with the data and Sentinel's file.
const STORAGE: &str = "database";

const OLD_KEYS: u32 = 1_000;

const KEYS: u32 = 20_000;
