//! How long the kubelet waits before it starts a container again. Pure.

use std::time::Duration;

/// The restarts of one container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BackOff {
    last: Option<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    ended: Duration,
    pause: Duration,
}

impl BackOff {
    /// The container has ended at `ended`, a time since any fixed start: when it is started again.
    ///
    /// At once the first time, then 10 s after its end, doubling up to five minutes; ten good minutes
    /// make it a first time again.
    pub(crate) fn restart_at(&mut self, ended: Duration) -> Duration {
        let pause = match self.last {
            Some(last) if ended.saturating_sub(last.ended) < FORGOTTEN_AFTER => last.pause,
            Some(_) | None => Duration::ZERO,
        };
        let next = if pause.is_zero() { FIRST } else { (pause * 2).min(LONGEST) };
        self.last = Some(Step { ended, pause: next });
        ended + pause
    }
}

const FIRST: Duration = Duration::from_secs(10);

const LONGEST: Duration = Duration::from_mins(5);

const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_restart_waits_longer_until_the_container_has_run_well() {
        let mut back_off = BackOff::default();
        let mut now = 0;
        for (runs_for, pause) in [
            (5, 0),
            (5, 10),
            (5, 20),
            (5, 40),
            (5, 80),
            (5, 160),
            (5, 300),
            (5, 300),
            (700, 0),
            (5, 10),
        ] {
            now += runs_for;
            let start = back_off.restart_at(Duration::from_secs(now));
            assert_eq!(start.as_secs() - now, pause, "at {now} s");
            now = start.as_secs();
        }
    }
}
