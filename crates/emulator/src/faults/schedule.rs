//! How often a rule strikes, among the requests that it is about. The same
//! requests in the same order are struck again in the same way.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

/// All conditions hold together. Without any, every request is struck.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Schedule {
    /// So many requests are let pass first.
    pub(super) skip: u64,
    /// After so many the rule rests.
    pub(super) times: Option<u64>,
    /// Of the requests after the skipped ones, the first and then each `every`th.
    pub(super) every: NonZeroU64,
    /// With this probability, from 0 to 1.
    pub(super) probability: Option<f64>,
    /// What the draw begins with.
    pub(super) seed: u64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            skip: 0,
            times: None,
            every: NonZeroU64::MIN,
            probability: None,
            seed: 0,
        }
    }
}

impl Schedule {
    /// Whether the next request is struck, after `matched` requests of which
    /// `struck` were.
    pub(super) fn strikes(&self, matched: u64, struck: u64) -> bool {
        let Some(position) = matched.checked_sub(self.skip) else {
            return false;
        };
        self.times.is_none_or(|times| struck < times)
            && position % self.every == 0
            && self
                .probability
                .is_none_or(|probability| draw(self.seed, matched) < probability)
    }
}

/// A number from 0 to 1, the same for the same seed and position: `SplitMix64`
/// (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
fn draw(seed: u64, position: u64) -> f64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut mixed = seed.wrapping_add(STEP.wrapping_mul(position.wrapping_add(1)));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    // The upper 32 bits are exact as a number with a fraction.
    f64::from(u32::try_from(mixed >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Which of the first `count` requests are struck.
    fn struck(schedule: &Schedule, count: u64) -> Vec<u64> {
        let mut struck = Vec::new();
        for request in 0..count {
            if schedule.strikes(request, struck.len() as u64) {
                struck.push(request);
            }
        }
        struck
    }

    fn schedule(text: &str) -> Schedule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_schedule_counts_what_it_is_about() {
        for (text, expected) in [
            ("{}", vec![0, 1, 2, 3, 4, 5, 6, 7]),
            (r#"{"times": 2}"#, vec![0, 1]),
            (r#"{"skip": 3, "times": 2}"#, vec![3, 4]),
            (r#"{"every": 3}"#, vec![0, 3, 6]),
            (r#"{"skip": 2, "every": 3}"#, vec![2, 5]),
            (r#"{"times": 0}"#, vec![]),
            (r#"{"probability": 0}"#, vec![]),
        ] {
            assert_eq!(struck(&schedule(text), 8), expected, "{text}");
        }
    }

    #[test]
    fn a_seed_repeats_itself_and_another_one_does_not() {
        let with = |seed: u64| Schedule {
            probability: Some(0.3),
            seed,
            ..Schedule::default()
        };
        let first = struck(&with(7), 1_000);
        assert_eq!(struck(&with(7), 1_000), first);
        assert_ne!(struck(&with(8), 1_000), first);
        assert!((250..350).contains(&first.len()), "{}", first.len());
    }

    proptest! {
        #[test]
        fn a_draw_is_between_nothing_and_one(seed: u64, position: u64) {
            prop_assert!((0.0..=1.0).contains(&draw(seed, position)));
        }
    }
}
