//! First deployments.

use std::time::Duration;

use testbed::lab::Options;
use testbed::trace::entry::Exit;
use testbed::trace::entry::What;
use testbed::wait;

use crate::stage::APPLICATION;
use crate::stage::Story;

#[test]
fn a_single_unit_with_an_empty_volume_comes_up_as_master() {
    let story = Story::of(1);
    assert_eq!(story.witness(1), Ok(0));
    let status = story.lab.status();
    let application = &status.applications[0];
    assert_eq!(application.units[0].workload.message, "no failover: a single unit");
    assert_eq!(application.status.word, "active");
    let version = story.redis(0, "INFO server").unwrap();
    assert!(version.contains(&format!("redis_version:{}", application.version)), "{version}");
}

#[test]
fn three_units_are_active_with_every_sentinel_exact_soon_after_the_last_pebble_ready() {
    let story = Story::begin(3, Options { seed: 7, ..Options::default() });
    story.until("the last pebble-ready has begun", || {
        let entries = story.lab.trace().entries();
        let begun = entries.iter().filter(|entry| {
            matches!(&entry.what, What::EventBegan { event, .. } if event.contains("pebble-ready"))
        });
        (begun.count() >= 6).then_some(())
    });
    let exact = wait::until("every Sentinel is exact", AFTER_PEBBLE_READY, || {
        let is_active = story.lab.wait_for_active(APPLICATION, Duration::ZERO).is_ok();
        is_active.then(|| story.witness(3).ok()).flatten()
    });
    exact.unwrap_or_else(|error| story.fail(&error.to_string()));
    story.until("the first start is over", || {
        (!story.databag().contains_key("bootstrap")).then_some(())
    });
    for entry in story.lab.trace().entries() {
        if let What::EventEnded { unit, event, exit, .. } = entry.what {
            assert_eq!(exit, Exit::Code(0), "{unit} {event}");
        }
    }
    for unit in 0..3 {
        let setting = |name: &str| story.redis(unit, &format!("CONFIG GET {name}")).unwrap();
        assert_eq!(setting("min-replicas-to-write"), "min-replicas-to-write\n1");
        assert_eq!(setting("replica-priority"), "replica-priority\n100");
    }
}

/// The limit of a deploy.
const AFTER_PEBBLE_READY: Duration = Duration::from_secs(30);
