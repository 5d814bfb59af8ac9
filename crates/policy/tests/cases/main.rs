//! Runs every case of `fixtures/policies/`, and keeps the table of rules in
//! `docs/policy-rules.md` in step with them.

mod format;
mod table;
mod write_time;

use std::path::Path;

use format::{About, Case, folder, paths, read};

/// Cases of this folder are about writing a policy, not about a request.
const WRITE_TIME: &str = "write-time";

fn is_write_time(path: &Path) -> bool {
    path.starts_with(folder().join(WRITE_TIME))
}

/// What differs from the expectation, if anything does.
fn failure(path: &Path) -> Option<String> {
    let case: Case = read(path);
    let (request, decision) = case.decide();
    let answer = serde_json::to_value(&decision).expect("a decision is plain data");
    let expected = &case.expected;
    let (reason, denial) = (decision.reason(), decision.denial_sentence(&request));
    let same = answer["outcome"] == expected.outcome.as_str()
        && expected
            .by
            .as_deref()
            .is_none_or(|kind| answer["by"] == kind)
        && expected
            .reason_contains
            .as_deref()
            .is_none_or(|part| reason.contains(part))
        && expected.denial.as_deref().is_none_or(|text| denial == text);
    (!same).then(|| {
        format!(
            "{}\n  {}\n  wanted {}, got {} by {}: {reason}\n  {denial}",
            path.display(),
            case.description,
            expected.outcome,
            answer["outcome"],
            answer["by"],
        )
    })
}

#[test]
fn every_case_of_the_fixtures_is_decided_as_aws_documents() {
    let paths = paths();
    assert!(paths.len() >= 250, "only {} cases found", paths.len());
    let failures: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            if is_write_time(path) {
                write_time::failure(path)
            } else {
                failure(path)
            }
        })
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_case_names_its_rule_and_source() {
    for path in paths() {
        let about: About = read(&path);
        assert!(about.description.ends_with('.'), "{}", path.display());
        let known = about.source.starts_with("inferred: ") || about.source.contains('"');
        assert!(known, "{}: {}", path.display(), about.source);
    }
}
