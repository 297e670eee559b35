//! What the kubelet makes of the answers of a container's Pebble, with the probes that Juju sets. Pure.

use std::time::Duration;

/// What Pebble said of its checks; one that gives no answer in time is neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) is_alive: bool,
    pub(crate) is_ready: bool,
}

/// The probes of one container since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Probes {
    has_started: bool,
    is_ready: bool,
    failures: u32,
}

impl Probes {
    /// Takes an answer in. Gives whether the container has to be started anew: it was not up in time, or
    /// is alive no more.
    pub(crate) fn saw(&mut self, health: Health) -> bool {
        self.has_started |= health.is_alive;
        self.is_ready = self.has_started && health.is_ready;
        self.failures = if health.is_alive { 0 } else { self.failures + 1 };
        self.failures >= if self.has_started { LIVENESS_FAILURES } else { STARTUP_FAILURES }
    }

    pub(crate) fn is_ready(self) -> bool {
        self.is_ready
    }

    /// When to ask again.
    pub(crate) fn period(self) -> Duration {
        if self.has_started { PERIOD } else { STARTUP_PERIOD }
    }
}

const STARTUP_PERIOD: Duration = Duration::from_secs(1);
const STARTUP_FAILURES: u32 = 30;
const PERIOD: Duration = Duration::from_secs(5);
const LIVENESS_FAILURES: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers: `+` well, `r` alive and not ready, `.` none.
    fn after(answers: &str) -> (bool, bool) {
        let mut probes = Probes::default();
        let mut restart = false;
        for answer in answers.chars() {
            restart = probes.saw(Health { is_alive: answer != '.', is_ready: answer == '+' });
        }
        (probes.is_ready(), restart)
    }

    #[test]
    fn a_container_is_ready_by_its_last_answer_and_starts_anew_after_three_without_life() {
        for (answers, ready, restart) in [
            ("", false, false),
            ("+", true, false),
            ("..+", true, false),
            ("+r", false, false),
            ("+r+", true, false),
            ("+.", false, false),
            ("+..", false, false),
            ("+...", false, true),
            ("+..r..", false, false),
            (&".".repeat(29), false, false),
            (&".".repeat(30), false, true),
        ] {
            assert_eq!(after(answers), (ready, restart), "{answers}");
        }
    }

    #[test]
    fn it_is_asked_each_second_until_it_is_up_and_each_five_seconds_then() {
        let mut probes = Probes::default();
        assert_eq!(probes.period(), Duration::from_secs(1));
        probes.saw(Health::default());
        assert_eq!(probes.period(), Duration::from_secs(1));
        probes.saw(Health { is_alive: true, is_ready: true });
        assert_eq!(probes.period(), Duration::from_secs(5));
    }
}
