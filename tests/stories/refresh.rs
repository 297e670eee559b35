//! `juju refresh` from the Python charm.

#[cfg_attr(not(feature = "long-stories"), expect(dead_code, reason = "the long stories need more"))]
#[path = "python_state/mod.rs"]
pub(crate) mod python_state;

use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::charm;
use crate::stage::host;
use crate::stage::name;
use python_state::Play;

/// Refreshes units of the played charm, with writers, to ours, one when the last is well; gives the
/// master.
pub(crate) fn refreshed(story: &Story, units: u32, master: u32, what: &str) -> u32 {
    refreshed_by(story, units, master, what, || story.roll(&charm(), units))
}

/// The same in another way.
pub(crate) fn refreshed_by(
    story: &Story,
    units: u32,
    master: u32,
    what: &str,
    refresh: impl Fn(),
) -> u32 {
    let before = story.databag();
    story.write_keys(master, KEYS);
    let writers = story.clients(units);
    refresh();
    let elected = story.whole(units);
    writers.end(story, what);
    assert_eq!(story.kept(elected), KEYS);
    let after = story.databag();
    for key in ["redis-password", "sentinel-password", "enable-password"] {
        assert_eq!(after.get(key), before.get(key), "{key}");
    }
    story.until("the record follows", || {
        (story.databag()["leader-host"] == host(elected)).then_some(())
    });
    assert_eq!(story.ever_written("bootstrap"), Vec::new());
    elected
}

#[test]
fn three_units_are_refreshed_while_unit_0_is_master() {
    let story = Play::USUAL.deploy(3);
    story.move_master(0, 3);
    refreshed(&story, 3, 0, "refresh, master on unit 0, the databag stale or not");
}

#[test]
fn three_units_are_refreshed_without_a_password() {
    let story = Play::WITHOUT_PASSWORD.deploy(3);
    let master = story.master_by_sentinels(3).unwrap();
    let elected = refreshed(&story, 3, master, "refresh without a password");
    assert_eq!(story.redis(elected, "CONFIG GET requirepass").unwrap(), "requirepass");
}

#[test]
fn one_unit_is_refreshed_with_files_of_another_user() {
    let story = Play::USUAL.deploy(1);
    story.write_keys(0, 1);
    let script = "chown -R nobody /var/lib/redis && ls /var/lib/redis/appendonlydir/*.aof";
    assert!(story.lab.shell(&name(0), "redis", script).unwrap().status.success());
    refreshed(&story, 1, 0, "refresh of one unit");
    let owner = story.lab.shell(&name(0), "redis", "stat -c %U /var/lib/redis/appendonlydir/*");
    assert!(!String::from_utf8_lossy(&owner.unwrap().stdout).contains("nobody"));
}

#[test]
fn units_that_are_refreshed_at_once_go_on_with_the_freshest_data() {
    let story = Play::USUAL.deploy(3);
    story.move_master(2, 3);
    story.recorded(2);
    story.move_master(1, 3);
    assert_eq!(story.databag()["leader-host"], host(2));
    refreshed_by(&story, 3, 1, "refresh of all at once, databag stale", || {
        story.lab.set_partition(APPLICATION, 3).unwrap();
        story.lab.refresh(APPLICATION, charm().path()).unwrap();
        story.lab.set_partition(APPLICATION, 0).unwrap();
        for unit in [0, 1, 2] {
            // The roll may have taken it already.
            let _ = story.lab.delete_pod(&name(unit));
        }
    });
}

/// So many keys are there before a refresh.
pub(crate) const KEYS: u32 = 20_000;
