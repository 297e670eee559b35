//! Room on the machine: how many units may run at once, in all stories that run side by side. Where more
//! run, a server is slow because of its neighbours, and Sentinel takes it for dead.

use std::num::NonZero;
use std::sync::Condvar;
use std::sync::Mutex;
use std::thread;

/// Room for the units of one story; given back when it ends.
pub(crate) struct Room {
    units: usize,
}

impl Room {
    /// Waits until there is room for so many units. One story alone may have as many as it needs.
    pub(crate) fn take(units: usize) -> Self {
        let most = Self::most();
        let is_full = |taken: &mut usize| *taken > 0 && *taken + units > most;
        let mut taken = FREED.wait_while(TAKEN.lock().unwrap(), is_full).unwrap();
        *taken += units;
        Self { units }
    }

    /// So many units may run at once.
    pub(crate) fn most() -> usize {
        UNITS_FOR_EACH_CORE * thread::available_parallelism().map_or(1, NonZero::get)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap() -= self.units;
        FREED.notify_all();
    }
}

static TAKEN: Mutex<usize> = Mutex::new(0);

static FREED: Condvar = Condvar::new();

/// Three models of three units on two cores: they mostly wait. With more a failover was seen that nobody
/// needed.
const UNITS_FOR_EACH_CORE: usize = 5;
