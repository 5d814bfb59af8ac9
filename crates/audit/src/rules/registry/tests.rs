use receipts::Finding;

use super::super::testing::{self, changed, ids, only};
use super::check;
use crate::Rule;

const SOUND: &str = "resource \"aws_ecr_repository\" \"a\" {\n  name = \"portfolio\"\n  image_tag_mutability = \"IMMUTABLE\"\n  \
    image_scanning_configuration {\n    scan_on_push = true\n  }\n  encryption_configuration {\n    encryption_type = \"AES256\"\n  }\n}\n";
const LIFECYCLE: &str = "resource \"aws_ecr_lifecycle_policy\" \"a\" {\n  repository = aws_ecr_repository.a.name\n  policy = \"{}\"\n}\n";

fn found(text: &str) -> Vec<Finding> {
    testing::found(check, &testing::setup(text))
}

#[test]
fn a_repository_with_everything_is_sound() {
    assert_eq!(ids(&found(&format!("{SOUND}{LIFECYCLE}"))), [""; 0]);
}

#[test]
fn tags_that_can_be_moved_are_found() {
    let with = |mutability: &str, filter: &str| {
        let mut text = SOUND.replace("\"IMMUTABLE\"", &format!("\"{mutability}\""));
        if !filter.is_empty() {
            let block = format!(
                "  image_tag_mutability_exclusion_filter {{\n    filter = \"{filter}\"\n    filter_type = \"WILDCARD\"\n  }}\n  image_scanning"
            );
            text = text.replace("  image_scanning", &block);
        }
        found(&format!("{text}{LIFECYCLE}"))
    };
    let findings = with("MUTABLE", "");
    let finding = only(&findings, Rule::EcrMutableTags);
    assert_eq!(changed(finding)[1], "+image_tag_mutability = \"IMMUTABLE\"");
    only(&with("MUTABLE_WITH_EXCLUSION", "v*"), Rule::EcrMutableTags);
    for filter in ["*", "v*", "*.*", "sha-*"] {
        only(
            &with("IMMUTABLE_WITH_EXCLUSION", filter),
            Rule::EcrMutableTags,
        );
    }
    for filter in ["latest", "main", "buildcache*", "nightly-*"] {
        assert_eq!(
            ids(&with("IMMUTABLE_WITH_EXCLUSION", filter)),
            [""; 0],
            "{filter}"
        );
    }
    let none = SOUND.replace("  image_tag_mutability = \"IMMUTABLE\"\n", "");
    only(&found(&format!("{none}{LIFECYCLE}")), Rule::EcrMutableTags);
}

#[test]
fn a_repository_without_lifecycle_is_found_unless_one_may_be_there() {
    only(&found(SOUND), Rule::EcrWithoutLifecycle);
    let unknown = LIFECYCLE.replace("\"{}\"", "random_id.a.hex");
    assert_eq!(ids(&found(&format!("{SOUND}{unknown}"))), [""; 0]);
}

#[test]
fn a_repository_without_scan_is_found_unless_the_registry_scans() {
    let text = SOUND.replace("scan_on_push = true", "scan_on_push = false");
    let findings = found(&format!("{text}{LIFECYCLE}"));
    let finding = only(&findings, Rule::EcrWithoutScan);
    assert_eq!(
        changed(finding),
        ["-scan_on_push = false", "+scan_on_push = true"]
    );
    let registry = |frequency: &str, filter: &str| {
        format!(
            "resource \"aws_ecr_registry_scanning_configuration\" \"a\" {{\n  scan_type = \"ENHANCED\"\n  rule {{\n    scan_frequency = \"{frequency}\"\n    \
             repository_filter {{\n      filter = \"{filter}\"\n      filter_type = \"WILDCARD\"\n    }}\n  }}\n}}\n"
        )
    };
    for (frequency, filter, scanned) in [
        ("SCAN_ON_PUSH", "*", true),
        ("CONTINUOUS_SCAN", "port*", true),
        ("MANUAL", "*", false),
        ("SCAN_ON_PUSH", "other/*", false),
    ] {
        let findings = found(&format!("{text}{LIFECYCLE}{}", registry(frequency, filter)));
        assert_eq!(findings.is_empty(), scanned, "{frequency} {filter}");
    }
}

#[test]
fn an_encryption_that_nobody_chose_is_noted() {
    let text = SOUND.replace(
        "  encryption_configuration {\n    encryption_type = \"AES256\"\n  }\n",
        "",
    );
    assert_eq!(
        ids(&found(&format!("{text}{LIFECYCLE}"))),
        ["ecr-default-encryption"]
    );
}

#[test]
fn a_policy_for_everyone_or_for_other_accounts_is_found() {
    let policy = |principal: &str, condition: &str| {
        let text = format!(
            "resource \"aws_ecr_repository_policy\" \"a\" {{\n  repository = aws_ecr_repository.a.name\n  policy = jsonencode({{\n    Version = \"2012-10-17\"\n    \
             Statement = [{{ Effect = \"Allow\", Principal = {principal}, Action = \"ecr:BatchGetImage\"{condition} }}]\n  }})\n}}\n"
        );
        let findings = found(&format!("{SOUND}{LIFECYCLE}{text}"));
        !findings.is_empty()
    };
    let organisation = ", Condition = { StringEquals = { \"aws:PrincipalOrgID\" = \"o-1\" } }";
    assert!(policy("\"*\"", ""));
    assert!(policy("{ AWS = \"*\" }", ""));
    assert!(policy("{ AWS = \"arn:aws:iam::999999999999:root\" }", ""));
    assert!(policy("{ AWS = [\"999999999999\"] }", ""));
    assert!(!policy("\"*\"", organisation));
    assert!(!policy(
        "{ AWS = \"arn:aws:iam::999999999999:root\" }",
        organisation
    ));
    assert!(!policy(
        "{ AWS = \"arn:aws:iam::123456789012:role/task\" }",
        ""
    ));
    assert!(!policy("{ Service = \"lambda.amazonaws.com\" }", ""));
}
