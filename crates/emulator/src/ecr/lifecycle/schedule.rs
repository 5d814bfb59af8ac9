//! When policies are evaluated, and all that happens until a given time. Pure.
//!
//! ECR acts "within 24 hours". Here a policy is evaluated at every midnight UTC
//! of the emulator's clock (inferred), so that the result depends on nothing but
//! the clock; a clock that jumps goes through all midnights in between.

use jiff::Timestamp;
use oci::Digest;

use super::Policy;
use super::evaluation::{Effect, evaluate, followers, next_change};
use super::image::Image;
use super::rule::StorageClass;

const DAY: i64 = 24 * 3600;

/// Something that happens to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: Timestamp,
    pub(super) digest: Digest,
    pub(super) effect: Effect,
}

/// The first midnight UTC after `time`.
pub(super) fn point_after(time: Timestamp) -> Timestamp {
    let days = time.as_second().div_euclid(DAY).saturating_add(1);
    Timestamp::from_second(days.saturating_mul(DAY)).unwrap_or(Timestamp::MAX)
}

/// The last midnight UTC that is not after `time`.
pub(super) fn point_before(time: Timestamp) -> Timestamp {
    let days = time.as_second().div_euclid(DAY);
    Timestamp::from_second(days * DAY).unwrap_or(Timestamp::MIN)
}

/// What happens at one evaluation: the verdicts of the rules, then reference
/// artifacts after their subjects. `images` becomes what is left.
pub(super) fn step(policy: &Policy, images: &mut Vec<Image>, at: Timestamp) -> Vec<Event> {
    let verdicts = evaluate(policy, images, at);
    let mut events = Vec::new();
    let mut effects: Vec<(Digest, Effect)> = verdicts
        .into_iter()
        .map(|verdict| (verdict.digest, verdict.effect))
        .collect();
    loop {
        for &(digest, effect) in &effects {
            apply(images, digest, effect, at);
            events.push(Event { at, digest, effect });
        }
        effects = followers(images, at);
        if effects.is_empty() {
            return events;
        }
    }
}

/// All that happens at the evaluations after `from` and not after `until`.
/// Evaluations at which nothing can change are left out.
pub(super) fn walk(
    policy: &Policy,
    mut images: Vec<Image>,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Event> {
    let mut events = Vec::new();
    let mut at = point_after(from);
    while at <= until && at < Timestamp::MAX {
        let happened = step(policy, &mut images, at);
        let next = if happened.is_empty() {
            next_change(policy, &images, at)
                .into_iter()
                .chain(images.iter().map(|image| image.pushed))
                .filter(|change| *change >= at)
                .min()
        } else {
            Some(at)
        };
        events.extend(happened);
        match next {
            Some(change) => at = point_after(change),
            None => break,
        }
    }
    events
}

fn apply(images: &mut Vec<Image>, digest: Digest, effect: Effect, at: Timestamp) {
    match effect {
        Effect::Expire => images.retain(|image| image.digest != digest),
        Effect::Archive => {
            if let Some(image) = images.iter_mut().find(|image| image.digest == digest) {
                image.class = Some(StorageClass::Archive);
                image.archived = Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests;
