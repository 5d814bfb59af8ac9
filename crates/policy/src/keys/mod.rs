//! Which condition keys AWS fills, at `AssumeRoleWithWebIdentity` and in the
//! session that it makes.
//!
//! Source: IAM User Guide, "IAM and AWS STS condition context keys", section
//! "Available keys for AWS OIDC federation", GitHub tab (read October 2026).
//! Every other claim (`event_name`, `repository_owner`, `iss`,
//! `runner_environment`, ..) is an absent key, however plainly the token shows it.

mod claims;
mod global;
mod presence;

pub use claims::{CLAIM_KEYS, ClaimKey, is_carried_but_not_exported};
pub use global::{GLOBAL_KEYS, GlobalKey};
pub use presence::{Presence, at_web_identity, at_web_identity_of, in_session, issuer_and_claim};

use serde_json::{Map, Value};

use crate::Context;

/// Host of GitHub's issuer, and the prefix of its condition keys. An
/// enterprise's own issuer appends `/SLUG`.
pub const GITHUB_ISSUER: &str = "token.actions.githubusercontent.com";

/// The keys that a trust policy sees for a token of this issuer, given as host
/// and path without `https://`. The caller adds `aws:FederatedProvider` and the
/// keys of the request itself.
pub fn web_identity_context(issuer_host_and_path: &str, claims: &Map<String, Value>) -> Context {
    fill(issuer_host_and_path, claims, |_| true)
}

/// The keys that remain in the session and that permission policies see.
pub fn session_context(issuer_host_and_path: &str, claims: &Map<String, Value>) -> Context {
    fill(issuer_host_and_path, claims, |key| key.in_session)
}

fn fill(issuer: &str, claims: &Map<String, Value>, wanted: fn(&ClaimKey) -> bool) -> Context {
    let mut context = Context::new();
    for key in CLAIM_KEYS.iter().filter(|key| wanted(key)) {
        let claim = match key.name {
            // `azp` takes the place of the audience, which stays under `oaud`.
            "aud" => claims.get("azp").or_else(|| claims.get("aud")),
            "oaud" => claims.get("aud"),
            name => claims.get(name),
        };
        if let Some(values) = claim.and_then(texts) {
            context.insert_many(&format!("{issuer}:{}", key.name), values);
        }
    }
    context
}

/// A claim as the values of a key; objects and null leave the key absent.
fn texts(claim: &Value) -> Option<Vec<String>> {
    match claim {
        Value::Array(items) => Some(items.iter().filter_map(text).collect()),
        single => text(single).map(|text| vec![text]),
    }
}

fn text(claim: &Value) -> Option<String> {
    match claim {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{GITHUB_ISSUER, session_context, web_identity_context};
    use serde_json::{Map, Value, json};

    fn claims() -> Map<String, Value> {
        let Value::Object(claims) = json!({
            "aud": "sts.amazonaws.com", "sub": "repo:o/r:ref:refs/heads/main",
            "repository_id": "42", "event_name": "push", "iss": "https://x", "environment": null,
            "amr": ["a", "b"]
        }) else {
            unreachable!()
        };
        claims
    }

    #[test]
    fn only_the_keys_that_sts_exports_are_filled() {
        let context = web_identity_context(GITHUB_ISSUER, &claims());
        let get = |name: &str| context.get(&format!("{GITHUB_ISSUER}:{name}"));
        assert_eq!(get("repository_id"), Some(&["42".to_owned()][..]));
        assert_eq!(get("amr").map(<[String]>::len), Some(2));
        for absent in ["event_name", "iss", "environment", "actor"] {
            assert_eq!(get(absent), None, "{absent}");
        }
    }

    #[test]
    fn authorized_party_replaces_the_audience_and_oaud_keeps_it() {
        let mut claims = claims();
        claims.insert("azp".into(), "party".into());
        let context = web_identity_context("issuer/slug", &claims);
        assert_eq!(
            context.get("issuer/slug:aud"),
            Some(&["party".to_owned()][..])
        );
        assert_eq!(
            context.get("issuer/slug:oaud"),
            Some(&["sts.amazonaws.com".to_owned()][..])
        );
    }

    #[test]
    fn a_session_keeps_subject_and_audience_but_not_the_repository() {
        let context = session_context(GITHUB_ISSUER, &claims());
        assert!(context.get(&format!("{GITHUB_ISSUER}:sub")).is_some());
        assert!(
            context
                .get(&format!("{GITHUB_ISSUER}:repository_id"))
                .is_none()
        );
    }
}
