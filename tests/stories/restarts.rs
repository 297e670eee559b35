//! All pods at once: what was acknowledged is there afterwards, or the status names who may have it.

use std::time::Duration;

use testbed::lab::target::Target;

use crate::outside;
use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::name;

/// Waits until writes are acknowledged again, and the group is whole.
fn comes_back(story: &Story) -> u32 {
    story.until("there is a master", || {
        (0..3)
            .any(|unit| story.redis(unit, "ROLE").is_ok_and(|role| role.starts_with("master")))
            .then_some(())
    });
    story.whole(3)
}

/// The message of a unit that is blocked.
fn status(story: &Story, unit: u32) -> String {
    let units = story.lab.status().applications.into_iter().flat_map(|it| it.units);
    let blocked = units.filter(|it| it.name == name(unit) && it.workload.word == "blocked");
    blocked.map(|it| it.workload.message).collect()
}

#[test]
fn of_all_pods_that_end_at_once_nothing_is_lost() {
    let story = Story::of(3);
    let _charm = outside::deploy(&story);
    let writers = outside::writers(&story, 3, 0);
    for unit in 0..3 {
        story.lab.delete_pod(&name(unit)).unwrap();
    }
    comes_back(&story);
    writers.end(&story, "all pods ended at once");
}

#[test]
fn of_all_pods_that_are_killed_at_once_two_seconds_are_lost_at_most() {
    let story = Story::of(3);
    let _charm = outside::deploy(&story);
    let writers = outside::writers(&story, 3, 0);
    for unit in 0..3 {
        story.lab.kill(&name(unit), &Target::Pod).unwrap();
    }
    comes_back(&story);
    let lost = writers.end_with_loss(&story, "all pods killed at once");
    assert!(lost <= Duration::from_secs(2), "{lost:?}");
}

#[test]
fn units_that_are_scaled_away_and_back_have_no_vote_and_all_data() {
    let story = Story::of(3);
    let _charm = outside::deploy(&story);
    let writers = outside::writers(&story, 3, 0);
    story.lab.scale(APPLICATION, 0).unwrap();
    let pods = || story.lab.pods().into_iter().filter(|pod| pod.unit.starts_with(APPLICATION));
    story.until("all pods are gone", || (pods().count() == 0).then_some(()));
    story.lab.scale(APPLICATION, 3).unwrap();
    comes_back(&story);
    let logs: String =
        (0..3).filter_map(|unit| story.lab.container_log(&name(unit), "redis").ok()).collect();
    // The first that comes does not know of the others yet: it waits if it was not the last master.
    let reasons =
        ["no Sentinel names a master, and no data are fresher", "no other unit is planned"];
    assert!(reasons.iter().any(|reason| logs.contains(reason)), "{logs}");
    writers.end(&story, "scaled to no unit and back to three");
}

#[test]
fn a_unit_that_is_scaled_back_to_alone_has_all_data() {
    let story = Story::of(3);
    let master = story.whole(3);
    story.redis(master, "SET known 1").unwrap();
    story.until("it is replicated", || {
        (0..3).all(|unit| story.redis(unit, "GET known").as_deref() == Ok("1")).then_some(())
    });
    let _charm = outside::deploy(&story);
    // Both replicas are to have a write: the one that comes back may have been one of them.
    let writers = outside::writers(&story, 3, 2);
    writers.write_again(&story);
    for units in [0, 1] {
        story.lab.scale(APPLICATION, units).unwrap();
        story.until("as many pods are there", || {
            let pods = story.lab.pods();
            let ours = pods.iter().filter(|pod| pod.unit.starts_with(APPLICATION)).count();
            (ours == usize::try_from(units).unwrap()).then_some(())
        });
    }
    story.whole(1);
    assert_eq!(story.redis(0, "GET known").as_deref(), Ok("1"));
    writers.end(&story, "scaled to no unit and back to one");
}

#[test]
fn a_unit_that_is_left_alone_is_blocked_until_the_loss_of_the_others_is_accepted() {
    let story = Story::of(3);
    let master = story.whole(3);
    let (left, other) = ((master + 1) % 3, (master + 2) % 3);
    story.redis(master, "SET known 1").unwrap();
    story.until("it is replicated", || {
        (story.redis(left, "GET known").as_deref() == Ok("1")).then_some(())
    });
    let _charm = outside::deploy(&story);
    // Both replicas are to have a write: what only those have that are lost is accepted to be.
    let writers = outside::writers(&story, 3, 2);
    writers.write_again(&story);
    for unit in [master, other] {
        story.lab.freeze(&name(unit), &Target::Pod).unwrap();
    }
    story.lab.make_leader(&name(left)).unwrap();
    story.lab.kill(&name(left), &Target::Pod).unwrap();
    let mut missing = [master, other];
    missing.sort_unstable();
    let units = missing.map(name).join(",");
    let message = format!("newest data may be on {units}: bring back, or run accept-data-loss");
    story.until("the status names them", || (status(&story, left) == message).then_some(()));
    let wrong =
        story.lab.run(&name(left), "accept-data-loss", &[("units", &name(master))]).unwrap();
    assert_eq!(wrong.status, "failed", "{wrong:?}");
    let right = story.lab.run(&name(left), "accept-data-loss", &[("units", &units)]).unwrap();
    assert_eq!(right.status, "completed", "{right:?}");
    story.until("it is master", || {
        story.redis(left, "ROLE").is_ok_and(|role| role.starts_with("master")).then_some(())
    });
    assert_eq!(story.redis(left, "GET known").as_deref(), Ok("1"));
    for unit in [master, other] {
        story.lab.thaw(&name(unit), &Target::Pod).unwrap();
    }
    story.whole(3);
    story.until("the acceptance is used up", || {
        (!story.databag().contains_key("accepted-loss")).then_some(())
    });
    writers.write_again(&story);
    writers.end(&story, "left alone, and the loss of the others accepted");
}
