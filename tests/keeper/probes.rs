//! Who takes writes, and when: a write to each unit's Redis, some fifty times a second.

#![expect(clippy::print_stdout, reason = "a test tells what it measured")]

use std::time::Duration;

use testbed::wait::pace;

use crate::stage::SOON;
use crate::stage::Stage;

/// Probes all three units from the pod beside the old master while something makes another one master,
/// whom `switch` gives: no two have taken writes at the same time.
pub(crate) fn never_two(stage: &Stage, old: u32, switch: impl FnOnce() -> u32) -> u32 {
    let at = (old + 1) % 3;
    let units = [0, 1, 2];
    stage.script(at, "redis", &format!("rm -f {ENOUGH}"), "");
    let (new, taken) = std::thread::scope(|scope| {
        let probes = units.map(|unit| scope.spawn(move || (unit, probe(stage, at, unit))));
        let is_written = |unit: u32| {
            let key = format!("EXISTS probe:{}", stage.bed.host(unit));
            (stage.bed.pod(unit).unwrap().redis(&key).ok()?.text() == "1").then_some(())
        };
        stage.wait("the probes write", SOON, || is_written(old));
        let new = switch();
        stage.wait("the probes write to the new master", SOON, || is_written(new));
        // The old one is still looked at for a while.
        pace(Duration::from_secs(2));
        stage.script(at, "redis", &format!("touch {ENOUGH}"), "");
        (new, probes.map(|probe| probe.join().unwrap()))
    });
    let of = |unit: u32| taken.iter().find(|(probed, _)| *probed == unit).unwrap().1.as_slice();
    let last = of(old).iter().map(|(_, taken)| taken).max().unwrap();
    let first = of(new).iter().map(|(sent, _)| sent).min().unwrap();
    println!("{} and {} writes, {} us between", of(old).len(), of(new).len(), first - last);
    assert!(last < first, "{last} {first}\n{}", stage.logs());
    for other in units.into_iter().filter(|unit| *unit != old && *unit != new) {
        assert_eq!(of(other), [], "{}", stage.logs());
    }
    new
}

/// Takes the keys of the probes away, so that the next ones are seen to be new.
pub(crate) fn forget(stage: &Stage, master: u32) {
    let keys: Vec<String> =
        [0, 1, 2].iter().map(|unit| format!("probe:{}", stage.bed.host(*unit))).collect();
    stage.bed.pod(master).unwrap().redis(&format!("DEL {}", keys.join(" "))).unwrap();
}

/// The writes that a unit's Redis takes from a client in another's pod: when each was sent and when it
/// was acknowledged, in microseconds.
fn probe(stage: &Stage, at: u32, unit: u32) -> Vec<(u64, u64)> {
    let password = stage.bed.layout().redis_password.clone().unwrap_or_default();
    let script = PROBE.replace("HOST", &stage.bed.host(unit)).replace("ENOUGH", ENOUGH);
    let taken = stage.script(at, "redis", &script, &format!("{password}\n"));
    let number = |text: &str| text.parse::<u64>().unwrap();
    let pairs = taken.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(sent, taken)| (number(sent), number(taken))).collect()
}

/// The password comes by standard input. A write that is held is not given up.
const PROBE: &str = r#"exec bash -c '
read -r REDISCLI_AUTH
export REDISCLI_AUTH
end=$((SECONDS + 120))
while [[ ! -e ENOUGH ]] && ((SECONDS < end)); do
    sent=${EPOCHREALTIME/./}
    [[ $(timeout 9 redis-cli -h HOST SET probe:HOST x 2>/dev/null) == OK ]] &&
        echo "$sent ${EPOCHREALTIME/./}"
    sleep 0.02
done
true'"#;

/// Ends the probes.
const ENOUGH: &str = "/tmp/probed-enough";
