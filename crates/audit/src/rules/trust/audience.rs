//! The audience: whether it is compared, and with what the job asks for.

use terraform::{OidcProvider, Origin, PolicyPart};

use super::values::{admits, is_positive};
use super::{SeenStatement, federated, spots};
use crate::Rule;
use crate::findings::{Findings, in_words, location};
use crate::jobs::IdentityJob;

/// Nothing compares the audience.
pub(super) fn missing(seen: &SeenStatement<'_>, findings: &mut Findings) {
    if seen.on("aud").chain(seen.on("oaud")).next().is_some() {
        return;
    }
    let message = format!("{} does not compare `{}:aud`.", seen.name(), seen.issuer);
    findings
        .add(
            Rule::TrustWithoutAudience,
            seen.trust.subject(),
            seen.place(),
            message,
        )
        .fix = in_words(format!(
        "Compare `{}:aud` by `StringEquals` with `{}`.",
        seen.issuer,
        github::AWS_AUDIENCE
    ));
}

/// Trust policy, provider and job do not agree.
pub(super) fn mismatch(seen: &SeenStatement<'_>, findings: &mut Findings) {
    with_provider(seen, findings);
    with_jobs(seen, findings);
}

/// The client ids of the provider, with its address.
fn providers<'s>(seen: &'s SeenStatement<'_>) -> impl Iterator<Item = &'s OidcProvider> {
    let named = |arn: &str| federated(seen.statement).any(|entry| entry.value == arn);
    let roots = seen.trust.setup.roots.iter();
    roots
        .flat_map(|root| &root.aws.oidc_providers)
        .filter(move |provider| named(&provider.arn))
}

fn with_provider(seen: &SeenStatement<'_>, findings: &mut Findings) {
    for provider in providers(seen) {
        for condition in seen.on("aud").filter(|condition| is_positive(condition)) {
            if provider.client_ids.iter().any(|id| admits(condition, id)) {
                continue;
            }
            let Some(value) = condition.values.first() else {
                continue;
            };
            let spot = seen.value_spot(condition, value);
            let message = format!(
                "The role wants the audience `{}`, and the provider `{}` accepts only `{}`: no token has both.",
                condition.values.join("` or `"),
                provider.address,
                provider.client_ids.join("`, `")
            );
            let fix = match provider.client_ids.as_slice() {
                [only] if condition.values.len() == 1 => {
                    let summary = format!("Write `{only}`, or add `{value}` to `client_id_list`.");
                    spots::rewrite(seen.trust.root, &spot, only, summary)
                }
                _ => in_words(format!(
                    "Add `{value}` to the `client_id_list` of the provider."
                )),
            };
            findings
                .add(
                    Rule::TrustAudienceMismatch,
                    seen.trust.subject(),
                    spots::at(&spot),
                    message,
                )
                .fix = fix;
        }
    }
}

fn with_jobs(seen: &SeenStatement<'_>, findings: &mut Findings) {
    for job in &seen.trust.jobs {
        let Some(audience) = &job.audience else {
            continue;
        };
        let refused_by_trust = seen
            .on("aud")
            .find(|condition| is_positive(condition) && !admits(condition, audience));
        let refused_by_provider =
            providers(seen).find(|provider| !provider.client_ids.contains(audience));
        if let Some(condition) = refused_by_trust {
            let Some(value) = condition.values.first() else {
                continue;
            };
            let wanted = condition.values.join("` or `");
            let message = format!(
                "Job `{}` asks for the audience `{audience}`, and the role wants `{wanted}`.",
                job.subject
            );
            let spot = seen.value_spot(condition, value);
            // Where provider and policy agree, the job is the odd one out.
            let (subject, place, fix) = if refused_by_provider.is_some() {
                let fix = in_words(format!("Let job `{}` ask for `{wanted}`.", job.id));
                (job.subject.as_str(), Some(job.location.clone()), fix)
            } else {
                let summary = format!("Write `{audience}`.");
                let fix = spots::rewrite(seen.trust.root, &spot, audience, summary);
                (seen.trust.subject(), spots::at(&spot), fix)
            };
            findings
                .add(Rule::TrustAudienceMismatch, subject, place, message)
                .fix = fix;
        } else if let Some(provider) = refused_by_provider {
            refused_by(provider, (seen, job), audience, findings);
        }
    }
}

/// A provider that does not accept what a job asks for.
fn refused_by(
    provider: &OidcProvider,
    (seen, job): (&SeenStatement<'_>, &IdentityJob<'_>),
    audience: &str,
    findings: &mut Findings,
) {
    let message = format!(
        "Job `{}` asks for the audience `{audience}`, which the provider does not accept; it accepts `{}`.",
        job.subject,
        provider.client_ids.join("`, `")
    );
    let mut roots = seen.trust.setup.roots.iter();
    let root = roots
        .find(|root| root.aws.oidc_providers.contains(provider))
        .unwrap_or(seen.trust.root);
    let resource = root.root.resource(&provider.address);
    let origin = resource.and_then(|resource| resource.origin("client_id_list"));
    let place = origin.map_or_else(|| provider.place.clone(), Origin::place);
    let only = match provider.client_ids.as_slice() {
        [only] => origin.and_then(|origin| origin.worth(only)),
        _ => None,
    };
    let summary = format!("Write `{audience}` into `client_id_list`.");
    let fix = match only {
        Some(only) => spots::rewrite(root, &only.spot(), audience, summary),
        None => in_words(summary),
    };
    findings
        .add(
            Rule::TrustAudienceMismatch,
            &provider.address,
            Some(location(&place)),
            message,
        )
        .fix = fix;
}

/// The part that holds the principals, for a finding about a provider.
pub(super) fn principal_part(index: usize, arn: &str) -> PolicyPart<'_> {
    PolicyPart::ElementValue(index, "Principal", arn)
}
