//! How many messages are taken in an hour, from one address and from all. Counted in
//! memory: a restart forgives, and every process counts for itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::client_address::ClientAddress;

const HOUR: i64 = 3600;

/// Counts messages.
#[derive(Debug)]
pub(super) struct Limits {
    per_address: u32,
    per_hour: u32,
    window: Mutex<Window>,
}

/// One hour. It has at most as many addresses as there are messages in all.
#[derive(Debug, Default)]
struct Window {
    hour: i64,
    all: u32,
    by_address: HashMap<ClientAddress, u32>,
}

impl Limits {
    pub(super) fn new(per_address: u32, per_hour: u32) -> Self {
        Self {
            per_address,
            per_hour,
            window: Mutex::default(),
        }
    }

    /// Counts a message of this address at this time (Unix, in seconds).
    ///
    /// # Errors
    /// After how many seconds it may come again.
    pub(super) fn take(&self, address: ClientAddress, now: i64) -> Result<(), u64> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let hour = now.div_euclid(HOUR);
        if window.hour != hour {
            *window = Window {
                hour,
                ..Window::default()
            };
        }
        let mine = window.by_address.get(&address).copied().unwrap_or(0);
        if mine >= self.per_address || window.all >= self.per_hour {
            return Err((HOUR - now.rem_euclid(HOUR)).unsigned_abs());
        }
        window.all += 1;
        window.by_address.insert(address, mine + 1);
        Ok(())
    }
}
