//! What the status tells, and that it passes.

use testbed::lab::status::UnitStatus;

use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::name;

#[test]
fn two_units_say_that_the_loss_of_one_is_not_failed_over() {
    let story = Story::of(2);
    for unit in units(&story) {
        assert_eq!(unit.workload.word, "active");
        assert!(unit.workload.message.contains("no failover"), "{:?}", unit.workload);
    }
}

#[test]
fn a_replica_that_is_cut_off_is_named_until_it_is_back() {
    let story = Story::of(3);
    let replica = (story.whole(3) + 1) % 3;
    story.lab.isolate(&name(replica)).unwrap();
    // Any event looks.
    story.lab.trust(APPLICATION, true).unwrap();
    story.until("the others tell of it", || {
        let units = units(&story);
        let mut others = units.iter().filter(|unit| unit.name != name(replica));
        others.all(|unit| unit.workload.message.contains(&name(replica))).then_some(())
    });
    story.lab.rejoin(&name(replica)).unwrap();
    story.whole(3);
    story.until("nobody tells of it any more", || {
        units(&story).iter().all(|unit| unit.workload.message.is_empty()).then_some(())
    });
}

fn units(story: &Story) -> Vec<UnitStatus> {
    story.lab.status().applications.into_iter().flat_map(|it| it.units).collect()
}
