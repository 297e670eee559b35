//! The choices that Juju leaves to chance, from a seed.

use std::time::Duration;

/// A sequence of numbers that its seed decides (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// One of the items; none when there are none.
    pub(crate) fn choose<T>(&mut self, items: impl IntoIterator<Item = T>) -> Option<T> {
        let mut items: Vec<T> = items.into_iter().collect();
        let count = u64::try_from(items.len()).ok().filter(|count| *count > 0)?;
        let index = usize::try_from(self.number() % count).ok()?;
        Some(items.swap_remove(index))
    }

    /// The time, more or less by at most that share of it.
    pub(crate) fn around(&mut self, time: Duration, share: f64) -> Duration {
        // 53 bits are what a float holds.
        let unit =
            f64::from(u32::try_from(self.number() >> 32).unwrap_or_default()) / f64::from(u32::MAX);
        time.mul_f64(1.0 + share * (2.0 * unit - 1.0))
    }
}

/// A number that looks like nothing of the one that it was made of.
pub(crate) fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Chance;

    #[test]
    fn a_seed_decides_what_follows_and_jitter_stays_within_its_share() {
        let numbers = |seed| {
            let mut chance = Chance::from_seed(seed);
            [chance.number(), chance.number(), chance.number()]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        let mut chance = Chance::from_seed(1);
        for _ in 0..1000 {
            let time = chance.around(Duration::from_secs(100), 0.2);
            assert!(time >= Duration::from_secs(80) && time <= Duration::from_mins(2), "{time:?}");
        }
        assert_eq!(chance.choose(Vec::<u8>::new()), None);
    }
}
