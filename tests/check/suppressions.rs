//! Findings that somebody accepted.

use super::{Flawed, assert_seen, rules, seen};
use crate::harness::json_of;

fn suppress(rule: &str, rest: &str) -> String {
    format!("[[check.suppress]]\nrule = \"{rule}\"\n{rest}\n")
}

const ACCEPTED: &str = "reason = \"the code is our own\"\nexpires = 9999-12-31";

#[test]
fn what_is_suppressed_is_shown_with_its_reason() {
    let flawed = Flawed::configured(&suppress("identity-beside-code", ACCEPTED));
    let output = flawed.check(&["--format", "json"]).output().unwrap();
    assert!(!rules(&output).contains(&"identity-beside-code".to_owned()));
    let suppressed = &json_of(&output)["suppressed"][0];
    assert_eq!(suppressed["finding"]["rule"], "identity-beside-code");
    assert_eq!(suppressed["reason"], "the code is our own");
    assert_eq!(suppressed["expires"], "9999-12-31");
    let text = seen(&mut flawed.check(&[]));
    assert!(
        text.contains("suppressed[identity-beside-code]: "),
        "{text}"
    );
    assert!(text.contains("; 1 suppressed"), "{text}");
}

#[test]
fn expired_and_unused_suppressions_are_findings_where_they_stand() {
    let expired = suppress(
        "identity-beside-code",
        "reason = \"r\"\nexpires = 2020-01-31",
    );
    let unused = suppress("ecr-open-policy", ACCEPTED);
    let narrow = suppress(
        "identity-with-unpinned-action",
        &format!("subject = \"other.yml#job\"\n{ACCEPTED}"),
    );
    let flawed = Flawed::configured(&format!("{expired}\n{unused}\n{narrow}"));
    let output = flawed.check(&["--format", "json"]).output().unwrap();
    let found = rules(&output);
    for rule in ["identity-beside-code", "identity-with-unpinned-action"] {
        assert!(found.contains(&rule.to_owned()), "{found:?}");
    }
    let report = json_of(&output);
    let of_suppressions: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| {
            finding["rule"]
                .as_str()
                .unwrap()
                .starts_with("suppression-")
        })
        .cloned()
        .collect();
    assert_seen(
        "check_suppressions",
        &serde_json::to_string_pretty(&of_suppressions).unwrap(),
    );
}

#[test]
fn a_rule_that_does_not_exist_is_refused_with_the_nearest() {
    let flawed = Flawed::configured(&suppress("trust-nameonly", ACCEPTED));
    assert_seen("check_unknown_rule", &seen(&mut flawed.check(&[])));
}

#[test]
fn a_rule_of_zizmor_can_be_suppressed() {
    let flawed = Flawed::configured(&suppress("zizmor/unpinned-uses", ACCEPTED));
    let output = flawed.check(&["--format", "json"]).output().unwrap();
    assert!(rules(&output).contains(&"suppression-unused".to_owned()));
}

#[test]
fn a_suppression_without_a_reason_or_an_end_is_refused() {
    for rest in [
        "expires = 9999-12-31",
        "reason = \"r\"",
        "reason = \"\"\nexpires = 9999-12-31",
    ] {
        let flawed = Flawed::configured(&suppress("identity-beside-code", rest));
        let output = flawed.check(&["--format", "json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{rest}");
        assert_eq!(json_of(&output)["code"], "E002");
    }
}
