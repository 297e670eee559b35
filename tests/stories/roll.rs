//! Rolls of the pods, with `--trust` and without it.
#![expect(clippy::print_stdout, reason = "what a roll takes is reported")]

use std::time::Duration;

use testbed::juju::hook::FaultKind;
use testbed::lab::target::Target;
use testbed::trace::entry::PodChange;
use testbed::trace::entry::What;
use testbed::wait;

use crate::outside;
use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::charm;
use crate::stage::name;

#[test]
fn a_refresh_with_trust_goes_on_to_the_next_pod_when_the_last_one_is_whole() {
    let story = trusted();
    let _charm = outside::deploy(&story);
    let writers = outside::writers(&story, 3, 0);
    let begun = refresh(&story);
    rolled(&story, begun);
    let patches = patches(&story);
    // A unit that loses its master meanwhile may hold once more.
    assert_eq!(patches.first(), Some(&2), "the first that goes holds: {patches:?}");
    assert_eq!(patches.last(), Some(&0), "given back: {patches:?}");
    for unit in [1, 0] {
        let let_go = time_of_patch(&story, unit);
        let made = pod_times(&story, unit + 1, begun, is_created)[0];
        let gone = pod_times(&story, unit, begun, is_told_to_end)[0];
        assert!(made < let_go && let_go < gone, "unit {unit}: {made:?} {let_go:?} {gone:?}");
    }
    writers.end(&story, "a roll of three units with trust");
}

#[test]
fn without_trust_nothing_is_asked_but_once_in_a_run_and_the_pods_roll_as_kubernetes_rolls_them() {
    let story = Story::of(3);
    let _charm = outside::deploy(&story);
    let writers = outside::writers(&story, 3, 0);
    let begun = refresh(&story);
    rolled(&story, begun);
    writers.write_again(&story);
    writers.end(&story, "a roll of three units without trust");
    let asked = asked(&story);
    assert!(!asked.is_empty(), "nobody asked");
    for (request, status) in &asked {
        assert!(request.starts_with("GET /apis/apps/") && *status == 403, "{request}: {status}");
    }
    let entries = story.lab.trace().entries();
    let is_run = |what: &What| matches!(what, What::EventBegan { unit, .. } if unit.starts_with(APPLICATION));
    let runs = entries.iter().filter(|it| is_run(&it.what)).count();
    assert!(asked.len() <= runs, "{} requests in {runs} runs", asked.len());
}

#[test]
fn hooks_that_are_killed_between_hold_and_give_back_are_made_up_for() {
    let story = trusted();
    // Its `stop` dies before it holds; those of the new pod before they give back.
    for hook in ["stop", "upgrade-charm", "redis-pebble-ready", "redis-pebble-custom-notice"] {
        story.lab.strike_hook_at(&name(2), hook, 1, FaultKind::KillHook).unwrap();
    }
    let begun = refresh(&story);
    rolled(&story, begun);
}

#[test]
fn a_replica_that_never_gets_whole_holds_the_roll_until_it_does() {
    let story = trusted();
    let begun = refresh(&story);
    story.until("the new pod of the highest unit is there", || {
        pod_times(&story, 2, begun, is_created).first().copied()
    });
    story.until("its Redis can be frozen", || {
        // It serves: the charm runs the program too, for its version.
        story.redis(2, "ROLE").ok()?;
        story.lab.freeze(&name(2), &Target::process("redis", "redis-server")).ok()
    });
    let ready = story.until("its pod is ready all the same", || {
        pod_times(&story, 2, begun, is_ready).last().copied()
    });
    story.until("the status says what the roll waits for", || {
        let status = story.lab.status();
        let application = status.applications.iter().find(|it| it.name == APPLICATION)?;
        let mut messages = application.units.iter().map(|unit| &unit.workload.message);
        let wanted = "roll waits: Redis of redis-k8s/2";
        messages.any(|message| message.starts_with(wanted)).then_some(())
    });
    let waited = wait::until("the others are let go", HELD, || {
        let gone = [0, 1].map(|unit| pod_times(&story, unit, begun, is_told_to_end));
        gone.iter().any(|times| !times.is_empty()).then_some(())
    });
    assert!(waited.is_err(), "the roll went on although unit 2 is not whole");
    println!("ready at {ready:?} and not whole: the others stayed for {HELD:?} and more");
    assert_eq!(story.lab.cluster().partition(APPLICATION), Some(2));
    story.lab.thaw(&name(2), &Target::process("redis", "redis-server")).unwrap();
    rolled(&story, begun);
}

/// Three units, whole and trusted.
fn trusted() -> Story {
    let story = Story::of(3);
    story.lab.trust(APPLICATION, true).unwrap();
    story.until("the API answers", || {
        asked(&story).iter().any(|(_, status)| *status == 200).then_some(())
    });
    story
}

/// Another revision, which is the same charm. Gives the time.
fn refresh(story: &Story) -> Duration {
    let revision = charm();
    let begun = story.lab.trace().entries().last().map(|entry| entry.at).unwrap_or_default();
    story.lab.refresh(APPLICATION, revision.path()).unwrap();
    begun
}

/// Waits until all pods are new and whole, and nothing is held any more.
fn rolled(story: &Story, begun: Duration) {
    story.until("every pod has been replaced", || {
        (0..3).all(|unit| !pod_times(story, unit, begun, is_created).is_empty()).then_some(())
    });
    story.whole(3);
    story.until("the partition is given back", || {
        (story.lab.cluster().partition(APPLICATION) == Some(0)).then_some(())
    });
    story.until("the status is well again", || {
        let status = story.lab.status();
        let application = status.applications.iter().find(|it| it.name == APPLICATION)?;
        application.units.iter().all(|unit| unit.workload.message.is_empty()).then_some(())
    });
    let gone = [2, 1, 0]
        .map(|unit| pod_times(story, unit, begun, is_told_to_end)[0].saturating_sub(begun));
    println!("units 2, 1, 0 went {gone:.1?} after the refresh");
    assert!(gone.is_sorted(), "the order of Kubernetes");
}

/// What the API was asked, and how it answered.
fn asked(story: &Story) -> Vec<(String, u16)> {
    requests(story).into_iter().map(|(_, asked, status)| (asked, status)).collect()
}

/// The partitions that were set, in order.
fn patches(story: &Story) -> Vec<u32> {
    patched(story).into_iter().map(|(_, partition)| partition).collect()
}

/// When a partition was set first.
fn time_of_patch(story: &Story, wanted: u32) -> Duration {
    let first = patched(story).into_iter().find(|(_, partition)| *partition == wanted);
    first.map(|(at, _)| at).unwrap()
}

fn patched(story: &Story) -> Vec<(Duration, u32)> {
    let done = requests(story).into_iter().filter(|(_, _, status)| *status == 200);
    done.filter_map(|(at, asked, _)| Some((at, partition_in(&asked)?))).collect()
}

fn requests(story: &Story) -> Vec<(Duration, String, u16)> {
    let entries = story.lab.trace().entries().into_iter();
    let requests = entries.filter_map(|entry| {
        let What::Api { asked, status, .. } = entry.what else { return None };
        Some((entry.at, asked, status))
    });
    requests.collect()
}

fn partition_in(asked: &str) -> Option<u32> {
    let patch = asked.strip_prefix("PATCH ")?.split_once(' ')?.1;
    let patch: serde_json::Value = serde_json::from_str(patch).unwrap();
    let partition = patch.pointer("/spec/updateStrategy/rollingUpdate/partition")?.as_u64()?;
    u32::try_from(partition).ok()
}

/// When that befell a unit's pod, since then.
fn pod_times(
    story: &Story,
    number: u32,
    since: Duration,
    is_it: fn(&PodChange) -> bool,
) -> Vec<Duration> {
    let entries = story.lab.trace().entries().into_iter();
    let times = entries.filter_map(|entry| {
        let What::Pod { unit, change } = entry.what else { return None };
        (unit == name(number) && is_it(&change) && entry.at > since).then_some(entry.at)
    });
    times.collect()
}

fn is_created(change: &PodChange) -> bool {
    matches!(change, PodChange::Created { .. })
}

fn is_ready(change: &PodChange) -> bool {
    matches!(change, PodChange::Ready)
}

fn is_told_to_end(change: &PodChange) -> bool {
    matches!(change, PodChange::Terminating)
}

/// Kubernetes alone would let the next pod go within a second or two.
const HELD: Duration = Duration::from_secs(12);
