//! The pitfalls of trust policies, and the page that shows two of them.

use std::process::Output;

use serde_json::Value;

use super::{assert_seen, explain, seen};
use crate::harness::{Project, both, repository};

/// The cases of the policy engine that have a trust policy and claims.
fn cases(folder: &str) -> Vec<(String, Value)> {
    let folder = repository().join("fixtures/policies").join(folder);
    let mut cases: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_str(&text).unwrap())
        })
        .filter(|(_, case): &(String, Value)| {
            case["policies"]["trust"].is_object() && case["request"]["claims"].is_object()
        })
        .collect();
    cases.sort_by(|(one, _), (two, _)| one.cmp(two));
    cases
}

/// Explains a case from files, outside of any project.
fn explain_case(case: &Value) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let write = |file: &str, value: &Value| {
        let text = serde_json::to_string_pretty(value).unwrap();
        std::fs::write(directory.path().join(file), text + "\n").unwrap();
    };
    write("trust.json", &case["policies"]["trust"]);
    let mut claims = case["request"]["claims"].clone();
    if let Some(issuer) = case["request"]["issuer"].as_str() {
        claims["iss"] = format!("https://{issuer}").into();
    }
    write("claims.json", &claims);
    let role = case["request"]["resource"].as_str().unwrap();
    let arguments = [
        "--claims",
        "claims.json",
        "--trust-policy",
        "trust.json",
        "--role",
        role,
    ];
    explain(directory.path(), &arguments).output().unwrap()
}

/// The pitfalls whose whole explanation is kept.
const PITFALLS: [&str; 16] = [
    "audience-of-the-owner",
    "environment-added-to-the-job",
    "equals-and-like-on-the-subject-are-both-needed",
    "event-name-denies",
    "for-all-values-on-a-mistyped-key",
    "host-in-subject",
    "immutable-repository-against-names",
    "letter-case-of-the-owner",
    "mistyped-claim-denies",
    "negated-subject-alone-admits-the-world",
    "owner-wildcard-admits-every-repository",
    "owner-without-slash-admits-a-stranger",
    "repository-prefix-admits-a-longer-name",
    "repository-prefix-does-not-cover-immutable-form",
    "repository-wildcard-admits-pull-requests",
    "star-in-string-equals-is-literal",
];

#[test]
fn the_pitfalls_of_trust_policies_are_named() {
    let mut all = Vec::new();
    for folder in ["pitfalls", "trust-subject", "trust-principal"] {
        for (name, case) in cases(folder) {
            let output = explain_case(&case);
            let code = output.status.code().unwrap();
            let allowed = case["expected"]["outcome"] == "allowed";
            // What only the request shows cannot be judged from claims.
            let unclear = both(&output).starts_with("unclear");
            assert!(
                unclear || code == if allowed { 0 } else { 5 },
                "{folder}/{name}: {}",
                both(&output)
            );
            if PITFALLS.contains(&name.as_str()) {
                all.push(format!("===== {name}\n{}", seen(&output)));
            }
        }
    }
    assert_seen("explain_pitfalls", &all.join("\n"));
}

#[test]
fn the_page_lists_every_kind_and_shows_real_output() {
    let page = std::fs::read_to_string(repository().join("docs/explain.md")).unwrap();
    for kind in audit::explain::MissKind::ALL {
        let row = format!("| `{}` | {} |", kind.id(), kind.meaning());
        assert!(page.contains(&row), "docs/explain.md lacks: {row}");
    }
    let project = Project::hello();
    let output = explain(project.path(), &["--caller", "other-environment"])
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(
        page.contains(shown.trim_end()),
        "docs/explain.md is stale:\n{shown}"
    );
    let (_, case) = cases("pitfalls")
        .into_iter()
        .find(|(name, _)| name == "star-in-string-equals-is-literal")
        .unwrap();
    let shown = String::from_utf8(explain_case(&case).stdout).unwrap();
    assert!(
        page.contains(shown.trim_end()),
        "docs/explain.md is stale:\n{shown}"
    );
}
