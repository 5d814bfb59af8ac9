//! Whether a condition key is there to be tested.

use super::claims::{CLAIM_KEYS, OF_ANY_ISSUER};
use super::{GITHUB_ISSUER, GLOBAL_KEYS, GlobalKey};

/// Whether AWS fills a condition key in a kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// In every such request.
    Always,
    /// In some, depending on what is sent or what it is about.
    WhenSent,
    /// In none: positive operators on it never hold, negated ones, `IfExists`
    /// and `ForAllValues` always do.
    Never,
    /// AWS does not document it, or the key is none that we know.
    Unknown,
}

/// Issuer and claim of a key such as `token.actions.githubusercontent.com:sub`;
/// `None` for keys of AWS itself, which have no dot before their colon. An
/// issuer has no colon, because IAM takes none with a port.
pub fn issuer_and_claim(key: &str) -> Option<(&str, &str)> {
    let (issuer, claim) = key.split_once(':')?;
    issuer.contains('.').then_some((issuer, claim))
}

/// Whether a trust policy sees the key at `AssumeRoleWithWebIdentity`. A key of
/// an issuer is judged for a token of that same issuer; where the issuer of the
/// token is known, ask [`at_web_identity_of`].
pub fn at_web_identity(key: &str) -> Presence {
    match issuer_and_claim(key) {
        Some((issuer, claim)) => claim_in_trust(issuer, claim),
        None => global(key, |fact| fact.at_web_identity),
    }
}

/// The same for a token of that issuer (host and path without `https://`): keys
/// of every other issuer are absent.
pub fn at_web_identity_of(issuer: &str, key: &str) -> Presence {
    match issuer_and_claim(key) {
        Some((other, _)) if !other.eq_ignore_ascii_case(issuer) => Presence::Never,
        _ => at_web_identity(key),
    }
}

/// Whether permission policies see the key in a request of a session that
/// `AssumeRoleWithWebIdentity` made. Keys of services are unknown, but for
/// those of ECR.
pub fn in_session(key: &str) -> Presence {
    match issuer_and_claim(key) {
        Some((issuer, claim)) => claim_in_session(issuer, claim),
        None => global(key, |fact| fact.in_session),
    }
}

fn claim_in_trust(issuer: &str, claim: &str) -> Presence {
    let named = |name: &&str| name.eq_ignore_ascii_case(claim);
    if is_github(issuer) {
        return CLAIM_KEYS
            .iter()
            .find(|key| named(&key.name))
            .map_or(Presence::Never, |key| key.of_github);
    }
    match OF_ANY_ISSUER.iter().find(|name| named(name)) {
        Some(&"aud" | &"sub" | &"oaud") => Presence::Always,
        Some(_) => Presence::WhenSent,
        // Some issuers have tabs of their own in AWS's page.
        None => Presence::Unknown,
    }
}

fn claim_in_session(issuer: &str, claim: &str) -> Presence {
    let known = CLAIM_KEYS
        .iter()
        .find(|key| key.name.eq_ignore_ascii_case(claim));
    match known {
        Some(key) if !key.in_session => Presence::Never,
        _ => claim_in_trust(issuer, claim),
    }
}

/// GitHub's issuer, or that of one enterprise.
pub(crate) fn is_github(issuer: &str) -> bool {
    issuer
        .get(..GITHUB_ISSUER.len())
        .is_some_and(|host| host.eq_ignore_ascii_case(GITHUB_ISSUER))
        && matches!(
            issuer.as_bytes().get(GITHUB_ISSUER.len()),
            None | Some(b'/')
        )
}

fn global(key: &str, presence: fn(&GlobalKey) -> Presence) -> Presence {
    GLOBAL_KEYS
        .iter()
        .find(|fact| fact.covers(key))
        .map_or(Presence::Unknown, presence)
}

#[cfg(test)]
mod tests {
    use super::{Presence, at_web_identity, at_web_identity_of, in_session};
    use crate::keys::is_carried_but_not_exported;

    const HOST: &str = "token.actions.githubusercontent.com";

    #[test]
    fn claims_that_aws_does_not_export_are_never_there() {
        for claim in [
            "event_name",
            "repository_owner",
            "iss",
            "repo_property_team",
        ] {
            assert!(is_carried_but_not_exported(claim), "{claim}");
            assert_eq!(at_web_identity(&format!("{HOST}:{claim}")), Presence::Never);
        }
        assert!(!is_carried_but_not_exported("repository_id"));
        assert_eq!(at_web_identity(&format!("{HOST}:SUB")), Presence::Always);
        assert_eq!(
            at_web_identity(&format!("{HOST}/acme:environment")),
            Presence::WhenSent
        );
        assert_eq!(at_web_identity(&format!("{HOST}:amr")), Presence::Never);
    }

    #[test]
    fn only_subject_and_audience_stay_in_the_session() {
        assert_eq!(in_session(&format!("{HOST}:sub")), Presence::Always);
        assert_eq!(in_session(&format!("{HOST}:aud")), Presence::Always);
        for claim in ["repository", "ref", "oaud", "event_name"] {
            assert_eq!(in_session(&format!("{HOST}:{claim}")), Presence::Never);
        }
    }

    #[test]
    fn keys_of_another_issuer_are_absent() {
        assert_eq!(at_web_identity_of(HOST, "gitlab.com:sub"), Presence::Never);
        assert_eq!(
            at_web_identity_of("gitlab.com", "gitlab.com:sub"),
            Presence::Always
        );
        assert_eq!(at_web_identity("gitlab.com:namespace"), Presence::Unknown);
        assert_eq!(
            at_web_identity_of(HOST, "token.action.githubusercontent.com:sub"),
            Presence::Never
        );
    }

    #[test]
    fn keys_of_aws_differ_between_the_trust_policy_and_the_session() {
        for (key, trust, session) in [
            ("AWS:currenttime", Presence::Always, Presence::Always),
            ("aws:PrincipalTag/team", Presence::Never, Presence::WhenSent),
            (
                "aws:RequestTag/team",
                Presence::WhenSent,
                Presence::WhenSent,
            ),
            ("sts:RoleSessionName", Presence::Always, Presence::Never),
            ("sts:DurationSeconds", Presence::Never, Presence::Never),
            ("sts:ExternalId", Presence::Never, Presence::Never),
            ("aws:username", Presence::Never, Presence::Never),
            ("aws:TokenIssueTime", Presence::Never, Presence::Always),
            ("ecr:ResourceTag/team", Presence::Never, Presence::WhenSent),
            (
                "aws:PrincipalTag/a.b:c",
                Presence::Never,
                Presence::WhenSent,
            ),
            ("s3:prefix", Presence::Unknown, Presence::Unknown),
            ("aws:PrincipalTag", Presence::Unknown, Presence::Unknown),
        ] {
            assert_eq!(at_web_identity(key), trust, "{key}");
            assert_eq!(in_session(key), session, "{key}");
        }
    }
}
