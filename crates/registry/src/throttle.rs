//! A registry that throttles throttles everybody who asks with the same login.
//!
//! ECR counts by account: `PutImage` ten times a second, for all repositories together
//! (AWS, "Amazon ECR service quotas"). So whoever is told to wait has everybody wait,
//! and being told to is no failed attempt, within the patience of [`crate::Options`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// When a registry may be asked again.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<Option<Instant>>);

impl Throttle {
    /// Nobody asks for this long.
    pub(crate) fn pause(&self, length: Duration) {
        let until = Instant::now() + length;
        let mut resume = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *resume = Some(resume.map_or(until, |resume| resume.max(until)));
    }

    /// Waits until the registry may be asked.
    pub(crate) async fn passed(&self) {
        while let Some(resume) = self.resume() {
            sleep_until(resume).await;
        }
    }

    /// When that is, if it is not now.
    fn resume(&self) -> Option<Instant> {
        let resume = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resume.filter(|resume| *resume > Instant::now())
    }
}
