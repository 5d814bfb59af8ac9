//! How long a session lasts.

use receipts::Fix;

use super::{SeenTrust, spots};
use crate::Rule;
use crate::findings::{Findings, in_words, location};
use crate::jobs::IdentityJob;

/// The most seconds that a publish needs: an hour, IAM's default.
const ENOUGH: u32 = 3600;

/// A role that gives long sessions.
pub(super) fn of_role(trust: &SeenTrust<'_>, findings: &mut Findings) {
    let seconds = trust.role.max_session_duration;
    if seconds <= ENOUGH {
        return;
    }
    let resource = trust.root.root.resource(trust.subject());
    let origin = resource.and_then(|resource| resource.origin("max_session_duration"));
    let place = resource.map_or_else(
        || trust.role.place.clone(),
        |resource| resource.place_of("max_session_duration"),
    );
    let message = format!(
        "The role gives sessions of up to {seconds} seconds: credentials that leak work for that long, and a publish takes minutes."
    );
    let summary = format!("Set `max_session_duration` to {ENOUGH}, or leave it out.");
    let fix: Option<Fix> = match origin {
        Some(origin) => spots::rewrite(trust.root, &origin.spot(), &ENOUGH.to_string(), summary),
        None => in_words(summary),
    };
    findings
        .add(
            Rule::SessionTooLong,
            trust.subject(),
            Some(location(&place)),
            message,
        )
        .fix = fix;
}

/// A job that asks for one.
pub(super) fn of_jobs(jobs: &[IdentityJob<'_>], findings: &mut Findings) {
    for job in jobs {
        let Some(seconds) = job.session_seconds.filter(|seconds| *seconds > ENOUGH) else {
            continue;
        };
        let message = format!(
            "Job `{}` asks for a session of {seconds} seconds: credentials that leak work for that long, and a publish takes minutes.",
            job.id
        );
        findings
            .add(
                Rule::SessionTooLong,
                &job.subject,
                Some(job.location.clone()),
                message,
            )
            .fix = in_words("Set `role-duration-seconds` to 900, or to what the job takes.");
    }
}
