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
        *range.start() + range.end().saturating_sub(*range.start()).mul_f64(self.fraction())
    }
}

/// A number that is different each time.
pub(super) fn unpredictable() -> u64 {
    // The keys of the standard library's hash maps come from the system.
    RandomState::new().hash_one(())
}
