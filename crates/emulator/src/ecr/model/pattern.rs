//! The regular expressions of the service model.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

pub(in crate::ecr) const REPOSITORY_NAME: &str =
    r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*";
pub(super) const REGISTRY_ID: &str = "[0-9]{12}";
pub(super) const UPLOAD_ID: &str =
    "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
pub(in crate::ecr) const DIGEST: &str = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+";
pub(in crate::ecr) const IMAGE_TAG: &str = "[a-zA-Z0-9-_.]+";
pub(super) const PREFIX: &str =
    r"^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\/?|ROOT)$";
pub(super) const EXCLUSION: &str = "^[0-9a-zA-Z._*-]{1,128}$";
pub(super) const TEMPLATE_KEY: &str =
    r"^$|arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key\/[a-z0-9-]+";
pub(super) const REGION: &str = "[0-9a-z-]{2,25}";
pub(super) const REPLICATION: &str =
    "^(?:[a-z0-9]+(?:[._-][a-z0-9]*)*/)*[a-z0-9]*(?:[._-][a-z0-9]*)*$";
pub(super) const SCANNING: &str = r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$";
pub(super) const SIGNING: &str =
    "^(?:[a-z0-9*]+(?:[._-][a-z0-9*]+)*/)*[a-z0-9*]+(?:[._-][a-z0-9*]+)*$";
pub(super) const SIGNING_PROFILE: &str =
    r"^arn:aws(-[a-z]+)*:signer:[a-z0-9-]+:[0-9]{12}:\/signing-profiles\/[a-zA-Z0-9_]{2,}$";
pub(super) const PRINCIPAL: &str =
    r"^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)/[\w+=,.@-]+(/[\w+=,.@-]+)*$";
pub(super) const SECRET: &str = r"^arn:aws(-\w+)*:secretsmanager:[a-zA-Z0-9-:]+:secret:ecr\-pullthroughcache\/[a-zA-Z0-9\/_+=.@-]+$";

const ALL: [&str; 15] = [
    REPOSITORY_NAME,
    REGISTRY_ID,
    UPLOAD_ID,
    DIGEST,
    IMAGE_TAG,
    PREFIX,
    EXCLUSION,
    TEMPLATE_KEY,
    REGION,
    REPLICATION,
    SCANNING,
    SIGNING,
    SIGNING_PROFILE,
    PRINCIPAL,
    SECRET,
];

/// `\w` of AWS's engine is ASCII only, so Unicode is off.
static COMPILED: LazyLock<HashMap<&str, Regex>> = LazyLock::new(|| {
    ALL.into_iter()
        .filter_map(|pattern| {
            // In a class, `9-_` is three characters to AWS and no range to us.
            let escaped = pattern.replace("9-_", r"9\-_").replace("9-:", r"9\-:");
            let whole = format!(r"\A(?:{})\z", escaped.replace(r"\w", "[0-9A-Za-z_]"));
            Some((pattern, Regex::new(&whole).ok()?))
        })
        .collect()
});

/// Whether the whole of `text` matches a pattern of this module.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    COMPILED
        .get(pattern)
        .is_some_and(|compiled| compiled.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_tells_good_from_bad() {
        for (pattern, good, bad) in [
            (REPOSITORY_NAME, "team/web-api__v1", "team//web"),
            (REGISTRY_ID, "123456789012", "12345678901"),
            (
                UPLOAD_ID,
                "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9",
                "6cb64b8a",
            ),
            (DIGEST, "a-b_c+d.9:AB01", "sha256:xyz"),
            (IMAGE_TAG, "v1.0-rc_2", "v1/2"),
            (PREFIX, "ROOT", "Root"),
            (PREFIX, "team/", "/team"),
            (EXCLUSION, "latest*", "a/b"),
            (TEMPLATE_KEY, "", "alias/aws/ecr"),
            (REGION, "eu-central-1", "EU"),
            (REPLICATION, "prod/", "*"),
            (SCANNING, "*prod*", "prod_"),
            (SIGNING, "test*", "/test"),
            (
                SIGNING_PROFILE,
                "arn:aws:signer:eu-central-1:123456789012:/signing-profiles/main",
                "main",
            ),
            (
                PRINCIPAL,
                "arn:aws:iam::123456789012:role/ci/scanner",
                "arn:aws:iam::1:root",
            ),
            (
                SECRET,
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ecr-pullthroughcache/hub",
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub",
            ),
        ] {
            assert!(matches(pattern, good), "{pattern} {good}");
            assert!(!matches(pattern, bad), "{pattern} {bad}");
            assert!(!matches(pattern, &format!("{good}\n")), "{pattern}");
        }
        assert_eq!(COMPILED.len(), ALL.len());
    }
}
