//! The emulator's clock: the machine's time plus an offset that tests and
//! rehearsals move. Every expiry in the emulator is judged by it.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// The machine's clock, moved by a number of seconds.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_seconds: AtomicI64,
}

impl Clock {
    /// The emulator's time.
    pub(crate) fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_secs(self.offset_seconds.load(Ordering::Relaxed));
        machine_time()
            .saturating_add(offset)
            .unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock, backwards when `seconds` is negative, and returns the
    /// offset that now holds. A clock at its limits stays there.
    pub(crate) fn advance(&self, seconds: i64) -> i64 {
        let moved = |offset: i64| Some(offset.saturating_add(seconds));
        match self
            .offset_seconds
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved)
        {
            Ok(before) | Err(before) => before.saturating_add(seconds),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the emulator asks the machine for the time"
)]
fn machine_time() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_the_clock_moves_now_and_never_overflows() {
        let clock = Clock::default();
        let before = clock.now();
        assert_eq!(clock.advance(3_600), 3_600);
        assert!(clock.now().duration_since(before) >= SignedDuration::from_secs(3_600));
        assert_eq!(clock.advance(i64::MAX), i64::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }
}
