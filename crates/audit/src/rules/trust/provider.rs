//! Identity providers: their URL, and whether they are where the role is.

use policy::keys::GITHUB_ISSUER;

use super::audience::principal_part;
use super::{SeenStatement, federated, is_github, spots};
use crate::findings::{Findings, in_words, location};
use crate::{Rule, TerraformRoot};

/// Hosts of GitHub that issue tokens for something else than a workflow.
const OTHER_ISSUERS: [&str; 1] = ["audit-log.githubusercontent.com"];

/// Providers whose URL is nearly GitHub's issuer.
pub(super) fn urls(root: &TerraformRoot, findings: &mut Findings) {
    for provider in &root.aws.oidc_providers {
        let resource = root.root.resource(&provider.address);
        let origin = resource.and_then(|resource| resource.origin("url"));
        let written = origin.and_then(terraform::Origin::text);
        let url = written.unwrap_or(&provider.url);
        let Some(why) = why_never(url) else {
            continue;
        };
        let issuer = format!("https://{GITHUB_ISSUER}");
        let message =
            format!("The provider's URL is `{url}`, and GitHub's issuer is `{issuer}`: {why}.");
        let summary = format!("Write `{issuer}`; Terraform replaces the provider.");
        let place = origin.map_or_else(|| provider.place.clone(), terraform::Origin::place);
        findings
            .add(
                Rule::ProviderUrlNeverMatches,
                &provider.address,
                Some(location(&place)),
                message,
            )
            .fix = match origin {
            Some(origin) => spots::rewrite(root, &origin.spot(), &issuer, summary),
            None => in_words(summary),
        };
    }
}

/// Why no token of GitHub has this issuer, for URLs that were meant for one.
fn why_never(url: &str) -> Option<&'static str> {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => ("https", url),
    };
    let lower = rest.to_ascii_lowercase();
    let (host, path) = lower.split_once('/').unwrap_or((&lower, ""));
    let of_server = host.ends_with(".ghe.com") || path.starts_with("_services/token");
    if !host.contains("github") || of_server || OTHER_ISSUERS.contains(&host) {
        return None;
    }
    if host != GITHUB_ISSUER {
        return Some("its host is another");
    }
    if scheme != "https" {
        return Some("an issuer begins with `https://`");
    }
    if !rest.starts_with(GITHUB_ISSUER) {
        return Some("letter case counts");
    }
    let is_slug = |path: &str| {
        path.chars()
            .all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_'))
    };
    if rest.ends_with('/') {
        return Some("a slash at the end makes it another");
    }
    (!is_slug(path)).then_some("only an enterprise's slug may follow the host")
}

/// A provider that the account of the role does not have.
pub(super) fn elsewhere(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let role = seen.trust.role;
    let account = role.arn.split(':').nth(4).unwrap_or_default();
    for entry in federated(seen.statement) {
        let Some((front, issuer)) = entry.value.split_once(":oidc-provider/") else {
            continue;
        };
        if issuer != seen.issuer {
            continue;
        }
        let other = front.split(':').nth(4).unwrap_or_default();
        let spot = seen.trust.spot(principal_part(seen.index, &entry.value));
        let (message, right) = if other == account {
            let Some(known) = another_of_github(seen, &entry.value) else {
                continue;
            };
            let message = format!(
                "The role trusts the provider `{}`, which these files do not make; they make `{known}`.",
                entry.value
            );
            (message, known.to_owned())
        } else {
            let message = format!(
                "The role is in the account `{account}` and trusts a provider of the account `{other}`: \
                 AWS looks for the provider in the role's own account."
            );
            let right = entry.value.replacen(other, account, 1);
            (message, right)
        };
        findings
            .add(
                Rule::TrustProviderElsewhere,
                seen.trust.subject(),
                spots::at(&spot),
                message,
            )
            .fix = spots::rewrite(
            seen.trust.root,
            &spot,
            &right,
            format!("Name `{right}`, best by a reference to the provider's block."),
        );
    }
}

/// The one provider for GitHub that the role's account has by these files, if it
/// is not the one of this ARN.
fn another_of_github<'s>(seen: &SeenStatement<'s>, arn: &str) -> Option<&'s str> {
    let account = seen.trust.role.arn.split(':').nth(4);
    let roots = seen.trust.setup.roots.iter();
    let all = roots.flat_map(|root| &root.aws.oidc_providers);
    if all.clone().any(|provider| provider.arn == arn) {
        return None;
    }
    let here = &seen.trust.root.aws.oidc_providers;
    let mut of_github = here
        .iter()
        .filter(|provider| is_github(&provider.url) && provider.arn.split(':').nth(4) == account);
    match (of_github.next(), of_github.next()) {
        (Some(provider), None) => Some(&provider.arn),
        _ => None,
    }
}
