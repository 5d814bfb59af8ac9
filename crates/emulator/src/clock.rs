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
        let offset = SignedDuration::from_secs(self.offset());
        machine_time()
            .saturating_add(offset)
            .unwrap_or(Timestamp::MAX)
    }

    /// By how many seconds the clock is ahead of the machine's.
    pub(crate) fn offset(&self) -> i64 {
        self.offset_seconds.load(Ordering::Relaxed)
    }

    /// Puts the clock so many seconds ahead of the machine's.
    pub(crate) fn set_offset(&self, seconds: i64) {
        self.offset_seconds.store(seconds, Ordering::Relaxed);
    }

    /// Moves the clock, backwards when `seconds` is negative. A clock at its
    /// limits stays there.
    pub(crate) fn advance(&self, seconds: i64) {
        let moved = |offset: i64| Some(offset.saturating_add(seconds));
        let _always_moved =
            self.offset_seconds
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
    }

    /// Makes `time` the present second; the clock goes on from there.
    pub(crate) fn set(&self, time: Timestamp) {
        let ahead = time.as_second() - machine_time().as_second();
        self.set_offset(ahead);
    }
}

/// The machine's time, which nobody moves.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the emulator asks the machine for the time"
)]
pub(crate) fn machine_time() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_the_clock_moves_now_and_never_overflows() {
        let clock = Clock::default();
        let before = clock.now();
        clock.advance(3_600);
        assert_eq!(clock.offset(), 3_600);
        assert!(clock.now().duration_since(before) >= SignedDuration::from_secs(3_600));
        clock.advance(i64::MAX);
        assert_eq!(clock.offset(), i64::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
        clock.set(Timestamp::UNIX_EPOCH);
        let since = clock.now().duration_since(Timestamp::UNIX_EPOCH);
        assert!(since.abs() < SignedDuration::from_mins(1), "{since}");
    }
}
