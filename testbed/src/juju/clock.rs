//! The periods of Juju and Kubernetes, at the speed of one model.

use std::time::Duration;

/// How fast time passes for a model: its periods are divided by the speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    speed: f64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { speed: 1.0 }
    }
}

impl Clock {
    /// A clock that runs that many times as fast as Juju's. What is no positive number counts as 1.
    pub fn at_speed(speed: f64) -> Self {
        Self { speed: if speed.is_finite() && speed > 0.0 { speed } else { 1.0 } }
    }

    /// How many times as fast as Juju's it runs.
    pub fn speed(self) -> f64 {
        self.speed
    }

    /// How long the period takes by this clock.
    pub fn period(self, period: Duration) -> Duration {
        // At very low speeds the quotient may be more than a duration holds.
        Duration::try_from_secs_f64(period.as_secs_f64() / self.speed).unwrap_or(Duration::MAX)
    }
}

/// How long a claim of leadership lasts.
pub const LEASE: Duration = Duration::from_mins(1);

/// When a leader renews its claim, and a minion asks again for the lease.
pub const LEASE_RENEWAL: Duration = Duration::from_secs(30);

/// The wait before the first retry of a failed hook; it doubles with each further one.
pub const FIRST_RETRY: Duration = Duration::from_secs(5);

/// The longest wait before a retry.
pub const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// How often an agent looks at each container's Pebble.
pub const PEBBLE_POLL: Duration = Duration::from_secs(5);

/// How often the provisioner looks at each application.
pub const PROVISIONER_ROUND: Duration = Duration::from_secs(10);

/// How often a unit that has nothing else to do is told to update its status.
pub const UPDATE_STATUS: Duration = Duration::from_mins(5);

/// A tick for that comes earlier or later by at most this share.
pub(crate) const UPDATE_STATUS_JITTER: f64 = 0.2;

/// How long an agent that has failed takes to be back.
pub const AGENT_RESTART: Duration = Duration::from_secs(3);

/// How long an agent waits before it looks for a Pebble again that it has not found.
pub const PEBBLE_ABSENT: Duration = Duration::from_secs(1);

/// How long the kubelet waits between SIGTERM and SIGKILL of a pod.
pub const GRACE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::Clock;
    use std::time::Duration;

    #[test]
    fn periods_are_divided_by_the_speed_and_odd_speeds_count_as_one() {
        for (speed, seconds) in [(1.0, 60.0), (4.0, 15.0), (0.5, 120.0), (0.0, 60.0), (-3.0, 60.0)]
        {
            let period = Clock::at_speed(speed).period(super::LEASE);
            assert_eq!(period, Duration::from_secs_f64(seconds), "{speed}");
        }
        assert_eq!(Clock::at_speed(f64::NAN).speed().to_bits(), 1.0_f64.to_bits());
    }
}
