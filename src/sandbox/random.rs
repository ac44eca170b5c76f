//! Numbers at random: by seed, so that a test can be repeated, or different each time. Not for secrets that matter.

use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;
use std::time::Duration;

/// A generator of the kind known as SplitMix64.
pub(super) struct Random(u64);

impl Random {
    /// The one that this seed stands for.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but not including, 1.
    pub fn fraction(&mut self) -> f64 {
        // As many bits as the fraction of an f64 holds.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A duration in a range; in one that is the wrong way round, its start.
    pub fn within(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let span = range.end().saturating_sub(*range.start());
        let part = Duration::try_from_secs_f64(span.as_secs_f64() * self.fraction()).unwrap_or(span);
        range.start().saturating_add(part)
    }
}

/// A number that is different each time.
pub(super) fn unpredictable() -> u64 {
    // The keys of the standard library's hash maps come from the system.
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_spread_over_the_range() {
        let (start, end) = (Duration::from_millis(150), Duration::from_millis(350));
        let mut random = Random::new(unpredictable());
        let drawn: Vec<_> = (0..4000).map(|_| random.within(&(start..=end))).collect();
        assert!(drawn.iter().all(|drawn| (start..=end).contains(drawn)));
        for quarter in 0..4 {
            let from = start + (end - start) / 4 * quarter;
            let count = drawn.iter().filter(|drawn| (from..from + (end - start) / 4).contains(*drawn)).count();
            assert!((800..1200).contains(&count), "{count} from {from:?}");
        }
    }

    #[test]
    fn a_range_of_any_ends_gives_something() {
        let mut random = Random::new(1);
        let mut within = |start, end| random.within(&RangeInclusive::new(start, end));
        let (one, two) = (Duration::from_secs(1), Duration::from_secs(2));
        assert_eq!(within(Duration::ZERO, Duration::ZERO), Duration::ZERO);
        assert_eq!(within(two, one), two);
        assert_eq!(within(Duration::MAX, Duration::MAX), Duration::MAX);
        for _ in 0..1000 {
            within(one, Duration::MAX);
        }
    }
}
