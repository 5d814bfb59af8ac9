//! What a policy does to the images of a repository at one moment
//! (User Guide, "Lifecycle policy evaluation rules"). Pure.

use std::collections::HashSet;

use jiff::Timestamp;
use oci::Digest;

use super::Policy;
use super::image::{Image, threshold};
use super::rule::{Criterion, Rule, StorageClass};

/// One image on which one rule acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) digest: Digest,
    /// The priority of the rule.
    pub(super) priority: u64,
    pub(super) effect: Effect,
}

/// What happens to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Expire,
    Archive,
}

/// The images on which `policy` acts at `now`, the oldest first within a rule.
///
/// Every rule looks at all images that it selects, whatever other rules do.
/// Then the rules are applied by priority: an image that a rule selects, acted
/// on or not, is out of reach for the rules after it. Images that are listed
/// by a manifest list outside of the archive stay. Reference artifacts are
/// images like others (inferred from aws/containers-roadmap#2613).
pub(super) fn evaluate(policy: &Policy, images: &[Image], now: Timestamp) -> Vec<Verdict> {
    let mut shielded = HashSet::new();
    let mut verdicts = Vec::new();
    let listed = listed(images);
    for rule in &policy.rules {
        let mut selected: Vec<&Image> = images
            .iter()
            .filter(|image| selects(rule, image, now))
            .collect();
        selected.sort_by_key(|image| (image.age_reference(), image.digest));
        let met = |&(index, image): &(usize, &&Image)| match rule.criterion {
            Criterion::CountMoreThan { images } => (selected.len() - index) as u64 > images,
            _ => due(rule, image).is_some_and(|due| due < now),
        };
        let marked = selected.iter().enumerate().filter(met);
        verdicts.extend(
            marked
                .map(|(_, image)| image.digest)
                .filter(|digest| !shielded.contains(digest) && !listed.contains(digest))
                .map(|digest| Verdict {
                    digest,
                    priority: rule.priority,
                    effect: effect(rule),
                }),
        );
        shielded.extend(selected.iter().map(|image| image.digest));
    }
    verdicts
}

/// Reference artifacts that go where their subject went: they expire when it
/// is gone and are archived when it is. A manifest list keeps them too.
pub(super) fn followers(images: &[Image], now: Timestamp) -> Vec<(Digest, Effect)> {
    let listed = listed(images);
    images
        .iter()
        .filter(|image| image.pushed <= now && !listed.contains(&image.digest))
        .filter_map(|image| {
            let subject = image.subject?;
            match images.iter().find(|other| other.digest == subject) {
                None => Some((image.digest, Effect::Expire)),
                Some(subject)
                    if subject.class == Some(StorageClass::Archive)
                        && image.class == Some(StorageClass::Standard) =>
                {
                    Some((image.digest, Effect::Archive))
                }
                Some(_) => None,
            }
        })
        .collect()
}

/// The next moment after `now` at which a rule that counts days may begin to
/// act on an image, if nothing else happens.
pub(super) fn next_change(policy: &Policy, images: &[Image], now: Timestamp) -> Option<Timestamp> {
    let all = images.iter().flat_map(|image| {
        let rules = policy.rules.iter();
        rules
            .filter(|rule| image.class == Some(rule.class))
            .filter_map(move |rule| due(rule, image))
    });
    all.filter(|due| *due >= now).min()
}

fn selects(rule: &Rule, image: &Image, now: Timestamp) -> bool {
    image.pushed <= now && image.class == Some(rule.class) && rule.tags.select(&image.tags)
}

/// The moment after which `image` is too old for `rule`.
fn due(rule: &Rule, image: &Image) -> Option<Timestamp> {
    match rule.criterion {
        Criterion::CountMoreThan { .. } => None,
        Criterion::SincePushed { days } => threshold(image.age_reference(), days),
        Criterion::SincePulled { days } => threshold(image.pull_reference(), days),
        Criterion::SinceTransitioned { days } => threshold(image.archived?, days),
    }
}

fn effect(rule: &Rule) -> Effect {
    if rule.transition {
        Effect::Archive
    } else {
        Effect::Expire
    }
}

/// The images that a manifest list outside of the archive names.
fn listed(images: &[Image]) -> HashSet<Digest> {
    images
        .iter()
        .filter(|image| image.class != Some(StorageClass::Archive))
        .flat_map(|image| image.children.iter().copied())
        .collect()
}

#[cfg(test)]
mod tests;
