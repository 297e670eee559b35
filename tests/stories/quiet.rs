//! What restarts nothing.

use testbed::trace::entry::What;

use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::name;
use crate::writers::Writers;

#[test]
fn unrelated_events_and_a_restart_of_agents_or_controller_restart_nothing() {
    let story = Story::of(3);
    story.lab.wait_for_idle(crate::stage::LIMIT).unwrap();
    let before = story.servers(3);
    let writers = Writers::start(&story, 0, &[0, 1, 2], 1);
    let ended = |event: &str| {
        let entries = story.lab.trace().entries();
        let is_it = |what: &What| matches!(what, What::EventEnded { event: it, .. } if it == event);
        entries.iter().filter(|entry| is_it(&entry.what)).count()
    };
    let (starts, ready, configs) =
        (ended("start"), ended("redis-pebble-ready"), ended("config-changed"));
    story.lab.trust(APPLICATION, true).unwrap();
    story.until("config-changed has run everywhere", || {
        (ended("config-changed") >= configs + 3).then_some(())
    });
    for unit in 0..3 {
        story.lab.restart_agent(&name(unit)).unwrap();
    }
    story.until("start and pebble-ready have run again", || {
        (ended("start") >= starts + 3 && ended("redis-pebble-ready") >= ready + 3).then_some(())
    });
    for unit in 0..3 {
        let told = story.lab.exec(&name(unit), UPDATE_STATUS).unwrap();
        assert_eq!(told.status, "completed", "{told:?}");
    }
    story.lab.controller_away().unwrap();
    story.lab.controller_back().unwrap();
    story.until("start has run once more", || (ended("start") >= starts + 6).then_some(()));
    story.whole(3);
    story.lab.wait_for_idle(crate::stage::LIMIT).unwrap();
    writers.end(&story, "unrelated events");
    assert_eq!(story.servers(3), before);
}

/// As an operator runs it by hand.
const UPDATE_STATUS: &str =
    "JUJU_DISPATCH_PATH=hooks/update-status JUJU_HOOK_NAME=update-status ./dispatch";
