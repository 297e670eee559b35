//! The master's pod is killed at instants of a forgetting: whether and when it was failed over.
//! Nothing is promised here: it is the limit of RESET, one Sentinel at a time.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;
use testbed::juju::hook::Hook;
use testbed::redis::answers::Role;
use testbed::wait;

use crate::Outcome;
use crate::bar::Bar;
use crate::bar::Measured;
use crate::figures::Spread;
use crate::programs::Programs;
use crate::scene::Scene;
use crate::scene::unit;

/// Five units, of which unit 4 has left: four Sentinels forget it, and the three that are left after
/// the kill are still a majority of the five that are known at first.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let next = Mutex::new(0..INSTANTS);
    let trials = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    // Apart from the trial, or the lock would be held through it.
                    let Some(index) = locked(&next).next() else { break };
                    let trial = Trial::run(programs, STEP * index);
                    locked(&trials).push(trial.map_err(|error| error.to_string()));
                }
            });
        }
    });
    let trials = trials.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut trials = trials.into_iter().collect::<Result<Vec<Trial>, String>>()?;
    trials.sort_by_key(|trial| trial.killed_after);
    let times: Vec<Duration> = trials.iter().filter_map(|trial| trial.failed_over_after).collect();
    let spread = Spread::of(&times);
    let during = trials.iter().filter(|trial| trial.killed_after < trial.hook).count();
    let hooks = Spread::of(&trials.iter().map(|trial| trial.hook).collect::<Vec<_>>());
    let longest = Bar {
        what: "longest hook, the master's pod killed during a forgetting".into(),
        promise: "20 s",
        measured: format!("{:.1} s", hooks.most.as_secs_f64()),
        floor: "-".into(),
        python: "45 s and more",
        holds: Some(hooks.most <= Duration::from_secs(20)),
    };
    let failed_over = Bar {
        what: format!("the master's pod killed at {INSTANTS} instants of a forgetting"),
        promise: "-",
        measured: format!(
            "failed over {} of {INSTANTS} times, after {:.1} s ({:.1} to {:.1})",
            times.len(),
            spread.median.as_secs_f64(),
            spread.least.as_secs_f64(),
            spread.most.as_secs_f64()
        ),
        floor: "-".into(),
        python: "-",
        holds: None,
    };
    let mut details = vec![
        format!(
            "Five units, of which unit 4 has left; `update-status` on unit 1 forgets it at four \
             Sentinels. Failed over means that all three that are left have switched; the one that \
             leads does so a second after the others. Down-after 5 s, failover-timeout 10 s, watched for {} s; {AT_ONCE} trials \
             at once. {during} kills fell into the hook, the others after it. The hooks took {:.1} s \
             ({:.1} to {:.1}).",
            WATCHED.as_secs(),
            hooks.median.as_secs_f64(),
            hooks.least.as_secs_f64(),
            hooks.most.as_secs_f64()
        ),
        String::new(),
        "| killed after | hook ended after | Sentinels reset before the kill | failed over after |"
            .to_owned(),
        "| --- | --- | --- | --- |".to_owned(),
    ];
    details.extend(trials.iter().map(Trial::row));
    let samples: Vec<Value> = trials.iter().map(Trial::sample).collect();
    let bars = vec![failed_over, longest];
    Ok(Measured { bars, details, samples: json!(samples) })
}

#[derive(Debug)]
struct Trial {
    killed_after: Duration,
    hook: Duration,
    resets_before: usize,
    failed_over_after: Option<Duration>,
}

impl Trial {
    fn run(programs: &Programs, instant: Duration) -> Outcome<Self> {
        let scene = Scene::healthy(programs, 5)?;
        let bed = &scene.bed;
        scene.controller.edit(|model| model.remove_unit(&unit(4)));
        scene.controller.set_leader(&unit(1));
        bed.remove(4)?;
        let master = bed.pod(0)?;
        wait::until("the master lists unit 4 no more", Duration::from_secs(30), || {
            let replicas = [1, 2, 3].map(|unit| bed.host(unit)).to_vec();
            (master.redis_role().ok()? == Role::Master { replicas }).then_some(())
        })?;
        let logs = |what: &str| -> usize {
            let pods = bed.pods().into_iter();
            pods.filter(|pod| pod.sentinel_log().contains(what)).count()
        };
        let command = scene.command(1, &programs.dispatch)?;
        let started = Instant::now();
        let hook = scene.controller.start(Hook::new(&unit(1), "update-status"), command)?;
        wait::pace(instant);
        let resets_before = logs("+reset-master");
        let killed = Instant::now();
        let killed_after = started.elapsed();
        bed.remove(0)?;
        let failed_over = wait::until("a failover", WATCHED, || {
            // The three that are left; reading their logs takes nothing from them.
            wait::pace(LOOK);
            (logs("+switch-master") == 3).then(|| killed.elapsed())
        });
        let run = hook.finish(Duration::from_secs(30))?;
        Ok(Self {
            killed_after,
            hook: run.elapsed,
            resets_before,
            failed_over_after: failed_over.ok(),
        })
    }

    fn row(&self) -> String {
        let end = self.failed_over_after.map_or_else(
            || format!("not within {} s", WATCHED.as_secs()),
            |time| format!("{:.1} s", time.as_secs_f64()),
        );
        format!(
            "| {:.1} s | {:.1} s | {} of 4 | {end} |",
            self.killed_after.as_secs_f64(),
            self.hook.as_secs_f64(),
            self.resets_before
        )
    }

    fn sample(&self) -> Value {
        json!({
            "killed_after_s": self.killed_after.as_secs_f64(),
            "hook_s": self.hook.as_secs_f64(),
            "resets_before": self.resets_before,
            "failed_over_after_s": self.failed_over_after.map(|time| time.as_secs_f64()),
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

const INSTANTS: u32 = 10;

/// Between two instants: together they cover the hook, which takes about a second for each Sentinel.
const STEP: Duration = Duration::from_millis(500);

/// The trials wait more than they work.
const AT_ONCE: usize = 5;

/// A failed attempt is repeated after twice the failover-timeout.
const WATCHED: Duration = Duration::from_secs(75);

const LOOK: Duration = Duration::from_millis(100);
