//! How many messages are taken in an hour, from one address and from all. Counted in
//! memory: a restart forgives, and every process counts for itself.

use std::collections::{HashMap, VecDeque};

use crate::client_address::ClientAddress;

/// How many whole minutes count, beside the one that it is: a message counts for an hour
/// at least.
const MINUTES: i64 = 60;
/// How many addresses are known at once, as far as only what is not kept comes from them.
const MOST_TRAPPED: usize = 10_000;

/// Counts messages. Whoever calls it says what time it is (Unix, in seconds).
#[derive(Debug)]
pub(super) struct Limits {
    per_address: u32,
    per_hour: u32,
    all: Window,
    by_address: HashMap<ClientAddress, Window>,
    /// The minute in which addresses were last forgotten.
    forgotten_at: i64,
}

impl Limits {
    pub(super) fn new(per_address: u32, per_hour: u32) -> Self {
        Self {
            per_address,
            per_hour,
            all: Window::default(),
            by_address: HashMap::new(),
            forgotten_at: 0,
        }
    }

    /// Counts a message of this address. One that is trapped will not be kept: it counts
    /// for its address only.
    ///
    /// # Errors
    /// After how many seconds it may come again.
    pub(super) fn take(
        &mut self,
        address: ClientAddress,
        now: i64,
        is_trapped: bool,
    ) -> Result<(), u64> {
        self.forget(now);
        self.all.turn_to(now);
        let known = self.by_address.len();
        let mine = self.by_address.entry(address).or_default();
        mine.turn_to(now);
        let pauses = [
            mine.pause(self.per_address, now),
            self.all.pause(self.per_hour, now),
        ];
        if let Some(pause) = pauses.into_iter().flatten().max() {
            return Err(pause);
        }
        if !is_trapped {
            self.all.add(now);
        }
        // Addresses cost an attacker nothing, and this message costs us nothing.
        if is_trapped && known >= MOST_TRAPPED && mine.is_empty() {
            self.by_address.remove(&address);
        } else {
            mine.add(now);
        }
        Ok(())
    }

    /// Takes back what was counted at this time: it could not be kept.
    pub(super) fn give_back(&mut self, address: ClientAddress, then: i64) {
        self.all.remove(then);
        if let Some(mine) = self.by_address.get_mut(&address) {
            mine.remove(then);
        }
    }

    /// Once a minute, forgets the addresses of which nothing counts any more.
    fn forget(&mut self, now: i64) {
        if self.forgotten_at != minute(now) {
            self.forgotten_at = minute(now);
            self.by_address.retain(|_, window| {
                window.turn_to(now);
                !window.is_empty()
            });
        }
    }
}

fn minute(time: i64) -> i64 {
    time.div_euclid(60)
}

/// The messages of the last hour: in which minutes how many came, the oldest first.
#[derive(Debug, Default)]
struct Window(VecDeque<(i64, u32)>);

impl Window {
    /// Leaves out what does not count any more. Clocks jump back a second or so, and then
    /// a minute may be ahead; what is ahead by more was counted by a clock that was wrong.
    fn turn_to(&mut self, now: i64) {
        let counts = |counted: i64| (-1..=MINUTES).contains(&(minute(now) - counted));
        self.0.retain(|(counted, _)| counts(*counted));
    }

    /// After how many seconds there are fewer than `most`; nothing if there are now.
    fn pause(&self, most: u32, now: i64) -> Option<u64> {
        let all: u32 = self.0.iter().map(|(_, count)| count).sum();
        if all < most {
            return None;
        }
        // Where none may come at all there is none to wait for.
        let first = self.0.front().map_or(minute(now), |(counted, _)| *counted);
        Some(((first + MINUTES + 1) * 60 - now).max(1).unsigned_abs())
    }

    fn add(&mut self, now: i64) {
        match self.0.back_mut() {
            Some((counted, count)) if *counted >= minute(now) => *count += 1,
            _ => self.0.push_back((minute(now), 1)),
        }
    }

    fn remove(&mut self, then: i64) {
        // The clock may have been a minute behind the last one when it was counted.
        let is_then = |counted: i64| (0..=1).contains(&(counted - minute(then)));
        let mut counts = self.0.iter_mut();
        if let Some((_, count)) = counts.find(|(counted, _)| is_then(*counted)) {
            *count -= 1;
        }
        self.0.retain(|(_, count)| *count > 0);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests;
