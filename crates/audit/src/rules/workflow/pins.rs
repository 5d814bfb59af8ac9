//! Actions that somebody else can change under a job with an identity.

use github::Placed;

use super::SeenJob;
use crate::Rule;
use crate::findings::{Findings, in_words};

/// Each action and each called workflow of another repository must be pinned to
/// a commit, each image to a digest.
pub(super) fn unpinned(seen: &SeenJob<'_>, findings: &mut Findings) {
    let steps = seen.job.steps.iter().filter_map(|step| step.uses.as_ref());
    for uses in seen.job.uses.iter().chain(steps) {
        let Some(loose) = loose(uses) else { continue };
        let message = format!(
            "Job `{}` can ask for an identity and uses `{}`, {}: whoever can change that can assume the role.",
            seen.id,
            uses.value,
            match loose {
                Loose::Image => "an image by its tag",
                Loose::Action { .. } => "by a tag or branch that can be moved",
                Loose::NoVersion => "without a version",
            }
        );
        let fix = match loose {
            Loose::Image => format!("Add the image's digest: `{}@sha256:DIGEST`.", uses.value),
            Loose::Action { name, version } => format!(
                "Pin it to a commit, and keep the version as a comment: `{name}@COMMIT # {version}`."
            ),
            Loose::NoVersion => format!("Pin it to a commit: `{}@COMMIT`.", uses.value),
        };
        findings
            .add(
                Rule::IdentityWithUnpinnedAction,
                &seen.subject,
                seen.at(uses.place),
                message,
            )
            .fix = in_words(fix);
    }
}

enum Loose<'a> {
    Image,
    Action { name: &'a str, version: &'a str },
    NoVersion,
}

/// How `uses` can change without a change of this file; `None` if it cannot.
fn loose(uses: &Placed<String>) -> Option<Loose<'_>> {
    let uses = uses.trim();
    if uses.starts_with("./") {
        return None;
    }
    if let Some(image) = uses.strip_prefix("docker://") {
        let digest = image.split_once("@sha256:").map(|(_, digest)| digest);
        return (!digest.is_some_and(|digest| is_hex(digest, 64))).then_some(Loose::Image);
    }
    match uses.split_once('@') {
        // Repositories with SHA-256 object names have longer commits.
        Some((_, version)) if is_hex(version, 40) || is_hex(version, 64) => None,
        Some((name, version)) => Some(Loose::Action { name, version }),
        None => Some(Loose::NoVersion),
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
