//! Names that the program gives: random, or random after the time.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// 128 random bits in hexadecimal.
pub(crate) fn random() -> String {
    hex::encode(random_bytes::<16>())
}

/// 48 bits of `milliseconds` and 80 random ones, in hexadecimal: a later one is
/// greater, as in UUID version 7 (RFC 9562).
pub(crate) fn ordered(milliseconds: i64) -> String {
    let bytes = random_bytes::<10>();
    format!("{milliseconds:012x}{}", hex::encode(bytes))
}

/// 64 bits that are another number each time. Unique, not secret: a counter, hashed with
/// keys that the standard library draws at random once per process.
pub(crate) fn unique() -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    KEYS.hash_one(COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Bytes that nobody can guess.
///
/// # Panics
/// Where the system has no randomness: nothing can be kept secret there.
pub(crate) fn random_bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the system's randomness");
    bytes
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_name_is_greater_and_all_have_one_length() {
        let (early, late) = (ordered(1_000), ordered(1_764_000_000_000));
        assert!(early < late);
        assert_eq!([early.len(), late.len(), random().len()], [32; 3]);
        assert_ne!(random(), random());
    }
}
