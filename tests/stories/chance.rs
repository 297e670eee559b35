//! What is left to chance, from a seed that is printed, and how often things are tried: a few times by
//! default, as often as the environment says where somebody wants to know.

#![expect(clippy::disallowed_methods, reason = "the environment says how often")]

use std::env;

/// How often something is done: `few` times, or as `STORIES_TIMES` says.
pub(crate) fn times(few: u32) -> u32 {
    env::var("STORIES_TIMES").ok().and_then(|text| text.parse().ok()).unwrap_or(few)
}

/// The seeds to play: the first `few`, or as many as `STORIES_SEEDS` says; `STORIES_SEED` names one.
pub(crate) fn seeds(few: u64) -> Vec<u64> {
    let number = |name| env::var(name).ok().and_then(|text| text.parse().ok());
    match number("STORIES_SEED") {
        Some(one) => vec![one],
        None => (1..=number("STORIES_SEEDS").unwrap_or(few)).collect(),
    }
}

/// A sequence of numbers that its seed decides (`SplitMix64`).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let number = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % end
    }

    /// One of the items.
    pub(crate) fn one_of<T: Clone>(&mut self, items: &[T]) -> T {
        let index = self.below(u64::try_from(items.len()).unwrap());
        items[usize::try_from(index).unwrap()].clone()
    }
}
