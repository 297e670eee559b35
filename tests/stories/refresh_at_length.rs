//! `juju refresh` from the Python charm in states that take longer to reach, and back.

use crate::refresh::KEYS;
use crate::refresh::python_state::Play;
use crate::refresh::refreshed;
use crate::refresh::refreshed_by;
use crate::stage::APPLICATION;
use crate::stage::charm;
use crate::stage::host;
use crate::stage::name;

#[test]
fn three_units_are_refreshed_while_unit_1_is_master_and_the_databag_names_another() {
    let story = Play::USUAL.deploy(3);
    story.lab.make_leader(&name(0)).unwrap();
    story.move_master(2, 3);
    story.recorded(2);
    story.move_master(1, 3);
    assert_eq!(story.databag()["leader-host"], host(2));
    refreshed(&story, 3, 1, "refresh, master on unit 1, databag stale");
}

#[test]
fn three_units_are_refreshed_while_unit_2_is_master() {
    let story = Play::USUAL.deploy(3);
    story.move_master(2, 3);
    story.recorded(2);
    refreshed(&story, 3, 2, "refresh, master on unit 2");
}

#[test]
fn entries_under_addresses_are_forgotten_when_all_units_are_refreshed() {
    let story = Play::ADDRESSES.deploy(3);
    // An address goes with its pod: of the last one to go the others know the name by then.
    story.move_master(0, 3);
    refreshed(&story, 3, 0, "refresh of servers that announce no name");
}

#[test]
fn units_that_nobody_holds_are_away_together_and_come_back_with_all_data() {
    let story = Play::USUAL.deploy(3);
    story.move_master(2, 3);
    story.recorded(2);
    story.move_master(1, 3);
    refreshed_by(&story, 3, 1, "refresh, nobody holds the roll, databag stale", || {
        story.lab.refresh(APPLICATION, charm().path()).unwrap();
    });
}

#[test]
fn a_refresh_back_finds_data_and_passwords_and_one_forward_again_too() {
    let story = Play::USUAL.deploy(3);
    story.move_master(0, 3);
    refreshed(&story, 3, 0, "refresh, before the way back");
    let (passwords, master) = (story.passwords(), story.whole(3));
    story.until("the first unit is master, which goes last", || {
        if master == 0 {
            return Some(());
        }
        story.sentinel(master, &format!("SENTINEL FAILOVER {APPLICATION}")).ok()?;
        story.until("it is settled", || story.witness(3).ok());
        (story.witness(3) == Ok(0)).then_some(())
    });
    story.until("it is recorded", || (story.databag()["leader-host"] == host(0)).then_some(()));
    story.roll(&Play::USUAL.charm(), 3);
    story.active();
    let master = story.until("the played charm's Sentinels agree", || {
        let master = story.master_by_sentinels(3)?;
        (story.replicas(master)? == 2).then_some(master)
    });
    assert_eq!(story.kept(master), KEYS);
    assert_eq!(story.passwords(), passwords);
    for (action, result) in [
        ("get-initial-admin-password", "redis-password"),
        ("get-sentinel-password", "sentinel-password"),
    ] {
        let answer = story.lab.run(&name(1), action, &[]).unwrap();
        assert_eq!(answer.results[result], passwords[result].as_str(), "{action}");
    }
    story.redis(master, "SET key:later 1").unwrap();
    let writers = story.clients(3);
    story.roll(&charm(), 3);
    let master = story.whole(3);
    writers.end(&story, "refresh after a refresh back");
    assert_eq!(story.kept(master), KEYS + 1);
    assert_eq!(story.passwords(), passwords);
}
